"""What the loop is given: crystal, state, rates at each temperature, and the plan of a run, as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import OUTSIDE, SPECIES, VACANCY
from ucnp_abm.crystal.state import State
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.errors import BadRate
from ucnp_abm.kernels import events
from ucnp_abm.rules.table import RateTable
from ucnp_abm.units import BOLTZMANN

MAX_RATE = 1e30
"""Above this (1/s) something is wrong with the units."""


class Loop(NamedTuple):
    """All that the loop is given, in the order of its arguments."""

    lattice: events.Lattice
    state: events.State
    rates: events.Rates
    plan: events.Plan


def pack_rates(table: RateTable, crystal: Crystal, temperatures: Sequence[float]) -> events.Rates:
    """Rates and bounds for each temperature / K, with `math.exp` as in the loop."""
    kts = [BOLTZMANN * t for t in temperatures]
    energies = [
        events.activation(kind, barrier, step)
        for kind, barrier, step in zip(
            table.kind.tolist(), table.barrier.tolist(), table.site_step.tolist(), strict=True
        )
    ]
    attempts = table.attempt.tolist()
    rate = np.array([[_rate(a, e, kt) for a, e in zip(attempts, energies, strict=True)] for kt in kts])
    fastest = rate if not table.has_pairs else _fastest_with_pairs(table, crystal, kts)
    channels = table.channels
    activity = np.array([1.0, *(c.activity for c in channels)])
    bound = np.zeros((len(kts), 1 + len(channels)))
    for block, end in zip(table.blocks, [*(b.start for b in table.blocks[1:]), table.n_rows], strict=True):
        number = block.where[0] if isinstance(block.where[0], int) else events.HOPS
        top = fastest[:, block.start : end].max(axis=1) * activity[number]
        bound[:, number] = np.maximum(bound[:, number], top)
    if not np.isfinite(bound).all() or bound.max() > MAX_RATE:
        raise BadRate(f"{table.mechanism.name}: a rate exceeds {MAX_RATE:g} /s; check attempt frequencies and energies")
    return events.Rates(
        rate=rate,
        bound=bound,
        kt=np.array(kts),
        hop_row=table.hop_row,
        hop_weight=table.hop_weight,
        hop_counts=table.hop_counts,
        channel_from=np.array([0, *(SPECIES[c.before].code for c in channels)], dtype=np.uint8),
        channel_to=np.array([0, *(SPECIES[c.after].code for c in channels)], dtype=np.uint8),
        channel_row=table.channel_row,
        channel_weight=table.channel_weight,
        channel_counts=table.channel_counts,
        activity=activity,
        kind=table.kind,
        barrier=table.barrier,
        site_step=table.site_step,
        attempt=table.attempt,
        pair=table.pair,
        has_pairs=table.has_pairs,
    )


def _rate(attempt: float, energy: float, kt: float) -> float:
    return attempt * math.exp(-energy / kt) if energy < math.inf else 0.0


def _fastest_with_pairs(table: RateTable, crystal: Crystal, kts: Sequence[float]) -> NDArray[np.float64]:
    """An upper limit of each row's rate over all neighbourhoods: pair sums at their lowest."""
    codes = [*(SPECIES[s].code for s in table.species), VACANCY, OUTSIDE]
    lowest = np.zeros(table.n_rows)
    for block, end in zip(table.blocks, [*(b.start for b in table.blocks[1:]), table.n_rows], strict=True):
        if isinstance(block.where[0], int):
            channel = table.channels[block.where[0] - 1]
            change = table.pair[SPECIES[channel.after].code] - table.pair[SPECIES[channel.before].code]
            least = crystal.z * min(0.0, float(change[codes].min()))
        else:
            change = table.pair[SPECIES[block.where[0]].code] - table.pair[VACANCY]
            least = (crystal.z - 1) * float(change[codes].min() - change[codes].max())
        lowest[block.start : end] = least
    columns = [
        [
            _rate(a, events.activation(kind, barrier, step), kt)
            for a, kind, barrier, step in zip(
                table.attempt.tolist(),
                table.kind.tolist(),
                table.barrier.tolist(),
                (table.site_step + lowest).tolist(),
                strict=True,
            )
        ]
        for kt in kts
    ]
    return np.array(columns)


def pack_state(state: State) -> events.State:
    """The arrays of a state (shared, not copied)."""
    return events.State(**{name: getattr(state, name) for name in events.State._fields})


def pack_lattice(crystal: Crystal) -> events.Lattice:
    """The arrays of a crystal (shared, not copied)."""
    return events.Lattice(**{name: getattr(crystal, name) for name in events.Lattice._fields})


def pack_plan(protocol: Protocol, key: tuple[int, int], scheduler: int) -> events.Plan:
    """Segments of the protocol, the key's rounds, and who chooses the events."""
    conditions = {t: n for n, t in enumerate(protocol.conditions)}
    return events.Plan(
        edges=np.array([*protocol.edges, math.inf]),
        condition=np.array([conditions[t] for t in protocol.temperatures], dtype=np.int64),
        round_keys=events.round_keys(*key),
        scheduler=scheduler,
    )
