"""Input files as batches of raw rows, streamed: CSV and its kin, JSONL and workbooks, from a file or standard input.

A row that is bad by itself comes with its flaw and the rest goes on; what is wrong with the input as a whole raises
InputError.
"""

from bulksend.planning.reading.raw import STDIN, RawBatch, Reader, ReadOptions, shown
from bulksend.planning.reading.source import Source

__all__ = ["STDIN", "RawBatch", "ReadOptions", "Reader", "Source", "shown"]
