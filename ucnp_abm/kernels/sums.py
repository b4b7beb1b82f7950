"""Sums of r⁻⁶ over all partners of each point: one by one nearby, by clusters far away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ucnp_abm.kernels.compiling import compiled, helper, text_of_all


@helper
def clustered_plain(points: Any, others: Any, first: Any, centres: Any, far: float, found: Any) -> None:
    """Add up r⁻⁶ / Å⁻⁶ at each point.

    Parameters
    ----------
    points : (n, 3) float64
    others : (m, 3) float64
        Å, sorted by cluster.
    first : (c + 1,) int64
        Where each cluster begins in `others`.
    centres : (c, 3) float64
        Means of the clusters / Å.
    far : float
        Distance / Å from which on a cluster counts as if all of it stood at its centre.
    found : (n,) float64
        The sums, filled in.
    """
    for i in range(points.shape[0]):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        total = 0.0
        for c in range(centres.shape[0]):
            dx, dy, dz = centres[c, 0] - x, centres[c, 1] - y, centres[c, 2] - z
            square = dx * dx + dy * dy + dz * dz
            if square > far * far:
                total += (first[c + 1] - first[c]) / (square * square * square)
            else:
                for j in range(first[c], first[c + 1]):
                    dx, dy, dz = others[j, 0] - x, others[j, 1] - y, others[j, 2] - z
                    square = dx * dx + dy * dy + dz * dz
                    if square > 1e-12:
                        total += 1.0 / (square * square * square)
        found[i] = total


def _loop(text: str) -> Callable[..., Any]:
    @compiled
    def clustered(points, others, first, centres, far, found):  # type: ignore[no-untyped-def]
        text  # noqa: B018
        clustered_plain(points, others, first, centres, far, found)

    return clustered


clustered = _loop(text_of_all())
