"""The page for people who have a spreadsheet and no terminal: a local server, and the browser beside it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
