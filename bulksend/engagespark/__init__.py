"""The provider, both ends: the client of its API, and a sandbox that behaves as its document says."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
