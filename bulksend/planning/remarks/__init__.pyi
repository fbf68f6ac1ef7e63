from .noted import Noted as Noted
from .topics import Remarks as Remarks
