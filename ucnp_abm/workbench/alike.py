"""Environments that are alike in one line, said by no more than what tells them from the others."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

Told = dict[str, str | int]
"""What tells environments apart, by name: 'species', 'bond', 'zones', 'coordination', 'n[Yb]', …"""


class Environment(Protocol):
    """Whatever is told apart by names."""

    @property
    def told(self) -> Told:
        """Value of each name."""


E = TypeVar("E", bound=Environment)


@dataclass(frozen=True)
class Line(Generic[E]):
    """Environments that are alike, and where they are in words."""

    members: tuple[E, ...]
    where: str

    @property
    def first(self) -> E:
        return self.members[0]


def collapse(found: Sequence[E], alike: Callable[[E], Hashable]) -> list[Line[E]]:
    """Environments with the same names in lines, each said by no more than what tells it from the other lines."""
    told = [one.told for one in found]
    keys = [alike(one) for one in found]
    names = telling(told, keys)
    groups: dict[Hashable, list[int]] = {}
    for number, key in enumerate(keys):
        groups.setdefault(key, []).append(number)
    return [
        Line(tuple(found[n] for n in numbers), _words(names, [told[n] for n in numbers], told))
        for numbers in groups.values()
    ]


def telling(told: Sequence[Told], keys: Sequence[Hashable]) -> list[str]:
    """The names that suffice to know the key of an environment; the species and counts are left out last."""
    every = list(dict.fromkeys(name for one in told for name in one))
    last = [name for name in every if name == "species" or name.startswith("n[")]
    kept = every
    for name in [*(n for n in every if n not in last), *last]:
        fewer = [other for other in kept if other != name]
        seen: dict[tuple[Any, ...], Hashable] = {}
        if all(seen.setdefault(tuple(map(t.get, fewer)), key) == key for t, key in zip(told, keys, strict=True)):
            kept = fewer
    return kept


def values(found: Sequence[str | int]) -> str:
    """Different values in words: whole numbers as ranges, both ways between two zones as one.

    Examples
    --------
    >>> values([3, 0, 1, 2, 5]), values(["core->shell", "shell->core", "core->core"])
    ('0-3, 5', 'core|shell, core->core')
    """
    runs: list[list[int]] = []
    for number in sorted({v for v in found if isinstance(v, int)}):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    said = [f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs]
    words = dict.fromkeys(v for v in found if isinstance(v, str))
    for word in words:
        start, _, end = word.partition("->")
        both = end != start and f"{end}->{start}" in words
        said.append(f"{min(start, end)}|{max(start, end)}" if both else word)
    return ", ".join(dict.fromkeys(said))


def chosen(name: str, found: Sequence[str | int], every: Sequence[str | int]) -> str:
    """Some of all values that a name takes, or those that are left out where that is shorter.

    Examples
    --------
    >>> chosen("species", ["Na", "Y", "Gd"], ["Na", "Y", "Gd", "Yb"]), chosen("n[Yb]", [0, 1], [0, 1, 2])
    ('not Yb', 'n[Yb] 0-1')
    >>> ways = ["core->core", "core->shell", "shell->core", "shell->shell"]
    >>> chosen("zones", ways[1:], ways), chosen("zones", ways[1:3], ways)
    ('not core->core', 'core|shell')
    """
    taken = set(found)
    others = [value for value in every if value not in taken]
    ways = [values(found)]
    if others and isinstance(others[0], str):
        ways.append(f"not {values(others)}")
    ends = {value: str(value).replace("|", "->").split("->") for value in every if name == "zones"}
    for zone in dict.fromkeys(end for both in ends.values() for end in both):
        at = {value for value in every if zone in ends[value]}
        ways += [f"{zone} at an end"] * (taken == at) + [f"no {zone} at an end"] * (
            not taken & at and not {*others} - at
        )
    said = min(ways, key=len)
    return said if name in ("species", "zones") else f"{name} {said}"


def _words(names: Sequence[str], here: Sequence[Told], everywhere: Sequence[Told]) -> str:
    """Where some environments are, by the values of these names; what takes all its values is not said."""
    if not names:
        return f"all {len(everywhere)} environments" if len(everywhere) > 1 else "the only environment"
    found = {name: [one[name] for one in here] for name in names}
    held = len({tuple(map(one.get, names)) for one in here})
    together = math.prod(len(set(v)) for v in found.values())
    whole = {name for name, v in found.items() if held == together and set(v) == {o[name] for o in everywhere}}
    said = [chosen(n, v, [one[n] for one in everywhere]) for n, v in found.items() if n not in whole]
    return "; ".join(said) + (f" ({held} of these {together})" if held < together else "")
