from .asked import ask_to_end as ask_to_end
from .log import is_log as is_log
from .log import log_of as log_of
from .owned import OwnSqliteRun as OwnSqliteRun
from .plan import PlanWriter as PlanWriter
from .run import SqliteRun as SqliteRun
from .schema import explained as explained
from .schema import is_run_file as is_run_file
