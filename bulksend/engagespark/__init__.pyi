from .account import Balance as Balance
from .account import Listed as Listed
from .account import Looked as Looked
from .account import Page as Page
from .client import SmsApi as SmsApi
from .client import Target as Target
from .lookup import LookUp as LookUp
from .lookup import look_up as look_up
