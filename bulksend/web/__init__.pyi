from .guarding import SESSION as SESSION
from .server import PageServer as PageServer
from .settings import PageSettings as PageSettings
