from .installing import check as check
from .installing import install as install
from .names import has_run as has_run
from .names import names as names
from .trusting import Server as Server
from .trusting import trusted as trusted
