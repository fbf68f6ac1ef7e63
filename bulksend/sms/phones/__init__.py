"""Phone numbers and contact ids as people write them in spreadsheets, made into what the API takes.

``spelling`` makes a cell into digits, ``numbering`` holds the countries' numbering plans as compiled patterns,
``readings`` asks the library what else digits may be, ``cells`` decides with these, ``traits`` tells what a number is
once it is read, and ``likeness`` whether a cell that is none may have been meant as one.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
