"""Extended XYZ: snapshots as ASE and OVITO read them, with our colours and Shannon radii.

Format: https://github.com/libAtoms/extxyz. The columns `color` and `radius` are those that OVITO takes for its own.
"""

from __future__ import annotations

import itertools
import math
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.errors import BadInput
from ucnp_abm.runs import rundir
from ucnp_abm.runs.trajectory import Trajectory
from ucnp_abm.viz import style

VACANCY_SYMBOL = "X"
VACANCY_RADIUS = 0.3
"""Å."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment.

    Attributes
    ----------
    step, time : float
        Steps and s passed; the time is nan where it was not recorded.
    occupants : (N,) uint8
        Species code on each site.
    """

    step: float
    time: float
    occupants: NDArray[np.uint8]


def frames_of(trajectory: Trajectory) -> list[Frame]:
    """The snapshots of a trajectory, in order."""
    return [Frame(step, trajectory.times[step], held) for step, held in sorted(trajectory.snapshots.items())]


def frames_in(directory: Path, crystal: Crystal) -> Iterator[Frame]:
    """The snapshots of a run directory, in order, each read when it is asked for; also while the run goes on.

    Parameters
    ----------
    directory : Path
    crystal : Crystal
        That of the run, built again from its recipe and seed.

    Raises
    ------
    BadInput
        If there are no snapshots, they cannot be read, or they are of another crystal.
    """
    places = directory / rundir.SITES
    if not places.is_file():
        raise BadInput(f"export: '{directory}' holds no snapshots; run again with snapshots")
    points = _arrays(places, "r_A")[0]
    if points.shape != crystal.points.shape or not np.allclose(points, crystal.points, rtol=0, atol=1e-6):
        raise BadInput(f"export: '{places}' is of another crystal: its {len(points)} sites stand elsewhere")
    return _frames(directory)


def _frames(directory: Path) -> Iterator[Frame]:
    for number in itertools.count():
        source = directory / rundir.snapshot_name(number)
        if not source.is_file():
            return
        step, seconds, held = _arrays(source, "step", "t_s", "species")
        yield Frame(float(step), float(seconds), held)


def _arrays(source: Path, *names: str) -> list[NDArray[Any]]:
    try:
        with source.open("rb") as stored, np.load(stored, allow_pickle=False) as file:
            return [file[name] for name in names]
    except (OSError, KeyError, ValueError, TypeError, EOFError, zlib.error, BadZipFile) as error:
        raise BadInput(f"export: cannot read '{source}' ({error})") from error


def write_extxyz(path: Path, crystal: Crystal, frames: Iterable[Frame]) -> Path:
    """Write one frame for each snapshot; an existing file is replaced when the new one is complete.

    Columns: species, pos / Å, layer and zone (numbers; their names stand in the comment line), color (0 to 1), radius /
    Å (Shannon, coordination 8). A vacancy is an 'X', ASE's symbol for no atom, small and black. Voids are left out, so
    frames may differ in length. A particle has no cell and is not periodic; a box has its cell vectors.

    Parameters
    ----------
    path : Path
    crystal : Crystal
    frames : iterable of Frame
        From `frames_of` or `frames_in`.

    Raises
    ------
    BadInput
        If there is no frame, a frame does not fit the crystal, or the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    places = [
        f"{x:.8f} {y:.8f} {z:.8f} {layer} {zone}"
        for (x, y, z), layer, zone in zip(crystal.points.tolist(), crystal.layer, crystal.site_zone, strict=True)
    ]
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            empty = True
            for frame in frames:
                empty = False
                file.writelines(_lines(crystal, places, frame))
        if empty:
            raise BadInput("export: there are no snapshots; run again with snapshots")
        os.replace(partial, path)
    except OSError as error:
        raise BadInput(f"export: cannot write '{path}' ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)
    return path


def _lines(crystal: Crystal, places: Sequence[str], frame: Frame) -> Iterator[str]:
    held = np.asarray(frame.occupants)
    if held.shape != (crystal.n_sites,) or not set(np.unique(held).tolist()) <= SYMBOLS.keys():
        raise BadInput(
            f"export: step {frame.step:g}: expected {crystal.n_sites} species codes, one for each site, got an array "
            f"of shape {held.shape}"
        )
    there = np.flatnonzero(held != VOID)
    looks = {number: _look(number) for number in np.unique(held[there]).tolist()}
    yield f"{there.size}\n{_comment(crystal, frame)}\n"
    for site, number in zip(there.tolist(), held[there].tolist(), strict=True):
        symbol, look = looks[number]
        yield f"{symbol} {places[site]} {look}\n"


def _comment(crystal: Crystal, frame: Frame) -> str:
    words = []
    if crystal.periodic:
        cell = crystal.cells[:, None] * np.array(crystal.lattice.cell)
        words.append('Lattice="' + " ".join(f"{v:.8f}" for v in cell.ravel()) + '"')
    words += [
        "Properties=species:S:1:pos:R:3:layer:I:1:zone:I:1:color:R:3:radius:R:1",
        'pbc="T T T"' if crystal.periodic else 'pbc="F F F"',
        f"step={float(frame.step)!r}",
    ]
    if not math.isnan(frame.time):
        words.append(f"t_s={float(frame.time)!r}")
    words += [f'layers="{", ".join(crystal.layers)}"', f'zones="{", ".join(crystal.zones)}"']
    return " ".join(words)


def _look(number: int) -> tuple[str, str]:
    """Symbol, and color and radius / Å as text, of a species code."""
    symbol, radius = SYMBOLS[number], SPECIES[SYMBOLS[number]].radius_viii
    colour = style.SPECIES_COLOURS.get(symbol, style.OTHER_SPECIES)
    if number == VACANCY:
        symbol, colour, radius = VACANCY_SYMBOL, style.VACANCY_COLOUR, VACANCY_RADIUS
    shares = " ".join(f"{int(colour[n : n + 2], 16) / 255:.6f}" for n in (1, 3, 5))
    return symbol, f"{shares} {radius:.4f}"
