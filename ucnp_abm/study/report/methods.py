"""What was done, in sentences for a paper, and what it rests on, as BibTeX."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from ucnp_abm.engine.simulation import ENGINE_VERSION
from ucnp_abm.observables import OBSERVABLES
from ucnp_abm.runs.provenance import versions
from ucnp_abm.study.axes import short_names
from ucnp_abm.study.numbers.contrasts import multiple_comparison_note
from ucnp_abm.study.report import findings, tables

if TYPE_CHECKING:
    from ucnp_abm.study.grid import Study
    from ucnp_abm.study.outcome import StudyResult

PAPER = "10.1021/acs.nanolett.3c01621"
_CITED = {
    PAPER: (
        "Chen2023",
        "article",
        {"author": "Chen and others", "journal": "Nano Letters", "volume": "23", "pages": "7221--7227", "year": "2023"},
    ),
    "10.1145/2063384.2063405": (
        "Salmon2011",
        "inproceedings",
        {
            "author": "Salmon, John K. and Moraes, Mark A. and Dror, Ron O. and Shaw, David E.",
            "title": "Parallel random numbers: as easy as 1, 2, 3",
            "booktitle": "Proceedings of SC '11",
            "year": "2011",
        },
    ),
    "10.1145/2833157.2833162": (
        "Lam2015",
        "inproceedings",
        {
            "author": "Lam, Siu Kwan and Pitrou, Antoine and Seibert, Stanley",
            "title": "Numba: a LLVM-based Python JIT compiler",
            "booktitle": "Proceedings of LLVM '15",
            "year": "2015",
        },
    ),
    "10.1038/s41586-020-2649-2": (
        "Harris2020",
        "article",
        {
            "author": "Harris, Charles R. and Millman, K. Jarrod and van der Walt, St{\\'e}fan J. and others",
            "title": "Array programming with NumPy",
            "journal": "Nature",
            "volume": "585",
            "pages": "357--362",
            "year": "2020",
        },
    ),
    "10.1038/s41592-019-0686-2": (
        "Virtanen2020",
        "article",
        {
            "author": "Virtanen, Pauli and Gommers, Ralf and Oliphant, Travis E. and others",
            "title": "SciPy 1.0: fundamental algorithms for scientific computing in Python",
            "journal": "Nature Methods",
            "volume": "17",
            "pages": "261--272",
            "year": "2020",
        },
    ),
    "10.3389/fpsyg.2013.00863": (
        "Lakens2013",
        "article",
        {
            "author": 'Lakens, Dani{\\"e}l',
            "title": "Calculating and reporting effect sizes to facilitate cumulative science",
            "journal": "Frontiers in Psychology",
            "volume": "4",
            "pages": "863",
            "year": "2013",
        },
    ),
}
"""Key, kind and fields by DOI."""


def paragraphs(result: StudyResult) -> list[str]:
    """What was done, in sentences for a methods section."""
    return [_atoms(result), *_light(result), _statistics(result)]


def bibtex(result: StudyResult) -> str:
    """Entries of the program, of what it is built on, and of the sources that the mechanisms name."""
    of_mechanisms = [
        doi
        for mechanism in result.comparisons[0].design.mechanisms.values()
        for part in (mechanism, *mechanism.drives)
        for doi in _dois(part.source)
    ]
    program = {
        "author": "{The ucnp_abm developers}",
        "title": "ucnp\\_abm: agent-based simulation of core-shell upconversion nanocrystals while they are annealed",
        "note": f"version {versions()['ucnp-abm']}, engine {ENGINE_VERSION}",
    }
    entries = [_entry("ucnp_abm", "software", program)]
    for doi in dict.fromkeys([*of_mechanisms, *_CITED]):
        key, kind, about = _CITED.get(doi, (re.sub(r"\W", "_", doi), "misc", {}))
        entries.append(_entry(key, kind, {**about, "doi": doi}))
    return "\n".join(entries)


def _atoms(result: StudyResult) -> str:
    study, shown = result.study, result.comparisons[result.shown].design
    numbers = sorted({len(comparison.design.seeds) for comparison in result.comparisons})
    crystals = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    short = short_names(study.axes)
    varied = "; ".join(f"{short[axis]}: {' | '.join(_meant(study, axis))}" for axis in study.axes)
    how = {"factorial": "in all combinations", "one-at-a-time": "one at a time"}[study.arrangement]
    declared = ", ".join(shown.mechanisms)
    irreversible = [label for label, each in shown.mechanisms.items() if each.irreversible_verbs]
    sites = sorted({point.design.room.n_sites for point in study.points})
    size = f"{sites[0]} to {sites[-1]}" if len(sites) > 1 else f"{sites[0]}"
    first = "at the first setting " if len(study.points) > 1 else ""
    text = (
        f"Crystals of {size} cation sites ({first}{_grown(shown.recipe)}) were annealed ({first}{shown.protocol}; "
        f"{shown.steps:.4g} steps, {findings.duration(shown)}) by exact kinetic Monte Carlo (ucnp_abm "
        f"{versions()['ucnp-abm']}, engine {ENGINE_VERSION}) with the mechanisms {declared}; {crystals} crystals for "
        "each setting, and every mechanism annealed the same ones from the same seeds. "
    )
    text += f"Varied {how}: {varied}. " if varied else ""
    text += f"Irreversible by declaration: {', '.join(irreversible)}. " if irreversible else ""
    return text + (
        "A step is the mean time between two hops of a bulk vacancy at the reference barrier. Barriers are calibrated "
        "and vacancy contents chosen; neither is a prediction."
    )


def _meant(study: Study, axis: str) -> Iterable[str]:
    """The levels of an axis; those with names of their own with what they change."""
    given = study.source.get("vary", {}).get(axis)
    for level in study.axes[axis]:
        changes = given.get(level) if isinstance(given, Mapping) else None
        told = ", ".join(f"{key} = {value}" for key, value in changes.items()) if changes else ""
        unchanged = "nothing changed" if changes is not None else ""
        yield f"{level} ({told or unchanged})" if told or unchanged else level


def _grown(recipe: object) -> str:
    """A recipe in words: what is not as by default."""
    if not is_dataclass(recipe) or isinstance(recipe, type):
        return repr(recipe)
    values = {each.name: (getattr(recipe, each.name), each.default) for each in fields(recipe)}
    told = [(name, value) for name, (value, default) in values.items() if value != default]
    return "; ".join(f"{name.replace('_', ' ')} {value}" for name, value in told)


def _light(result: StudyResult) -> list[str]:
    design = result.comparisons[result.shown].design
    read = [name for name in design.observables if name in OBSERVABLES and OBSERVABLES[name].costly]
    if not read:
        return []
    from ucnp_abm.photons.optics import Optics

    optics = (design.optics or Optics()).describe()
    shown = {name: value for name, value in optics.items() if value is not None and name != "rates_sha256"}
    told = ", ".join(f"{name} {value}" for name, value in shown.items())
    return [f"Light ({', '.join(read)}) was computed at each mark from all ions and vacancies: {told}."]


def _statistics(result: StudyResult) -> str:
    column = result.column
    text = (
        "Means have 95 % intervals by Student's t over crystals, differences are paired by crystal; 95 % BCa bootstrap "
        "intervals, Hedges' g for pairs and p-values of paired t tests, also adjusted after Holm, stand in table.csv. "
    )
    if result.study.precision:
        asked = ", ".join(f"{name} ± {half:g}" for name, half in result.study.precision.items())
        text += (
            f"Crystals were added until intervals were narrow enough ({asked}; at most {result.study.max_replicates}): "
            "intervals of such sequential samples are slightly too narrow. "
        )
    tested = [test for test in result.tests(column) if not math.isnan(test.p) and not test.is_repeated]
    if len(tested) > 1:
        clear = sum(test.is_clear for test in tested)
        holm = sum(test.p_holm < 0.05 for test in tested)
        text += f"In {tables.subject(column)}, {multiple_comparison_note(len(tested), clear, holm)}"
        if tables.is_light(column) and all(test.ratio for test in tested):
            text += " Tests of light, and Hedges' g, are of logarithms."
    return text.strip()


def _dois(source: str) -> Iterable[str]:
    return (found.rstrip(".,;)") for found in re.findall(r"doi:(10\.[^\s]+)", source))


def _entry(key: str, kind: str, about: dict[str, str]) -> str:
    lines = ",\n".join(f"  {name} = {{{value}}}" for name, value in about.items())
    return f"@{kind}{{{key},\n{lines}\n}}\n"
