"""A tape: a crystal at one moment and every event after it, as few bytes, for the page to tell both ways."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np

import ucnp_abm
from ucnp_abm.crystal.species import RE, SPECIES
from ucnp_abm.engine.chronicle import Chronicle
from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.replay.crystal import Arrays, described, own_ions

MOST_EVENTS = 1_000_000
"""More would make files that no browser likes to open; as many as a chronicle keeps in full."""
_PIECE = 50_000
_NAMES = {"uint8": "u1", "uint16": "u2", "uint32": "u4", "int8": "i1", "float32": "f4", "float64": "f8"}


def record(
    simulation: Simulation,
    end: float,
    show: Callable[[Chronicle], object] = lambda chronicle: None,
    most: int | None = None,
) -> bytes:
    """The events of a simulation from the beginning of its known past up to a time, as a tape.

    The simulation stays as it is.

    Parameters
    ----------
    simulation : Simulation
    end : float
        Time / s.
    show : callable
        Told the chronicle after each piece.
    most : int or None
        Only so many events.

    Returns
    -------
    bytes
        Deflated: the length of a text (uint32, little-endian), the text (JSON), and the arrays that it lists. Times are
        kept as the waits between events with 24 bits: good to seven digits.

    Raises
    ------
    BadInput
        If there are more events than a page can hold.
    """
    chronicle = Chronicle(simulation)
    last = chronicle.first + (MOST_EVENTS + 1 if most is None else min(most, MOST_EVENTS))
    while chronicle.last < last:
        goal = min(chronicle.last + _PIECE, last)
        chronicle.tell(event=goal, time=end)
        show(chronicle)
        if chronicle.last < goal:
            break  # the end has come, or nothing more can happen
    if chronicle.last - chronicle.first > MOST_EVENTS:
        raise BadInput(
            f"movie: there are more than {MOST_EVENTS:,} events up to {chronicle.time:.4g} s, and no page holds "
            "more; take the first of them (--events), or make an MP4"
        )
    begin = simulation.branch()
    begin.goto(event=chronicle.first)
    about, arrays = _told(simulation, begin, chronicle)
    about["knots"] = _knots(simulation, min(end, chronicle.time))
    about["arrays"] = [[name, _NAMES[array.dtype.name], array.size] for name, array in arrays.items()]
    text = json.dumps(about, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    columns = b"".join(
        np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes() for array in arrays.values()
    )
    return zlib.compress(struct.pack("<I", len(text)) + text + columns, 9)


def _told(simulation: Simulation, begin: Simulation, chronicle: Chronicle) -> tuple[dict[str, Any], Arrays]:
    crystal, events = begin.crystal, chronicle.told(chronicle.first)
    about, arrays = described(simulation)
    outline = chronicle.outline(2)[0]
    sites = np.uint16 if crystal.n_sites <= 2**16 else np.uint32
    times = np.concatenate([[begin.time], events["t_s"]])
    outside = np.diff(events["outside"].astype(np.int64), prepend=int(outline["outside"]))
    # Columns one after the other deflate better than rows.
    arrays |= {
        "start": begin.state.species[crystal.sites],
        "site": events["site"].astype(sites),
        "to": events["to"].astype(sites),
        "channel": events["channel"],
        "wait": np.diff(times).astype(np.float32),
        "outside": outside.astype(np.int8),
    }
    words = {
        "version": ucnp_abm.__version__,
        "badge": "movie",
        "title": f"{simulation.mechanism.name} · {simulation.protocol} · seed {simulation.seed}",
        "name": simulation.mechanism.name,
        "digest": begin.digest(),
        "crystal": about,
        "channels": _channels(simulation),
        "metals": [SPECIES[symbol].code for symbol in RE],
        "core": None if crystal.periodic else own_ions(begin),
        "begin": {"event": chronicle.first, "t_s": begin.time, "outside": int(outline["outside"])},
        "about": _about(simulation, chronicle),
    }
    return words, arrays


def _channels(simulation: Simulation) -> list[dict[str, Any]]:
    """What the numbers of the channels mean: who is taken away, who is put there, and who gives it the name."""
    hop = {"hop": True, "verb": "hop"}
    others = [
        {
            "hop": False,
            "verb": channel.verb,
            "takes": SPECIES[channel.before].code,
            "makes": SPECIES[channel.after].code,
            "ion": SPECIES[channel.species].code,
        }
        for channel in simulation.table.channels
    ]
    return [hop, *others]


def _knots(simulation: Simulation, end: float) -> list[list[float]]:
    """(time / s, steps) between which steps pass evenly."""
    protocol, z = simulation.protocol, simulation.crystal.z
    times = sorted({0.0, *(edge for edge in protocol.edges if edge < end), end})
    return [[time, protocol.steps(time, z)] for time in times]


def _about(simulation: Simulation, chronicle: Chronicle) -> list[str]:
    n = chronicle.last - chronicle.first
    return [
        f"A recording of {n:,} events of ucnp-abm {ucnp_abm.__version__}: every event of the mechanism "
        f"{simulation.mechanism.name}, forwards and backwards, without Python and without a network.",
        "Rates, rules and breakpoints need the engine: ucnp-abm debug.",
        f"Rate table {simulation.table.fingerprint()[:16]}, seed {simulation.seed}.",
    ]
