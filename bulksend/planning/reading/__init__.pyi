from .escaped import harmless as harmless
from .raw import STDIN as STDIN
from .raw import RawBatch as RawBatch
from .raw import Reader as Reader
from .raw import ReadOptions as ReadOptions
from .raw import shown as shown
from .source import Source as Source
