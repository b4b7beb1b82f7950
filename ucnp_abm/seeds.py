"""One seed, children by purpose: the same seed gives independent streams to crystal, vacancies and events."""

from __future__ import annotations

import zlib

import numpy as np

from ucnp_abm.errors import BadInput, shown

MOST = 2**128
"""Seeds lie below it: run.json holds them as digits."""


def _sequence(seed: int, purpose: str) -> np.random.SeedSequence:
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < MOST:
        raise BadInput(f"seed: expected a whole number from 0 to 2^128 - 1, got {shown(seed)}")
    return np.random.SeedSequence([int(seed), zlib.crc32(purpose.encode())])


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A generator for building things (never for events)."""
    return np.random.default_rng(_sequence(seed, purpose))


def philox_key(seed: int, purpose: str = "events") -> tuple[int, int]:
    """The 128-bit key, as two words, under which every candidate event draws its random words."""
    low, high = _sequence(seed, purpose).generate_state(2, np.uint64)
    return int(low), int(high)
