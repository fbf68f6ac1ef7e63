from . import errors as errors
from . import events as events
from .model import Status as Status
from .python import Account as Account
from .python import Campaign as Campaign
from .python import Delivered as Delivered
from .python import Estimate as Estimate
from .python import OpenRun as OpenRun
from .python import Planned as Planned
from .python import Resolved as Resolved
from .python import Row as Row
from .python import SendOptions as SendOptions
from .python import Sent as Sent
from .python import estimate as estimate
from .python import open_run as open_run
from .python import plan as plan
from .python import receipts as receipts
from .python import resolve as resolve
from .python import send as send
from .runs import DatabaseRun as DatabaseRun
from .runs import Standing as Standing
from .sending import StopReason as StopReason

__version__: str
