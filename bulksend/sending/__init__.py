"""Who may go when, and what follows from the answers."""
