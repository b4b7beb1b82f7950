"""Bring the figures of the page on findings: python docs/figures/findings.py DIRECTORY.

DIRECTORY holds the studies of examples/studies as `ucnp-abm compare` left them there, each called as its file. Figures
are those of the studies at half their size; the course of light over time is drawn here, from runs.csv.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from ucnp_abm.study.numbers import contrasts
from ucnp_abm.study.numbers.statistics import Mean, mean
from ucnp_abm.viz import figures
from ucnp_abm.viz.series import SeriesPanel, by_axis

IMAGES = Path(__file__).parents[1] / "images"
TAKEN = {
    "paper_design": "series",
    "paper_yb_series": "series",
    "laser_drives": "series",
    "cubic_hexagonal": "differences",
    "sensitivity": "assumptions",
    "sensitivity_factorial": "maps",
    "sensitivity_light": "assumptions",
}
MINUTES = (10, 30, 60, 120, 180, 240)


def smaller(png: Path, out: Path) -> None:
    """At half the size, in 64 colours."""
    with Image.open(png) as picture:
        half = picture.convert("RGB").resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)
        half.quantize(64).save(out, dpi=(150, 150), optimize=True)


def anneal_map(study: Path) -> None:
    """Mixing, vacancies and light over time, a line for each temperature; and light as a share of 1 h at 300 °C."""
    with (study / "runs.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["complexes"] == "unlimited"]
    at: dict[tuple[str, int], list[dict[str, str]]] = {}
    for row in rows:
        at.setdefault((row["anneal.protocol"], round(float(row["t_s"]) / 60)), []).append(row)
    temperatures = list(dict.fromkeys(temperature for temperature, _ in at))

    def values(temperature: str, column: str) -> Iterator[Mean]:
        return (mean([float(row[column]) for row in at[temperature, minute]]) for minute in MINUTES)

    titles = {
        "outside_core_pct": "core ions outside the core / %",
        "vacancies": "vacancies",
        "i_450": "450 nm / (photons/s)",
    }
    panels = []
    for column, title in titles.items():
        ends = {
            temperature: np.array([[m.value, m.low, m.high] for m in values(temperature, column)]).T
            for temperature in temperatures
        }
        levels = [f"{minute} min" for minute in MINUTES]
        panels.append(SeriesPanel(title, "time", levels, [float(m) for m in MINUTES], ends, log=column == "i_450"))
    figures.save(by_axis(panels), study / "figures" / "time")
    reference = [float(row["i_450"]) for row in at["300 °C", 60]]
    for (temperature, minute), found in at.items():
        if share := contrasts.ratio([float(row["i_450"]) for row in found], reference):
            print(f"{temperature} {minute} min: {share.interval()} of 1 h at 300 °C")


def gains(study: Path, axis: str) -> None:
    """What each anneal makes of light, as factors over the same crystals as grown."""
    with (study / "runs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    at: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        moment = "grown" if float(row["steps"]) == 0 else "annealed"
        for column in ("i_450", "qy"):
            at.setdefault((row[axis], row["mechanism"], column, moment), []).append(float(row[column]))
    for (level, mechanism, column, moment), values in at.items():
        ratio = contrasts.ratio(values, at[level, mechanism, column, "grown"])
        if moment == "annealed" and ratio:
            print(f"{level}, {mechanism}: {column} times {ratio.interval()}")


def main(directory: Path) -> None:
    """All of them."""
    gains(directory / "paper_design", "particle.thickness")
    gains(directory / "paper_yb_series", "Yb")
    anneal_map(directory / "anneal_map")
    for name, figure in {**TAKEN, "anneal_map": "time"}.items():
        smaller(directory / name / "figures" / f"{figure}.png", IMAGES / f"study_{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
