"""When messages may leave: moments, windows and zones as people write them, as instants that no clock change moves.

Everything here is pure: what time it is, and which zone is meant, enters as an argument.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
