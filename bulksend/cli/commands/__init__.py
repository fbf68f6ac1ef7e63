"""One module a command: what it takes, which use case it calls, what it shows."""
