"""What the loop is given: crystal, state, rates at each temperature, and the plan of a run, as plain arrays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import SURFACE, Crystal
from ucnp_abm.crystal.species import OUTSIDE, SPECIES, VACANCY
from ucnp_abm.crystal.state import State
from ucnp_abm.engine.schedule import Condition, Schedule
from ucnp_abm.errors import BadRate
from ucnp_abm.kernels import layout
from ucnp_abm.kernels.random_words import round_keys
from ucnp_abm.kernels.rates import activation
from ucnp_abm.rules.table import Block, Channel, RateTable
from ucnp_abm.units import BOLTZMANN

MAX_RATE = 1e30
"""Above this (1/s) something is wrong with the units."""


class Loop(NamedTuple):
    """All that the loop is given, in the order of its arguments."""

    lattice: layout.Lattice
    state: layout.State
    rates: layout.Rates
    plan: layout.Plan
    sums: layout.Sums
    records: layout.Records


def pack_rates(table: RateTable, crystal: Crystal, conditions: Sequence[Condition]) -> layout.Rates:
    """Rates and bounds for each condition, with `math.exp` as in the loop."""
    channels, reservoirs = table.channels, table.reservoirs
    kts = [BOLTZMANN * condition.temperature for condition in conditions]
    assisted, relief = _assistance(table, conditions)
    rate = rates_of(table.kind, table.barrier, table.site_step, table.attempt, kts, assisted, relief)
    fastest = rate if not table.has_pairs else _fastest_with_pairs(table, crystal, kts, assisted, relief)
    bound = np.zeros((len(kts), 1 + len(channels)))
    for block, end in _blocks(table):
        number = block.where[0] if isinstance(block.where[0], int) else layout.HOPS
        bound[:, number] = np.maximum(bound[:, number], fastest[:, block.start : end].max(axis=1))
    factor = np.array(
        [[1.0, *(_factor(table, channel, condition) for channel in channels)] for condition in conditions]
    )
    if not np.isfinite(bound).all() or (bound * factor).max() > MAX_RATE:
        raise BadRate(f"{table.mechanism.name}: a rate exceeds {MAX_RATE:g} /s; check attempt frequencies and energies")
    return layout.Rates(
        rate=rate,
        bound=bound,
        kt=np.array(kts),
        hop_row=table.hop_row.reshape(table.hop_row.shape[0], -1),
        hop_weight=table.hop_weight,
        hop_counts=table.hop_counts,
        hop_map=table.hop_map,
        channel_from=np.array([0, *(SPECIES[c.before].code for c in channels)], dtype=np.uint8),
        channel_to=np.array([0, *(SPECIES[c.after].code for c in channels)], dtype=np.uint8),
        channel_row=table.channel_row,
        channel_weight=table.channel_weight,
        channel_counts=table.channel_counts,
        channel_map=table.channel_map,
        row_of=table.row_of,
        memo_key=np.zeros(0, dtype=np.uint64),
        memo_row=np.zeros(0, dtype=np.uint32),
        span=0,
        factor=factor,
        takes=np.array([-1, *(c.takes for c in channels)], dtype=np.int64),
        gives=np.array([-1, *(c.gives for c in channels)], dtype=np.int64),
        reservoir_size=np.array([math.inf if r.size is None else r.size for r in reservoirs], dtype=np.float64),
        kind=table.kind,
        barrier=table.barrier,
        site_step=table.site_step,
        attempt=table.attempt,
        pair=table.pair,
        has_pairs=table.has_pairs,
        assisted=assisted,
        relief=relief,
    )


def _blocks(table: RateTable) -> Iterable[tuple[Block, int]]:
    """Each block and the row after its last one."""
    return zip(table.blocks, [*(b.start for b in table.blocks[1:]), table.n_rows], strict=True)


def _factor(table: RateTable, channel: Channel, condition: Condition) -> float:
    """What multiplies a channel besides the state of its reservoir: a0, and the drives."""
    if channel.drive >= 0:
        return condition.levels[channel.drive]
    a0 = table.reservoirs[channel.takes].activity if channel.takes >= 0 else 1.0
    drives = zip(table.mechanism.drives, condition.levels, strict=True)
    return a0 * math.prod(drive.factor(channel.verb, level) for drive, level in drives)


def _assistance(table: RateTable, conditions: Sequence[Condition]) -> tuple[NDArray[np.float64], float]:
    """(C, R) recombinations / s⁻¹ that assist each row's hops, and what each lends / eV; exposed vacancies only."""
    number = next((n for n, drive in enumerate(table.mechanism.drives) if drive.assistance), None)
    if number is None:
        return np.zeros((0, 0)), 0.0
    rate, relief = table.mechanism.drives[number].assisted()
    exposed = np.zeros(table.n_rows)
    for block, end in _blocks(table):
        if not isinstance(block.where[0], int) and block.where[2] == SURFACE:
            exposed[block.start : end] = 1.0
    return np.outer([rate * condition.levels[number] for condition in conditions], exposed), relief


def rates_of(
    kind: NDArray[np.uint8],
    barrier: NDArray[np.float64],
    step: NDArray[np.float64],
    attempt: NDArray[np.float64],
    kts: Sequence[float],
    assisted: NDArray[np.float64],
    relief: float,
) -> NDArray[np.float64]:
    """(C, R) rates / s⁻¹ of R rows at C temperatures `kts` / eV, for energy differences `step` / eV."""
    steps = zip(kind.tolist(), barrier.tolist(), step.tolist(), strict=True)
    energies = [activation(each, height, difference) for each, height, difference in steps]
    attempts = attempt.tolist()
    rates = np.array([[_rate(a, e, kt) for a, e in zip(attempts, energies, strict=True)] for kt in kts])
    for c, row in zip(*np.nonzero(assisted), strict=True):
        rates[c, row] += _rate(assisted[c, row], max(energies[row] - relief, 0.0), kts[c])
    return rates


