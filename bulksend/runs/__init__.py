"""Where runs live: the stores, who owns them, what outlives them."""
