"""``python -m bulksend``."""

from bulksend.cli import main

main()
