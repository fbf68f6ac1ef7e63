"""What people take away of a run: the results."""
