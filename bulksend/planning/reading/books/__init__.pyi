from .book import BrokenBookError as BrokenBookError
from .book import NoLibraryError as NoLibraryError
from .messages import Choice as Choice
from .process import BookProcess as BookProcess