def _rate(attempt: float, energy: float, kt: float) -> float:
    return attempt * math.exp(-energy / kt) if energy < math.inf else 0.0


def _fastest_with_pairs(
    table: RateTable, crystal: Crystal, kts: Sequence[float], assisted: NDArray[np.float64], relief: float
) -> NDArray[np.float64]:
    """An upper limit of each row's rate over all neighbourhoods: pair sums at their lowest."""
    codes = [*(SPECIES[s].code for s in table.species), VACANCY, OUTSIDE]
    lowest = np.zeros(table.n_rows)
    for block, end in _blocks(table):
        if isinstance(block.where[0], int):
            channel = table.channels[block.where[0] - 1]
            change = table.pair[SPECIES[channel.after].code] - table.pair[SPECIES[channel.before].code]
            least = crystal.z * min(0.0, float(change[codes].min()))
        else:
            change = table.pair[SPECIES[block.where[0]].code] - table.pair[VACANCY]
            least = (crystal.z - 1) * float(change[codes].min() - change[codes].max())
        lowest[block.start : end] = least
    return rates_of(table.kind, table.barrier, table.site_step + lowest, table.attempt, kts, assisted, relief)


def pack_state(state: State) -> layout.State:
    """The arrays of a state (shared, not copied)."""
    return layout.State(**{name: getattr(state, name) for name in layout.State._fields})


def pack_lattice(crystal: Crystal) -> layout.Lattice:
    """The arrays of a crystal (shared, not copied)."""
    n = len(crystal.regions)
    approach = ((crystal.bond.astype(np.uint32) * n + crystal.region[:, None]) * n).astype(np.uint32)
    shared = {name: getattr(crystal, name) for name in layout.Lattice._fields if name != "approach"}
    return layout.Lattice(approach=approach, **shared)


def pack_plan(schedule: Schedule, key: tuple[int, int], scheduler: int) -> layout.Plan:
    """Segments of the schedule, the key's rounds, and who chooses the layout."""
    return layout.Plan(
        edges=np.array([*schedule.edges, math.inf]),
        condition=np.array(schedule.segments, dtype=np.int64),
        round_keys=round_keys(*key),
        scheduler=scheduler,
    )


def pack_sums(crystal: Crystal, state: layout.State, rates: layout.Rates, scheduler: int) -> layout.Sums:
    """Room for the trees of all channels, still to be built; none unless the scheduler uses them."""
    used = int(scheduler == layout.SUM_TREE)
    of_vacancies = [n == layout.HOPS or c == layout.VACANCY for n, c in enumerate(rates.channel_from)]
    room, exposed, points = state.vacancies.size, crystal.exposed_sites.size, crystal.place.size
    leaves = np.array([1 << max(0, (room if v else exposed) - 1).bit_length() for v in of_vacancies], dtype=np.int64)
    paths = _paths(crystal)
    most = max(len(row) for row in paths)
    return layout.Sums(
        condition=np.array([-1]),
        reach=np.array([2 if rates.has_pairs or rates.hop_counts.any() else 1]),
        node=np.zeros(used * 2 * int(leaves.sum())),
        root=np.cumsum([0, *(2 * leaves[:-1])], dtype=np.int64),
        leaves=leaves,
        part=np.zeros((used * room, crystal.z)),
        position=np.zeros(used * points, dtype=np.uint32),
        exposed_number=np.zeros(used * points, dtype=np.uint32),
        seen=np.zeros(used * (room + exposed), dtype=np.int64),
        paths=np.array([[*row, *[(0, 0)] * (most - len(row))] for row in paths], dtype=np.uint8).reshape(-1, most, 2),
        n_paths=np.array([len(row) for row in paths]),
        near=np.zeros(crystal.z, dtype=np.uint32),
        weight=np.zeros(rates.hop_weight.shape[0], dtype=np.uint64),
    )


def _paths(crystal: Crystal) -> list[list[tuple[int, int]]]:
    """For each place, two directions to each site that is two bonds away and not one: the first that lead there."""
    others = [[other for _, other, _ in row] for row in crystal.lattice.neighbours]
    offset = {int(b): row.tolist() for b, row in zip(crystal.basis, crystal.offset, strict=True)}
    found = {}
    for b, steps in offset.items():
        ways: dict[int, tuple[int, int]] = {}
        for d, step in enumerate(steps):
            for e, further in enumerate(offset[others[b][d]]):
                ways.setdefault(step + further, (d, e))
        found[b] = [way for reached, way in ways.items() if reached and reached not in steps]
    return [found[int(b)] for b in crystal.basis]


def pack_records(window: int) -> layout.Records:
    """Room for the records of at least so many events, of the one before and of a candidate; a power of two."""
    size = 1 << (window + 1).bit_length() if window else 0
    kinds = {"candidate": np.int64, "time": np.float64, "born": np.float64, "rank": np.int32}
    small = dict.fromkeys(("channel", "direction", "origin"), np.uint8)
    return layout.Records(
        **{name: np.zeros(size, dtype=kinds.get(name, small.get(name, np.uint32))) for name in layout.Records._fields}
    )
