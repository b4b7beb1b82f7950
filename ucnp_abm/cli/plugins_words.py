"""Small words of the author's commands: numbers, times, lines of at most 100 columns, and what JSON holds."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ucnp_abm.engine.simulation import Simulation

WIDTH = 100
MOST_LINES = 24
"""Of each law; of more lines only some are shown."""
_TIMES = (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("min", 60.0), ("h", 3600.0), ("d", 86400.0))
_YEAR = 31_557_600.0


def human(seconds: float) -> str:
    """A time as people say it.

    Examples
    --------
    >>> human(0.0036), human(4000.0), human(3e16), human(float("inf"))
    ('3.6 ms', '1.11 h', '9.5e+08 yr', 'never')
    """
    if math.isinf(seconds):
        return "never"
    if seconds >= _YEAR:
        years = seconds / _YEAR
        return f"{years:.3g} yr" if years < 1e3 else f"{years:.1e} yr"
    name, unit = max(((n, u) for n, u in _TIMES if u <= seconds), key=lambda pair: pair[1], default=_TIMES[0])
    return f"{seconds / unit:.3g} {name}"


def celsius(kelvin: float) -> str:
    """A temperature for readers."""
    return f"{kelvin - 273.15:.4g} °C"


def of_crystal(simulation: Simulation) -> str:
    """Which crystal was used: its recipe without what is as usual."""
    recipe: Any = simulation.particle.recipe
    given = [
        f"{field.name}={getattr(recipe, field.name)!r}"
        for field in dataclasses.fields(recipe)
        if getattr(recipe, field.name) != field.default
    ]
    return f"{type(recipe).__name__}({', '.join(given)}), seed {simulation.particle.seed}"


def energy(value: float | None) -> str:
    """An energy / eV; "never" where an event is forbidden."""
    return "-" if value is None else "never" if math.isinf(value) else f"{value:.4f}"


def rate(per_second: float) -> str:
    """A rate / s⁻¹."""
    if per_second == 0:
        return "0"
    return f"{per_second:.3g}" if 1e-3 <= per_second < 1e5 else f"{per_second:.2e}"


def listed(names: Sequence[str]) -> str:
    """Names with "and" before the last."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def short(where: str) -> str:
    """At most some two lines of a table."""
    return where if len(where) <= 90 else f"{where[:89]}…"


def cut(shown: Sequence[str], option: str, last: int = 0) -> list[str]:
    """The first lines of many, and so many of the last ones."""
    if len(shown) <= MOST_LINES:
        return list(shown)
    first, end = MOST_LINES - last, len(shown) - last
    return [
        *shown[:first],
        f"  … {end - first:,} lines {'between' if last else 'more'}; {option} has them",
        *shown[end:],
    ]


def wrap(text: str) -> str:
    """Text in lines, all but the first indented."""
    return textwrap.fill(text, WIDTH, subsequent_indent="    ", break_on_hyphens=False)


def hang(begin: str, text: str, indented: int | None = None) -> str:
    """Text in lines that all start below its first letter, or so many columns in."""
    indent = " " * min(len(begin) if indented is None else indented, 60)
    return textwrap.fill(text, WIDTH, initial_indent=begin, subsequent_indent=indent, break_on_hyphens=False).rstrip()


def entry(name: str, texts: Sequence[str]) -> str:
    """A name and its texts, in two columns."""
    first, *others = texts
    return "\n".join([hang(f"{name:<13} ", first), *(hang(" " * 14, text) for text in others)])


def columns(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records with equal names, empty where one has no such column; counts stand before energies."""
    listed = list(records)
    names = list(dict.fromkeys(name for one in listed for name in one))
    last = [n for n in names if n.endswith(("_eV", "_per_s", "_s"))]
    ordered = [*(n for n in names if n not in last), *last]
    return [{name: one.get(name) for name in ordered} for one in listed]


def plain(found: Any) -> Any:
    """A frozen value as JSON holds it; None instead of infinities."""
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        return {field.name: plain(getattr(found, field.name)) for field in dataclasses.fields(found)}
    if isinstance(found, dict):
        return {name: plain(value) for name, value in found.items()}
    if isinstance(found, (list, tuple)):
        return [plain(value) for value in found]
    return None if isinstance(found, float) and not math.isfinite(found) else found
