from .mending import write_mending as write_mending
from .results import check_output as check_output
from .results import inputs_at as inputs_at
from .results import inputs_of as inputs_of
from .results import write_estimate as write_estimate
from .results import write_results as write_results
from .told import Told as Told
from .told import told_by as told_by
