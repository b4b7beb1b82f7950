"""Pair sums: r⁻⁶ between two sets of points, within a cutoff, as a sparse matrix; periodic images included."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from ucnp_abm.kernels.sums import clustered

CUTOFF = 20.0
"""Distance / Å beyond which pairs are left out, where there are many."""
FEW_PAIRS = 4_000_000
"""Up to so many pairs all are taken, whatever their distance."""

Points = NDArray[np.float64]


def inverse_sixth(
    points: Points, others: Points, cutoff: float | None = None, cell: Points | None = None
) -> csr_matrix:
    """r⁻⁶ / Å⁻⁶ between points (rows) and others (columns); a point and itself count nothing.

    Parameters
    ----------
    points : (n, 3) float64
    others : (m, 3) float64
        Positions / Å.
    cutoff : float or None
        Distance / Å. None: 20 Å, or all pairs of a finite particle if these are at most four million.
    cell : (3, 3) float64 or None
        Vectors / Å of a periodic box; all images within the cutoff are added up.

    Returns
    -------
    scipy.sparse.csr_matrix
        Shape (n, m).

    Examples
    --------
    >>> inverse_sixth(np.zeros((1, 3)), np.array([[0.0, 0, 2], [0, 0, 0]])).toarray()
    array([[0.015625, 0.      ]])
    """
    shape = (len(points), len(others))
    if 0 in shape:
        return csr_matrix(shape)
    if cell is None and (cutoff == math.inf or (cutoff is None and shape[0] * shape[1] <= FEW_PAIRS)):
        squares = cdist(points, others, "sqeuclidean")
        squares[squares < 1e-12] = math.inf
        return csr_matrix(squares**-3)
    reach = CUTOFF if cutoff is None else cutoff
    images, owner = (others, np.arange(shape[1])) if cell is None else _images(points, others, reach, cell)
    near = cKDTree(points).sparse_distance_matrix(cKDTree(images), reach, output_type="coo_matrix")
    apart = near.data > 1e-6
    entries = (near.data[apart] ** -6, (near.row[apart], owner[near.col[apart]]))
    return coo_matrix(entries, shape=shape).tocsr()


def total(points: Points, others: Points) -> NDArray[np.float64]:
    """Sum of r⁻⁶ / Å⁻⁶ over all others, whatever their distance; shape (n,).

    Partners more than 30 Å away are taken in cubes of 6 Å, each at its mean position: at least 95 % of what they add,
    for an evenly filled cube at a distance r loses (5/4) (6 Å / r)².
    """
    cubes, cluster = np.unique(np.floor(others / 6.0).astype(np.int64), axis=0, return_inverse=True)
    cluster = cluster.ravel()
    first = np.searchsorted(np.sort(cluster), np.arange(len(cubes) + 1))
    others = np.ascontiguousarray(others[np.argsort(cluster, kind="stable")])
    centres = np.add.reduceat(others, first[:-1]) / np.diff(first)[:, None] if len(cubes) else np.empty((0, 3))
    found = np.zeros(len(points))
    clustered(np.ascontiguousarray(points), others, first, centres, 30.0, found)
    return found


def truncation(density: float, cutoff: float, inside: float) -> float:
    """What a cutoff leaves out of a sum of r⁻⁶, relative to what it holds.

    Beyond the cutoff a uniform medium adds 4 pi density / (3 cutoff³): an upper bound in a finite particle.

    Parameters
    ----------
    density : float
        Partners / Å⁻³.
    cutoff : float
        Å.
    inside : float
        Mean sum of r⁻⁶ / Å⁻⁶ within the cutoff.
    """
    return 4 * math.pi * density / (3 * cutoff**3) / inside if inside > 0 and math.isfinite(cutoff) else 0.0


def _images(points: Points, others: Points, reach: float, cell: Points) -> tuple[Points, NDArray[np.int64]]:
    """The others and their periodic images that lie within reach of the box around the points."""
    heights = 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)  # distances between opposite faces
    around = [range(-n, n + 1) for n in (np.ceil(reach / heights).astype(int) + 1).tolist()]
    low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
    found, owner = [], []
    for steps in itertools.product(*around):
        moved = others + np.array(steps) @ cell
        kept = np.flatnonzero(((moved >= low) & (moved <= high)).all(axis=1))
        found.append(moved[kept])
        owner.append(kept)
    return np.concatenate(found), np.concatenate(owner)
