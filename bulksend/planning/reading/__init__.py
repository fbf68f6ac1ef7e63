"""Input files as batches of raw rows, streamed: CSV and its kin, JSONL and workbooks, from a file or standard input.

A row that is bad by itself comes with its flaw and the rest goes on; what is wrong with the input as a whole raises
InputError.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
