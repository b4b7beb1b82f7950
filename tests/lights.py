"""Networks drawn up by hand, so that their answers are known before any code of ours runs."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix

from ucnp_abm.photons.network import Network


def by_hand(
    hops: ArrayLike,
    radiated: ArrayLike = 600.0,
    vacancies: ArrayLike = 0.0,
    surface: ArrayLike = 0.0,
    activators: ArrayLike = 0.0,
    nonradiative: ArrayLike = 0.0,
    weight: ArrayLike = 1.0,
    start: ArrayLike | None = None,
) -> Network:
    """A network with one quencher of each kind (or several, given as columns); carriers stand on a line, 1 nm apart.

    hops : (n, n) rates / 1/s; the others (n,) or, of quenchers, (n, m) rates / 1/s.
    """
    rates = np.asarray(hops, dtype=float)
    n = len(rates)

    def each(values: ArrayLike) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, dtype=float), n).copy()

    def ends(values: ArrayLike) -> csr_matrix:
        given = np.asarray(values, dtype=float)
        return csr_matrix(given if given.ndim == 2 else each(given)[:, None])

    sinks = {"vacancies": ends(vacancies), "surface": ends(surface), "activators": ends(activators)}
    line = np.arange(n)[:, None] * np.array([[10.0, 0.0, 0.0]])
    return Network(
        symbols=np.full(n, "Yb"),
        positions=line,
        sites=np.arange(n),
        hops=csr_matrix(rates),
        weight=each(weight),
        radiated=each(radiated),
        nonradiative=each(nonradiative),
        **sinks,
        ends={name: np.zeros((found.shape[1], 3)) for name, found in sinks.items()},
        start=np.full(n, 1 / n) if start is None else np.asarray(start, dtype=float),
    )


def random_network(seed: int, n: int | None = None, speed: float = 1.0) -> Network:
    """Sparse random hops that obey detailed balance for random weights, and random ends of every kind.

    All rates lie within a few powers of ten around 1000 1/s; hops are multiplied by `speed`.
    """
    draw = np.random.default_rng([seed, 20])
    n = int(draw.integers(3, 40)) if n is None else n
    weight = np.exp(draw.normal(size=n)) if seed % 2 else np.ones(n)
    bare = np.exp(draw.normal(8, 2, size=(n, n))) * (draw.random((n, n)) < 0.4)
    flows = np.triu(bare, 1) + np.triu(bare, 1).T
    quench = np.exp(draw.normal(5, 2, size=(n, 3))) * (draw.random((n, 3)) < 0.3)
    start = draw.random(n) * (draw.random(n) < 0.7)
    return by_hand(
        speed * flows / weight[:, None],
        radiated=600.0,
        nonradiative=draw.random(n) * 50,
        vacancies=quench,
        surface=np.exp(draw.normal(5, 1, size=n)),
        activators=np.exp(draw.normal(4, 2, size=n)),
        weight=weight,
        start=None if start.sum() == 0 else start / start.sum(),
    )
