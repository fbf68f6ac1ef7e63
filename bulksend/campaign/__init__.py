"""The use cases, once for every face: plan, estimate, send, go on, resolve; typed events out, a typed end back."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
