"""The directory that `ucnp-abm light --out` writes: figures, light.json and CSV files, as a whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ucnp_abm.runs.trajectory import whole_directory
from ucnp_abm.study.report.tables import write_csv
from ucnp_abm.study.shine import tables as shine_tables
from ucnp_abm.study.shine.moments import Moment


def write_report(
    source: str,
    moments: Sequence[Moment],
    chosen: Moment,
    directory: Path,
    slopes: bool = False,
    origin: Mapping[str, Any] | None = None,
) -> list[str]:
    """Write the directory; returns the names of its files.

    Parameters
    ----------
    source, moments, chosen, slopes, origin
        As for `shine_tables.data`.
    directory : Path

    Without light there are no spectrum and no decays, without Yb no map: light.json says why.

    Raises
    ------
    BadInput
        If it exists or cannot be made.
    """
    with whole_directory(directory) as partial:
        _files(shine_tables.data(source, moments, chosen, slopes, origin), moments, chosen, partial)
    return sorted(file.name for file in directory.iterdir())


def _files(told: Mapping[str, Any], moments: Sequence[Moment], chosen: Moment, out: Path) -> None:
    from ucnp_abm.viz import ends, figures
    from ucnp_abm.viz import light as drawn

    content = json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False)
    (out / "light.json").write_text(content + "\n", encoding="utf-8")
    write_csv(out / "courses.csv", shine_tables.rows(moments))
    first, title = moments[0], chosen.label
    conditions = _conditions(chosen)
    if chosen.transitions():
        write_csv(out / "spectrum.csv", shine_tables.spectrum([first] if first is chosen else [first, chosen]))
        seen = {title: chosen.light} if first is chosen else {first.label: first.light, title: chosen.light}
        figures.save(drawn.spectrum(seen, conditions), out / "spectrum")
    if curves := shine_tables.decays(chosen):
        write_csv(out / "decays.csv", curves)
        figures.save(drawn.decays(chosen.light, conditions), out / "decays")
    if not chosen.lacks("Yb"):
        figures.save(ends.ends(chosen.light, conditions, shine_tables.words(chosen)), out / "ends")
    if len(moments) > 2:
        figures.save(drawn.courses(shine_tables.rows(moments), conditions.partition(", ")[2]), out / "courses")


def _conditions(chosen: Moment) -> str:
    """Moment, rate set, pump and solvent, as figures say them."""
    optics = chosen.light.optics
    solvent = f"{optics.density * 100:g} quenchers/nm²" if optics.surface_density is not None else optics.solvent
    return f"{chosen.label}, {optics.set.name}, {optics.intensity:g} W/cm² at 980 nm, {solvent}"
