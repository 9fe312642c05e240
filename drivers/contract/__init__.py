"""The language of contracts: what the kernel's trace of a call must show.  Host only, standard library only."""
from drivers.contract.claims import *  # noqa: F403
from drivers.contract.claims import __all__ as __all__
