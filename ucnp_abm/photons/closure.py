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

FAINT = 1e-4
"""A pair whose fastest transfer is below this share of the supply is left as it is."""

Floats = NDArray[np.float64]


def corrections(these: Activators, populations: Floats, renewal: Floats, correlated: bool = True) -> list[csr_matrix]:
    """What each level sees of the Yb beyond their mean: (n, a) matrices c / Å⁻⁶ with phi_l = (r⁻⁶ + c_l)ᵀ n, by level.

    Only near pairs have entries.

    Parameters
    ----------
    these : Activators
    populations : (a, L) float64
    renewal : (n,) float64
        D of each Yb / 1/s.
    correlated : bool
        If not, every level sees r⁻⁶ itself: no entries.
    """
    pairs, takes = these.yb, these.cascade.takes
    supply = np.repeat(renewal, np.diff(pairs.indptr))
    near = np.flatnonzero(pairs.data * takes.max() > (FAINT if correlated else np.inf) * supply)
    row = np.searchsorted(pairs.indptr, near, side="right") - 1
    column, data, supply = pairs.indices[near], pairs.data[near], supply[near]
    left = supply[:, None] / (supply[:, None] + data[:, None] * takes)
    mean = np.einsum("pl,pl->p", populations[column], left)
    return [csr_matrix((data * (share / mean - 1.0), (row, column)), shape=pairs.shape) for share in left.T]
