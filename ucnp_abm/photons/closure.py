"""How the surroundings of an activator differ from the mean: an ion that takes energy fast stands among emptied Yb.

A rate equation multiplies mean populations, as if Yb knew nothing of the activator next to it. But while an activator
is in a level that takes energy fast (3H4 in some rate sets, for a millisecond), the Yb around it are empty, and it
takes less than the mean says. Here Yb i is refilled at the rate D_i at which it exchanges energy with everything else,
from neighbours taken at their mean; so while activator a is in level l,

    n_i(l) = n_i^free D_i / (D_i + r_ia⁻⁶ takes_l),     with sum over l of N_al n_i(l) = n_i.

Assumption: a closure of first neighbours. The full Monte Carlo (`ucnp_abm.photons.montecarlo`) says how good it is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from ucnp_abm.photons.system import Activators

Floats = NDArray[np.float64]


def views(these: Activators, populations: Floats, renewal: Floats, correlated: bool = True) -> list[csr_matrix]:
    """r⁻⁶ / Å⁻⁶ as the activators see it in each level: (n, a) matrices v with phi_l = v_lᵀ n, by level.

    Parameters
    ----------
    these : Activators
    populations : (a, L) float64
    renewal : (n,) float64
        D of each Yb / 1/s.
    correlated : bool
        If not, every level sees r⁻⁶ itself.
    """
    pairs, takes = these.yb, these.cascade.takes
    if not correlated:
        return [pairs] * takes.size
    supply = np.repeat(renewal, np.diff(pairs.indptr))
    left = [supply / (supply + pairs.data * take) for take in takes]
    held = populations[pairs.indices]
    mean = np.sum([held[:, level] * share for level, share in enumerate(left)], axis=0)
    return [csr_matrix((pairs.data * share / mean, pairs.indices, pairs.indptr), shape=pairs.shape) for share in left]
