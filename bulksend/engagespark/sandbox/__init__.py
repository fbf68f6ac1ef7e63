"""A local server that behaves as the API's document says: to try a campaign on, and to test against.

The way of a request: ``server`` takes it in, ``request`` reads its body, ``ledger`` decides what becomes
of it (with ``chance``, ``contacts`` and the phone's ``cap``), ``answers`` words the response, ``log`` notes it.
``listing`` is the API's message list.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
