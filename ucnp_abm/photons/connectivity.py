"""Whether what is joined leads across the whole crystal: from end to end of a particle, or round a periodic box."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

Floats = NDArray[np.float64]


def wrapped(places: Floats, pairs: NDArray[np.int64], cell: Floats) -> NDArray[np.bool_]:
    """(3,) whether a component of a periodic box leads to its own image along each of the box's vectors.

    Parameters
    ----------
    places : (n, 3) float64
        Å.
    pairs : (m, 2) int64
        Who is joined to whom, by way of the nearest image.
    cell : (3, 3) float64
        Vectors / Å.
    """
    n = len(places)
    if not len(pairs):
        return np.zeros(3, dtype=bool)
    fractions = places @ np.linalg.inv(cell)
    images = -np.rint(fractions[pairs[:, 1]] - fractions[pairs[:, 0]]).astype(np.int64)
    both = np.concatenate([pairs, pairs[:, ::-1]])
    steps = np.concatenate([images, -images])
    joined = csr_matrix((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n, n))
    lookup = {(a, b): step for (a, b), step in zip(both.tolist(), steps.tolist(), strict=True)}
    box, seen = np.zeros((n, 3), dtype=np.int64), np.zeros(n, dtype=bool)
    for root in range(n):
        if seen[root]:
            continue
        order, before = breadth_first_order(joined, root, directed=False)
        seen[order] = True
        for node in order[1:].tolist():
            box[node] = box[before[node]] + lookup[int(before[node]), node]
    return np.asarray((box[pairs[:, 0]] + images != box[pairs[:, 1]]).any(axis=0))


def spanned(places: Floats, pairs: NDArray[np.int64], longest: float) -> NDArray[np.bool_]:
    """(3,) whether a component of more than one comes within a length / Å of both ends, along x, y and z.

    Parameters
    ----------
    places : (n, 3) float64
        Å.
    pairs : (m, 2) int64
        Who is joined to whom.
    longest : float
    """
    found = np.zeros(3, dtype=bool)
    n = len(places)
    if n < 2:
        return found
    low, high = places.min(axis=0) + longest, places.max(axis=0) - longest
    joined = csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    count, part = connected_components(joined, directed=False)
    for each in range(count):
        here = places[part == each]
        found |= (here.min(axis=0) <= low) & (here.max(axis=0) >= high) & (len(here) > 1)
    return found
