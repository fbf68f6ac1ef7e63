from .installing import check as check
from .installing import install as install
