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
    near = np.flatnonzero(pairs.data * takes.max() > FAINT * supply)
    data, supply, held = pairs.data[near], supply[near], populations[pairs.indices[near]]
    left = {take: supply / (supply + data * take) for take in takes.tolist()}
    mean = np.sum([held[:, level] * left[take] for level, take in enumerate(takes.tolist())], axis=0)
    found = {}
    for take, share in left.items():
        seen = pairs.data.copy()
        seen[near] = data * share / mean
        found[take] = csr_matrix((seen, pairs.indices, pairs.indptr), shape=pairs.shape)
    return [found[take] for take in takes.tolist()]
