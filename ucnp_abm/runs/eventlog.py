"""The event log of a run: one record of 14 bytes for each event, and what the records mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal import species
from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.engine.timeline import EVENT
from ucnp_abm.errors import DamagedData
from ucnp_abm.rules.table import RateTable

NAME = "events.bin"
RECORD = EVENT
"""Time / s; site number of the vacancy, or of the one-site verb; number of the channel; direction of a hop."""
COLUMNS = ("t_s", "verb", "species", "site", "to_site")
"""Columns of the log as a table."""
_A_READ = 2**16

Row = tuple[float, str, str, int, int]


def channels(table: RateTable) -> list[str]:
    """What the channel numbers mean: 'hop', 'dock Y'."""
    return ["hop", *(f"{channel.verb} {channel.species}" for channel in table.channels)]


def about(table: RateTable) -> dict[str, Any]:
    """The log's format as plain data, for run.json.

    `channels` names the numbers of the channels; `makes` is the occupant that each leaves behind, empty for hops.
    """
    return {
        "dtype": RECORD.descr,
        "channels": channels(table),
        "makes": ["", *(channel.after for channel in table.channels)],
    }


def records(path: Path) -> Iterator[NDArray[np.void]]:
    """The whole records of a log, block by block; also while the run goes on."""
    with path.open("rb") as file:
        while block := file.read(_A_READ * RECORD.itemsize):
            whole = len(block) // RECORD.itemsize
            yield np.frombuffer(block, dtype=RECORD, count=whole)


def rows(
    path: Path, crystal: Crystal, occupants: NDArray[np.uint8], described: Mapping[str, Any]
) -> Iterator[list[Row]]:
    """The log as rows of a table (`COLUMNS`), block by block.

    Parameters
    ----------
    path : Path
    crystal : Crystal
    occupants : (N,) uint8
        Species codes at the start; a hop's record does not say who moved, so the moves are made again.
    described : mapping
        What `about` gave.

    Raises
    ------
    DamagedData
        If a record names a site, channel or direction that is not there.
    """
    held = occupants.tolist()
    bonds = crystal.bonds  # an array: as lists it would take a hundred bytes for each bond
    try:
        names = [("hop", ""), *(tuple(name.split(" ", 1)) for name in described["channels"][1:])]
        makes = [0, *(species.SPECIES[name].code for name in described["makes"][1:])]
        if len(makes) != len(names) or any(len(name) != 2 for name in names):
            raise ValueError("expected a verb, a species and an occupant for each")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DamagedData(f"'{path}' cannot be read: run.json does not say what its channels are ({error})") from error
    for block in records(path):
        bounds = {"site": len(held), "channel": len(names), "direction": crystal.z}
        if any((block[field] >= bound).any() for field, bound in bounds.items()):
            raise DamagedData(f"'{path}' is damaged: a record names what this crystal and mechanism do not have")
        found: list[Row] = []
        targets = bonds[block["site"], block["direction"]].tolist()
        for (t, site, channel, _), to in zip(block.tolist(), targets, strict=True):
            if channel == 0:
                if to < 0 or held[site] != species.VACANCY:
                    raise DamagedData(f"'{path}' is damaged: a record lets a vacancy hop that cannot")
                found.append((t, "hop", species.SYMBOLS[held[to]], site, to))
                held[site], held[to] = held[to], held[site]
            else:
                verb, symbol = names[channel]
                found.append((t, verb, symbol, site, site))
                held[site] = makes[channel]
        yield found
