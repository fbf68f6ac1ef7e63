from .asked import ask_to_end as ask_to_end
from .installing import check as check
from .installing import install as install
from .listing import stands_in as stands_in
from .naming import check_replaceable as check_replaceable
from .owned import OwnPostgresRun as OwnPostgresRun
from .plan import PlanWriter as PlanWriter
from .run import PostgresRun as PostgresRun
