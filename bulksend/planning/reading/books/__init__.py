"""Workbooks as a person sees them: what is shown and what is hidden; read in a process of their own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
