"""Whether a mechanism keeps what every mechanism must keep.

`checks` has the list of checks and does them. `trial` makes a table of a mechanism whose laws are watched (`watching`,
`outside`); `laws`, `rows`, `balance` and `replay` look at what came of it; `files` opens a plugin file.
"""

from ucnp_abm.workbench.checking.checks import check_mechanism, particle_for
from ucnp_abm.workbench.checking.finding import Finding, Report

__all__ = ["Finding", "Report", "check_mechanism", "particle_for"]
