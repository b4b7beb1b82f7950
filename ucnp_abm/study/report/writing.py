"""The report of a study: one HTML page, figures for journals with the points they show, tables, methods, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ucnp_abm.runs import disk
from ucnp_abm.runs.journal import json_bytes
from ucnp_abm.runs.trajectory import whole_directory
from ucnp_abm.study.axes import ONE_AT_A_TIME
from ucnp_abm.study.outcome import StudyResult
from ucnp_abm.study.report import conclusions, findings, methods, pictures, summary, tables, warnings
from ucnp_abm.study.report.kept import KEY, PAGE, PROVENANCE, report_key
from ucnp_abm.study.report.page import Section, write_page
from ucnp_abm.study.store import StudyDirectory

FIGURES = "figures"
Saved = list[tuple[Path, str]]
"""PNG file and caption."""


def write_report(result: StudyResult, directory: Path) -> Path:
    """Write the directory as a whole or not at all; see `StudyResult.report`.

    Raises
    ------
    BadInput
        If it exists or cannot be made.
    """
    with whole_directory(directory) as partial:
        write_files(result, partial)
    return directory


def write_files(result: StudyResult, out: Path, differences: bool = True) -> None:
    """Everything, into a directory that exists.

    Parameters
    ----------
    result : StudyResult
    out : Path
    differences : bool
        Whether the figure of a single setting shows them below the time courses.
    """
    (out / FIGURES).mkdir()
    rows, runs = result.rows, list(summary.runs(result))
    tables.write_csv(out / "table.csv", rows)
    tables.write_csv(out / "runs.csv", runs)
    if find_spec("pyarrow"):
        tables.write_parquet(out / "table.parquet", rows)
        tables.write_parquet(out / "runs.parquet", runs)
    (out / "methods.md").write_text("\n\n".join(methods.paragraphs(result)) + "\n", encoding="utf-8")
    (out / "references.bib").write_text(methods.bibtex(result), encoding="utf-8")
    about = {**conclusions.provenance(result), KEY: report_key(result)}
    disk.put(out / PROVENANCE, json_bytes(about), flush=False)
    sections = _sections(result, out / FIGURES, differences)
    shown = result.comparisons[result.shown]
    write_page(
        out / PAGE,
        title=result.study.question or findings.title(shown),
        finding=result.finding,
        tiles=_tiles(result),
        notes=warnings.notes(result),
        sections=sections,
        methods=methods.paragraphs(result),
        provenance=findings.provenance_lines(shown),
        command=result.study.command,
        files=_files(out),
    )


def _sections(result: StudyResult, folder: Path, differences: bool) -> list[Section]:
    found = [_crystals(result, folder, differences)]
    if len(result.comparisons) == 1:
        return [*found, Section("Numbers", tables=tables.captioned(result.comparisons[0]))]
    return [
        each
        for each in (*found, _series(result, folder), _assumptions(result, folder), _effects(result, folder))
        if each
    ]


def _crystals(result: StudyResult, folder: Path, differences: bool) -> Section:
    """Slabs of the first crystal and the time courses, at one setting."""
    from ucnp_abm.viz import figures

    shown, where = result.comparisons[result.shown], conclusions.setting_shown(result)
    at = f" At {where}." if where else ""
    saved: Saved = []
    if rows := pictures.slabs(shown):
        saved += _save(folder, "panels", [figures.slab_panels(shown.design.first().crystal, rows)], [])
        saved[-1] = (saved[-1][0], f"1-nm slab through the first particle, c axis upright.{at}")
    drawn = pictures.panels(shown)
    if drawn and drawn[0].courses:
        drawn = drawn if differences else [replace(panel, differences={}) for panel in drawn]
        files = _save(folder, "time_courses", [figures.comparison(drawn)], pictures.plotted(drawn))
        saved += [(file, f"{findings.caption(shown, differences)}{at}") for file, _ in files]
    return Section("Crystals and time courses", figures=saved)


def _series(result: StudyResult, folder: Path) -> Section | None:
    """Observables against axes, and maps of two axes."""
    from ucnp_abm.viz.heat import heat_map
    from ucnp_abm.viz.series import by_axis

    saved: Saved = []
    where = conclusions.setting_shown(result)
    drawn, rows = pictures.series(result)
    if drawn:
        files = _save(folder, "series", [by_axis(drawn)], rows)
        kind = "Means, of light geometric ones," if any(panel.log for panel in drawn) else "Means"
        text = f"{kind} at the end of the runs with 95 % intervals; what is not on the axis is as in: {where}."
        left_out = [column for column in result.study.columns if column not in {row["observable"] for row in rows}]
        text += f" Not drawn, but in table.csv: {', '.join(left_out)}." if left_out else ""
        saved += [(file, text) for file, _ in files]
    squares, rows = pictures.maps(result)
    if squares:
        what = "Paired differences" if len(result.labels) > 1 else "Means"
        text = f"{what} at the end of the runs; what is on neither axis is as in: {where}."
        saved += [(file, text) for file, _ in _save(folder, "maps", [heat_map(squares)], rows)]
    return Section("Series", figures=saved) if saved else None


def _assumptions(result: StudyResult, folder: Path) -> Section | None:
    """Which assumption carries the verdict."""
    from ucnp_abm.viz.tornado import tornado

    unit = conclusions.unit(result.column)
    contrast = f"{conclusions.contrasted(result)}: difference in {tables.subject(result.column)}"
    if result.study.arrangement == ONE_AT_A_TIME:
        drawn, base, rows = pictures.assumptions(result)
        if not drawn:
            return None
        label = f"{contrast}{f' / {unit}' if unit else ''}"
        files = _save(folder, "assumptions", [tornado(drawn, base, label)], rows)
        text = "The contrast with one assumption changed at a time, and its 95 % interval; the line is the base."
        return Section(
            "Which assumption carries the verdict",
            [(file, text) for file, _ in files],
            text=[conclusions.verdict(result)],
        )
    effects = conclusions.effects(result)
    if not effects:
        return None
    head = ["axis", "range of the mean contrast", "share of the variance alone / %", "with its interactions / %"]
    table = [head] + [
        [e.assumption, e.span.interval(), f"{100 * e.first_order:.1f}", f"{100 * e.total_order:.1f}"] for e in effects
    ]
    return Section(
        "Which axis carries the verdict",
        tables=[(f"Main effects on {contrast}{f' / {unit}' if unit else ''}.", table)],
        text=[conclusions.verdict(result)],
    )


def _effects(result: StudyResult, folder: Path) -> Section:
    """Differences at every setting, and the numbers."""
    from ucnp_abm.viz.forest import MOST_ROWS, forest

    saved: Saved = []
    what = "Means and differences at the end of the runs, with 95 % intervals."
    if any(map(tables.is_light, result.study.columns)):
        what += " Those of light are geometric means and, where all values are above zero, paired ratios."
    if result.study.arrangement == ONE_AT_A_TIME:
        what += f" The base is {conclusions.setting_shown(result)}."
    listed = [(what, summary.ends(result))]
    drawn, rows = pictures.differences(result)
    told_already = result.study.arrangement == ONE_AT_A_TIME and len(result.labels) == 2
    text = []
    if len(drawn) > MOST_ROWS:
        text = [f"{len(drawn)} differences are too many for a figure; they are in table.csv."]
    elif drawn and not told_already:
        unit = conclusions.unit(result.column)
        unit = unit if unit != "decades" or pictures.in_decades(result) else ""
        label = f"{tables.subject(result.column)}: difference from {result.labels[0]}"
        pages = _save(folder, "differences", forest(drawn, label + (f" / {unit}" if unit else "")), rows)
        saved += [(file, "Paired differences at the end of the runs and their 95 % intervals.") for file, _ in pages]
    if drawn:
        listed.append(("Effect sizes and tests of the paired differences.", summary.effect_table(result)))
    return Section("Effect sizes", figures=saved, tables=listed, text=text)


def _save(folder: Path, name: str, drawn: Sequence[Any], rows: Sequence[Mapping[str, Any]]) -> Saved:
    """Write figures as PNG, SVG and PDF, and the points that they show as CSV."""
    from ucnp_abm.viz import figures

    found = []
    for number, figure in enumerate(drawn, 1):
        path = folder / (name if len(drawn) == 1 else f"{name}_{number}")
        figures.save(figure, path)
        found.append((path.with_suffix(".png"), ""))
    if rows:
        tables.write_csv(folder / f"{name}.csv", rows)
    return found


def _tiles(result: StudyResult) -> list[tuple[str, str]]:
    """The runs at a glance."""
    study = result.study
    sizes = [len(result.labels), *(len(levels) for levels in study.axes.values()), study.replicates]
    names = ["mechanisms", *summary.axes_named(study), "crystals"]
    if study.arrangement == ONE_AT_A_TIME:
        sizes, names = [len(result.labels), len(study.points), study.replicates], ["mechanisms", "settings", "crystals"]
    found = [
        (f"{result.n_finished} / {result.n_wanted}", "runs finished"),
        (" × ".join(map(str, sizes)), " × ".join(names)),
    ]
    if result.directory and (seconds := StudyDirectory(result.directory).seconds()):
        spent = sum(seconds.values())
        found.append((summary.wall(spent), f"of computing, {summary.wall(spent / len(seconds))} a run"))
    if study.precision:
        found.append((f"{len(result.imprecise())} / {len(result.comparisons)}", "settings short of the precision"))
    if result.failures:
        found.append((str(len(result.failures)), "runs failed"))
    return found


def _files(out: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Links to what lies beside the page."""
    there = {file.relative_to(out).as_posix() for file in out.rglob("*") if file.is_file()}
    data = [name for name in ("runs.csv", "runs.parquet", "table.csv", "table.parquet") if name in there]
    text = [name for name in ("methods.md", "references.bib", PROVENANCE) if name in there]
    found: list[tuple[str, list[tuple[str, str]]]] = []
    found += [("Data", [(name, name) for name in data]), ("Text", [(name, name) for name in text])]
    for stem in sorted({name.rpartition(".")[0] for name in there if name.startswith(f"{FIGURES}/")}):
        kinds = [kind for kind in ("pdf", "svg", "png", "csv") if f"{stem}.{kind}" in there]
        found.append((stem.removeprefix(f"{FIGURES}/"), [(kind.upper(), f"{stem}.{kind}") for kind in kinds]))
    return found
