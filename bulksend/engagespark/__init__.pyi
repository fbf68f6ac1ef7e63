from .account import Balance as Balance
from .account import Looked as Looked
from .client import SmsApi as SmsApi
from .client import Target as Target
from .lookup import LookUp as LookUp
from .lookup import look_up as look_up
from .wire import Wire as Wire
