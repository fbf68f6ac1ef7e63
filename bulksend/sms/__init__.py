"""One message, pure: numbers, parts, texts, prices."""
