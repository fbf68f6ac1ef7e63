"""What other programs are told of a campaign: a webhook of its end, a log and metrics of every attempt."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
