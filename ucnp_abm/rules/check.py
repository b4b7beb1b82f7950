"""Checks of a rate table that run before every simulation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadRate
from ucnp_abm.rules.table import FILL, HOP, RAW, RateTable

Floats = NDArray[np.float64]


def there_and_back(kind: NDArray[np.uint8], barrier: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Activation energies / eV of reversible events and of their reverses, for energy differences `step` / eV."""
    hop = np.maximum(np.maximum(barrier + step / 2, step), 0.0), np.maximum(np.maximum(barrier - step / 2, -step), 0.0)
    rise = np.where(kind == FILL, step, -step)
    top = np.maximum(np.maximum(barrier, rise), 0.0)
    fill = np.where(kind == FILL, top, top - rise), np.where(kind == FILL, top - rise, top)
    return np.where(kind == HOP, hop[0], fill[0]), np.where(kind == HOP, hop[1], fill[1])


def check(table: RateTable) -> None:
    """Refuse a table that could not drive a run, or that breaks detailed balance without saying so.

    Raises
    ------
    BadRate
        With the environment of the first bad row.
    """
    name = table.mechanism.name
    usable = np.isfinite(table.barrier)
    if not usable[1:].any():
        raise BadRate(f"{name}: nothing can happen in this crystal; no rule fits the ions that it holds")
    bad = ~np.isfinite(table.site_step) | (table.barrier < 0)
    forward, backward = there_and_back(table.kind, np.where(usable, table.barrier, 0.0), table.site_step)
    unbalanced = np.abs(forward - backward - table.site_step) > 1e-12 * np.maximum(1.0, np.abs(table.site_step))
    bad |= usable & (table.kind != RAW) & (unbalanced | (forward < 0) | (backward < 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise BadRate(f"{name}: row {row} {table.block_of(row).where} has no usable energy or breaks detailed balance")
