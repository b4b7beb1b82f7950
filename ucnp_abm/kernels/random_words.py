"""Random numbers by counter: Philox4x64-10 (Salmon et al., SC11, doi:10.1145/2063384.2063405).

Candidate *n* = 1, 2, … owns the four words ``numpy.random.Philox(key=KEY, counter=n - 1).random_raw(4)``: pool,
member and direction, acceptance, waiting time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ucnp_abm.kernels.compiling import helper, multiply
from ucnp_abm.kernels.layout import ZERO, UInt64s

Words = tuple[Any, Any, Any, Any]

U11 = np.uint64(11)
M0, M1 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)


@helper
def words(n: int, round_keys: UInt64s) -> Words:
    """Four random words of candidate n."""
    c0, c1, c2, c3 = np.uint64(n), ZERO, ZERO, ZERO
    for r in range(10):
        h0, l0 = multiply(M0, c0)
        h1, l1 = multiply(M1, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ round_keys[r, 0], l1, h0 ^ c3 ^ round_keys[r, 1], l0
    return c0, c1, c2, c3


def round_keys(low: int, high: int) -> UInt64s:
    """The key of each of the ten rounds, shape (10, 2): the key schedule, drawn up once."""
    weyl, mask = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B), 2**64 - 1
    return np.array([[(low + r * weyl[0]) & mask, (high + r * weyl[1]) & mask] for r in range(10)], dtype=np.uint64)


@helper
def unit(word: Any) -> float:
    """The word as a float in [0, 1)."""
    return float(word >> U11) * 1.1102230246251565e-16


@helper
def hazard(word: Any) -> float:
    """The hazard to wait for: exponentially distributed with mean 1."""
    return -math.log(1.0 - unit(word))
