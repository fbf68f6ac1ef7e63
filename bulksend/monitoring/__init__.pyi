from .log import Log as Log
from .metrics import Metrics as Metrics
from .monitor import Monitor as Monitor
from .monitor import Summary as Summary
from .monitor import Trouble as Trouble
from .webhook import Webhook as Webhook
from .webhook import masked as masked
