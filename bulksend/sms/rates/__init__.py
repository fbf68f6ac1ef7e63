"""What a part costs: tables of rates, their files, and how they are learned."""
