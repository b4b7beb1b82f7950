"""What the figure of a rate table shows: each law by whatever its energies depend on."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Sequence
from typing import TypeVar

from ucnp_abm.rules.law import name_of
from ucnp_abm.viz.barriers import Curve, Panel
from ucnp_abm.workbench.alike import Line, Told, chosen, telling, values
from ucnp_abm.workbench.barriers import Rate, by_law, lines

K = TypeVar("K", bound=Hashable)
Point = tuple[float, float]
"""Activation energy / eV and rate / s⁻¹."""


def panels(found: Sequence[Rate]) -> list[Panel]:
    """One panel for all laws whose rates are the same everywhere, and some for each of the others.

    Events that are forbidden are left out.
    """
    flat: list[tuple[str, Line[Rate]]] = []
    varied: list[Panel] = []
    for rows in by_law([one for one in found if one.rate > 0]):
        alike = lines(rows)
        if len(alike) == 1:
            flat.append(
                (textwrap.fill(_few(values([one.species for one in rows])), 11, break_on_hyphens=False), alike[0])
            )
        else:
            varied += _law(rows)
    if not flat:
        return varied
    points = tuple(
        Curve("", "", (float(n),), (line.first.activation,), (line.first.rate,)) for n, (_, line) in enumerate(flat)
    )
    names = tuple(f"{line.first.verb}\n{name}\n{line.first.activation:.4g} eV" for name, line in flat)
    return [Panel("the same wherever they happen", "", "", names, points), *varied]


def _law(rows: Sequence[Rate]) -> list[Panel]:
    """The rows of a law: along x what has most values, in colours what has fewer, a panel for each of the rest."""
    told = _undirected(rows)
    points: list[Point] = [(round(one.activation, 9), float(f"{one.rate:.9g}")) for one in rows]
    names = telling(told, points)
    every: dict[str, list[str | int]] = {name: list(dict.fromkeys(t[name] for t in told)) for name in names}
    numbers = [name for name in names if all(isinstance(v, int) for v in every[name])]
    x = max(numbers or names, key=lambda name: len(every[name]))
    rest = [name for name in names if name != x]
    hue = "species" if "species" in names else max(rest, key=lambda name: len(every[name]), default="")
    categories = () if x in numbers else tuple(str(v) for v in every[x])
    split = [name for name in rest if name != hue]
    families: dict[tuple[str | int, ...], dict[tuple[str | int, float], Point]] = {}
    for one, point in zip(told, points, strict=True):
        place = float(one[x]) if x in numbers else float(categories.index(str(one[x])))
        family = families.setdefault(tuple(one[name] for name in split), {})
        family[one.get(hue, ""), place] = point
    species = {one.species for one in rows}
    alone = rows[0].species if len(species) == 1 else ""
    said = f"{rows[0].verb} {_few(values([one.species for one in rows]))}: {name_of(rows[0].rule.law)}"
    made = []
    for keys, family in _joined(families):
        where = "; ".join(chosen(name, [key[n] for key in keys], every[name]) for n, name in enumerate(split))
        title = f"{said}; {where}" if where else said
        legend = f"n({hue[2:-1]})" if hue.startswith("n[") else _axis(hue)
        made.append(Panel(title, _axis(x), legend, categories, tuple(_curves(family, hue, hue != x, alone))))
    return made


def _curves(family: dict[tuple[str | int, float], Point], hue: str, named: bool, alone: str) -> list[Curve]:
    by_hue: dict[tuple[str | int, ...], dict[float, Point]] = {}
    for (value, place), point in family.items():
        by_hue.setdefault((value,), {})[place] = point
    found = []
    first = {key: number for number, key in enumerate(by_hue)}
    joined = _joined(by_hue)
    for keys, curve in sorted(joined, key=lambda pair: min(v if isinstance(v, int) else first[v,] for (v,) in pair[0])):
        held = [key[0] for key in keys]
        places = sorted(curve)
        found.append(
            Curve(
                label=_few(values(held)) if hue and named else "",
                species=values(held) if hue == "species" else alone if not hue else "",
                x=tuple(places),
                energies=tuple(curve[place][0] for place in places),
                rates=tuple(curve[place][1] for place in places),
            )
        )
    return found


def _joined(
    families: dict[tuple[str | int, ...], dict[K, Point]],
) -> list[tuple[list[tuple[str | int, ...]], dict[K, Point]]]:
    """Curves, or families of them, that agree wherever both are defined, together; the longest first."""
    found: list[tuple[list[tuple[str | int, ...]], dict[K, Point]]] = []
    for key, family in sorted(families.items(), key=lambda item: -len(item[1])):
        for keys, same in found:
            if all(same.get(place) == point for place, point in family.items()):
                keys.append(key)
                break
        else:
            found.append(([key], family))
    return found


def _undirected(rows: Sequence[Rate]) -> list[Told]:
    """What tells rows apart, with 'core|shell' for both ways between two zones where these never differ."""
    both = [{**one.told, "zones": values([*_ways(str(one.where["zones"]))])} if "zones" in one.where else one.told
            for one in rows]  # fmt: skip
    points = [(round(one.activation, 9), f"{one.rate:.9g}") for one in rows]
    seen: dict[tuple[tuple[str, str | int], ...], tuple[float, str]] = {}
    same = all(seen.setdefault(tuple(t.items()), point) == point for t, point in zip(both, points, strict=True))
    return both if same else [one.told for one in rows]


def _ways(zones: str) -> tuple[str, str]:
    start, _, end = zones.partition("->")
    return zones, f"{end}->{start}"


def _axis(name: str) -> str:
    """A name as axes call it."""
    if name.startswith("n["):
        return f"{name[2:-1]} neighbours"
    return {"species": "", "zones": "zones", "bond": "class of the bond"}.get(name, name)


def _few(text: str) -> str:
    """A list of at most six entries."""
    entries = text.split(", ")
    return text if len(entries) <= 6 else f"{', '.join(entries[:5])}, …"
