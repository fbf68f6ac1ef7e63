"""What in a plan may not be as it was meant: told with its reason, and sent all the same."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
