from .campaign import CampaignEvent as CampaignEvent
from .campaign import Ended as Ended
from .campaign import PlanRequest as PlanRequest
from .campaign import SendOptions as SendOptions
from .campaign import decide as decide
from .campaign import held_account as held_account
from .campaign import look_up as look_up
from .campaign import plan as plan
from .campaign import reopen as reopen
from .campaign import send as send
from .campaign import survey as survey
from .engagespark import Target as Target
from .planning import PlanOptions as PlanOptions
from .reports import write_results as write_results
from .runs import Address as Address
from .runs import open_run as open_run
from .sending import Caps as Caps
from .sending import Pace as Pace
from .sending import Stopping as Stopping

__version__: str
