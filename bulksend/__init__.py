"""Send an SMS campaign from a spreadsheet through engageSPARK's Send SMS API.

The names here are the use cases as a program calls them; what the command line and others show is made of the same.
Each is loaded when it is asked for.
"""

import lazy_loader

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
