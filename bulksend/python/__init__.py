"""The use cases as a program calls them: no signals, no questions, nothing printed; their face is `bulksend`."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
