from .installing import check as check
from .installing import install as install
from .listing import runs_in as runs_in
from .listing import stands_in as stands_in
from .run import PostgresRun as PostgresRun
