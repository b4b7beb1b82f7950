"""Laws called live: for the candidates that are about to come, and compared with the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ucnp_abm.engine.moves import Move
from ucnp_abm.engine.pack import Loop, pack_state
from ucnp_abm.errors import LiveMismatch
from ucnp_abm.kernels import events, layout
from ucnp_abm.kernels.choose import UNKNOWN
from ucnp_abm.rules.table import RateTable

if TYPE_CHECKING:
    from ucnp_abm.engine.simulation import Simulation


def check_ahead(simulation: Simulation, until: float) -> None:
    """Call the laws of all candidates up to the next event, and leave everything as it is.

    Raises
    ------
    LiveMismatch
        If one disagrees with the table.
    """
    ahead = simulation._loop._replace(state=pack_state(simulation.state.copy()))
    ahead.sums.condition[0] = -1
    status = layout.NOTHING_LEFT if simulation._stuck() else layout.NULL_CANDIDATE
    while status in (layout.NULL_CANDIDATE, layout.ROW_WANTED):
        status, m, channel, i, d = next_candidate(ahead, until, simulation.interpreted)
        if status == layout.ROW_WANTED:
            simulation._know(channel, i, d)
            ahead = ahead._replace(rates=simulation._loop.rates)
        if status in (layout.FOUND, layout.NULL_CANDIDATE):
            condition = int(simulation._loop.plan.condition[m])
            check_live(simulation.table, simulation.move(channel, i, d, condition))
    ahead.sums.condition[0] = -1


def next_candidate(loop: Loop, until: float, interpreted: bool) -> tuple[int, int, int, int, int]:
    """Consume one candidate and leave the crystal as it is: status, segment, channel, grid point, direction."""
    found = events.propose(*loop[:-1], 0, UNKNOWN, until) if interpreted else events.consume(*loop[:-1], until)
    status, m, _, channel, _, i, d = found
    return int(status), int(m), int(channel), int(i), int(d)


def check_live(table: RateTable, move: Move) -> None:
    """Call the law for a move and compare with the table.

    Raises
    ------
    LiveMismatch
        If they differ.
    """
    if move.rule is None or move.environment is None:
        return
    value = table.law_value(move.rule, move.environment)
    if value != move.barrier:
        raise LiveMismatch(
            f"{table.mechanism.name}: {move.source} says {value!r} eV for a {move.environment!r}, "
            f"but row {move.row} of the table holds {move.barrier!r} eV"
        )
