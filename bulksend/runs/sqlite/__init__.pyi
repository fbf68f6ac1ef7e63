from .owned import OwnSqliteRun as OwnSqliteRun
from .plan import PlanWriter as PlanWriter
from .run import SqliteRun as SqliteRun
from .schema import explained as explained
from .schema import is_run_file as is_run_file
