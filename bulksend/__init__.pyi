from .campaign import CampaignEvent as CampaignEvent
from .campaign import Ended as Ended
from .campaign import PlanRequest as PlanRequest
from .campaign import SendOptions as SendOptions
from .campaign import plan as plan
from .campaign import reopen as reopen
from .campaign import resolve as resolve
from .campaign import send as send
from .campaign import survey as survey
from .runs import open_run as open_run

__version__: str
