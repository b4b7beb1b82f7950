"""Checks of a rate table that run before every simulation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.errors import BadMechanism, BadRate
from ucnp_abm.rules.law import name_of
from ucnp_abm.rules.ruleset import SiteRule
from ucnp_abm.rules.table import FILL, HOP, RAW, RateTable

Floats = NDArray[np.float64]


def there_and_back(kind: NDArray[np.uint8], barrier: Floats, step: Floats) -> tuple[Floats, Floats]:
    """Activation energies / eV of reversible events and of their reverses, for energy differences `step` / eV."""
    hop = np.maximum(np.maximum(barrier + step / 2, step), 0.0), np.maximum(np.maximum(barrier - step / 2, -step), 0.0)
    rise = np.where(kind == FILL, step, -step)
    top = np.maximum(np.maximum(barrier, rise), 0.0)
    fill = np.where(kind == FILL, top, top - rise), np.where(kind == FILL, top - rise, top)
    return np.where(kind == HOP, hop[0], fill[0]), np.where(kind == HOP, hop[1], fill[1])


def check_potentials(name: str, rules: Iterable[SiteRule]) -> None:
    """Refuse chemical potentials that contradict each other: around a closed cycle they must add up to zero.

    The occupants are the nodes of a graph, each reversible rule an edge with its potential / eV.

    Raises
    ------
    BadMechanism
        With the rule that closes a cycle which would drive itself.
    """
    level: dict[str, tuple[int, float]] = {}  # connected part and potential of each occupant
    for number, rule in enumerate(rule for rule in rules if not rule.irreversible):
        part, below = level.setdefault(rule.before, (2 * number, 0.0))
        other, above = level.setdefault(rule.after, (2 * number + 1, 0.0))
        shift = below + rule.potential - above
        if part == other and abs(shift) > 1e-9:
            raise BadMechanism(
                f"{name}: the chemical potential of {rule.verb} {rule.before} -> {rule.after} contradicts the other "
                f"rules by {shift:g} eV, so that a cycle would drive itself; mend it, or declare a rule irreversible"
            )
        if part != other:
            level = {s: (part, v + shift) if p == other else (p, v) for s, (p, v) in level.items()}


def check(table: RateTable) -> None:
    """Refuse a table that could not drive a run, or that breaks detailed balance without saying so.

    Raises
    ------
    BadRate
        With the environment of the first bad row.
    BadMechanism
        If chemical potentials contradict each other.
    """
    name = table.mechanism.name
    check_potentials(name, table.mechanism.active_site_rules())
    usable = np.isfinite(table.barrier)
    if not usable[1:].any():
        laws = ", ".join(f"'{name_of(law)}'" for law in dict.fromkeys(block.rule.law for block in table.blocks))
        why = f"the laws {laws} forbid every event" if laws else "no rule fits the ions that it holds"
        raise BadRate(f"{name}: nothing can happen in this crystal; {why}")
    bad = ~np.isfinite(table.site_step) | (table.barrier < 0)
    forward, backward = there_and_back(table.kind, np.where(usable, table.barrier, 0.0), table.site_step)
    unbalanced = np.abs(forward - backward - table.site_step) > 1e-12 * np.maximum(1.0, np.abs(table.site_step))
    bad |= usable & (table.kind != RAW) & (unbalanced | (forward < 0) | (backward < 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise BadRate(f"{name}: row {row} {table.block_of(row).where} has no usable energy or breaks detailed balance")
