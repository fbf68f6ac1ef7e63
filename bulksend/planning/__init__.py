"""A sheet becomes messages: read, checked, priced and summed up, into any sink."""
