"""What two mechanisms do not share, before any event: environment by environment, and what they declare."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ucnp_abm.engine.simulation import Simulation
from ucnp_abm.errors import BadInput
from ucnp_abm.workbench.alike import Told
from ucnp_abm.workbench.barriers import Rate, events_on_the_way, rates, temperature_of
from ucnp_abm.workbench.sheet import Sheet, sheet, species_words

SAME_ENERGY, SAME_RATE = 1e-9, 1e-6
"""Energies / eV that differ by less are the same; so are rates whose ratio differs from 1 by less."""
MAX_PAIRS = 1 << 20
"""Environments that are compared at most."""
_PHYSICS = ("pair energy", "reservoir", "drive")
"""Declarations that change a run and no row."""


@dataclass(frozen=True)
class Change:
    """One environment in which two mechanisms differ; None on the side that has no such event."""

    a: Rate | None
    b: Rate | None

    @property
    def either(self) -> Rate:
        found = self.a or self.b
        assert found is not None  # nobody makes a change of nothing
        return found

    @property
    def told(self) -> Told:
        """What tells the environment from others, with the counts that either law reads."""
        return {name: value for side in (self.a, self.b) if side for name, value in side.told.items()}

    @property
    def rise(self) -> float | None:
        """Activation energy of b minus that of a / eV; None where one of them has none."""
        energies = [side.activation for side in (self.a, self.b) if side and math.isfinite(side.activation)]
        return energies[1] - energies[0] if len(energies) == 2 else None

    @property
    def ratio(self) -> float:
        """Rate of b over that of a; infinity if only b has one."""
        a, b = (side.rate if side else 0.0 for side in (self.a, self.b))
        return b / a if a else math.inf if b else 1.0

    @property
    def size(self) -> tuple[float, float]:
        """By what changes are sorted: how far the ratio is from 1, then how far the energies are apart."""
        far = abs(math.log(self.ratio)) if 0 < self.ratio < math.inf else math.inf
        return far, abs(self.rise) if self.rise is not None else math.inf


@dataclass(frozen=True)
class Declared:
    """Something that two mechanisms declare otherwise: a rule, a parameter, an energy, …; '' where one does not."""

    what: str
    name: str
    a: str
    b: str


@dataclass(frozen=True)
class Difference:
    """What two mechanisms do not share on one crystal.

    Attributes
    ----------
    a, b : Sheet
    temperature : (float, float)
        K, all drives of a and of b at full level.
    compared : int
        Environments that both have.
    changes : tuple of Change
        Those in which both have a rule and the rules differ, worst first.
    only_a, only_b : tuple of Rate
        Environments of events that the other one does not have.
    declared : tuple of Declared
    """

    a: Sheet
    b: Sheet
    temperature: tuple[float, float]
    compared: int
    changes: tuple[Change, ...]
    only_a: tuple[Rate, ...]
    only_b: tuple[Rate, ...]
    declared: tuple[Declared, ...]

    @property
    def same_table(self) -> bool:
        """Whether both fingerprints agree: then every run agrees."""
        return self.a.fingerprint == self.b.fingerprint

    @property
    def untold(self) -> tuple[str, ...]:
        """Laws of either whose rows are worked out on the way: too many to compare."""
        return tuple(dict.fromkeys(r.law for one in (self.a, self.b) for r in one.rules if r.on_the_way))

    @property
    def same_rates(self) -> bool:
        """Whether no environment, reservoir, drive or pair energy differs, whatever the rules are called."""
        other = any(one.what in _PHYSICS for one in self.declared)
        return self.same_table or not (self.changes or self.only_a or self.only_b or other or self.untold)


def difference(a: Simulation, b: Simulation) -> Difference:
    """Compare the rate tables of two simulations of the same particle.

    Environments are matched by what they are, not by the number of their row. Where one law reads a count that the
    other does not read, every value of it is compared with what the other law gives there.

    Raises
    ------
    BadInput
        If the particles differ, or the laws together read more counts than can be compared.

    Examples
    --------
    >>> from ucnp_abm import Particle, Simulation, mechanism
    >>> particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
    >>> slow = Simulation(particle, mechanism("y-complex", dock_barrier="1.3 eV"))
    >>> found = difference(Simulation(particle, mechanism("y-complex")), slow)
    >>> {round(change.rise, 6) for change in found.changes}, {change.either.verb for change in found.changes}
    ({0.1}, {'dock'})
    """
    if a.particle.recipe != b.particle.recipe or a.particle.seed != b.particle.seed:
        raise BadInput("difference: the two simulations have different particles; compare mechanisms on the same one")
    sheets = sheet(a), sheet(b)
    both = {*a.table.species, *b.table.species}
    rows = [rates(one if {*one.table.species} == both else _among(one, both)) for one in (a, b)]
    events = [{one.event for one in found} | events_on_the_way(of) for found, of in zip(rows, (a, b), strict=True)]
    changes, compared = [], 0
    for change in _matched(rows[0], rows[1], 2 * (a.crystal.z - 1), _levels(a) == _levels(b)):
        compared += 1
        if _differs(change):
            changes.append(change)
    return Difference(
        *sheets,
        temperature=(temperature_of(a), temperature_of(b)),
        compared=compared,
        changes=tuple(sorted(changes, key=lambda change: change.size, reverse=True)),
        only_a=tuple(one for one in rows[0] if one.event not in events[1]),
        only_b=tuple(one for one in rows[1] if one.event not in events[0]),
        declared=tuple(_declared(*sheets)),
    )


def _among(simulation: Simulation, species: Iterable[str]) -> Simulation:
    """The same where other species may come in too, so that hops of what only one mechanism docks are compared."""
    made = simulation.particle, simulation.mechanism, simulation.protocol
    return Simulation(*made, scheduler="rejection", interpreted=True, present=[s for s in species if s != "vacancy"])


def _levels(simulation: Simulation) -> Any:
    return simulation.mechanism.division


def _differs(change: Change) -> bool:
    assert change.a is not None
    assert change.b is not None
    energies = zip(
        (change.a.barrier, change.a.activation), (change.b.barrier, change.b.activation), strict=True
    )  # infinity where an event is forbidden
    apart = any(x != y and not abs(x - y) <= SAME_ENERGY for x, y in energies)
    return apart or abs(change.ratio - 1.0) > SAME_RATE


def _matched(a: Sequence[Rate], b: Sequence[Rate], most: int, same_levels: bool) -> Iterator[Change]:
    """Each environment that both have, once for each pair of rows that can stand for it together."""
    names = [{name for one in found for name in one.where} for found in (a, b)]
    shared = (names[0] & names[1]) - (set() if same_levels else {"level", "levels"})
    there: dict[tuple[Any, ...], list[list[Rate]]] = {}
    for found in _places(b):
        there.setdefault(_key(found[0], shared), []).append(found)
    n = 0
    for here in _places(a):
        for found in there.get(_key(here[0], shared), []):
            limit = most if here[0].verb == "hop" else int(here[0].where["coordination"])
            other = {tuple(one.counts.values()): one for one in found}
            own = {tuple(one.counts.values()): one for one in here}
            for x, y in _together(tuple(here[0].counts), tuple(found[0].counts), limit):
                if x in own and y in other:
                    n += 1
                    if n > MAX_PAIRS:
                        raise BadInput(
                            f"difference: more than {MAX_PAIRS:,} environments to compare; use a smaller one"
                        )
                    yield Change(own[x], other[y])


def _places(found: Sequence[Rate]) -> Iterable[list[Rate]]:
    """Rates that differ in counts only."""
    places: dict[tuple[Any, ...], list[Rate]] = {}
    for one in found:
        places.setdefault(_key(one, set(one.where)), []).append(one)
    return places.values()


def _key(one: Rate, names: set[str]) -> tuple[Any, ...]:
    return (one.event, *sorted((name, value) for name, value in one.where.items() if name in names))


@cache
def _together(a: tuple[str, ...], b: tuple[str, ...], limit: int) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Which values the counts `a` and the counts `b` can have at once among at most `limit` neighbours."""
    watches = [_watch(name) for name in (*a, *b)]
    alike: dict[tuple[bool, ...], None] = {}  # species that no count tells apart
    for symbol in sorted({symbol for symbols, _ in watches for symbol in symbols}):
        alike[tuple(symbol in symbols for symbols, _ in watches)] = None
    if (limit + 1) ** len(alike) > 4 * MAX_PAIRS:
        read = ", ".join(dict.fromkeys((*a, *b)))
        raise BadInput(f"difference: the laws together read {read}, too many counts to compare all environments")
    found: dict[tuple[int, ...], None] = {}
    for numbers in itertools.product(range(limit + 1), repeat=len(alike)):
        if sum(numbers) <= limit:
            totals = (sum(n for n, of in zip(numbers, alike, strict=True) if of[w]) for w in range(len(watches)))
            found[tuple(t if most is None else min(t, most) for t, (_, most) in zip(totals, watches, strict=True))] = (
                None
            )
    return [(seen[: len(a)], seen[len(a) :]) for seen in found]


def _watch(name: str) -> tuple[tuple[str, ...], int | None]:
    """The species of a count, and the number at which it is cut: 'Y', 'Gd+Y', 'Yb (up to 3)'."""
    symbols, _, most = name.partition(" (up to ")
    return tuple(symbols.split("+")), int(most.rstrip(")")) if most else None


def _declared(a: Sheet, b: Sheet) -> Iterator[Declared]:
    held: dict[str, list[dict[str, str]]] = {
        "parameter": [{p.name: p.shown for p in s.parameters} for s in (a, b)],
        "rule": [_rules(s) for s in (a, b)],
        "site energy": [{name: f"{e:g} eV" for name, e in s.site_energies.items()} for s in (a, b)],
        "pair energy": [{name: f"{e:g} eV" for name, e in s.pair_energies.items()} for s in (a, b)],
        "levels": [{"of the crystal": s.levels} if s.levels else {} for s in (a, b)],
        "reservoir": [{r.species: _bath(r.activity, r.size) for r in s.reservoirs} for s in (a, b)],
        "drive": [{d.name: "; ".join([d.course, *d.effects]) for d in s.drives} for s in (a, b)],
    }
    for what, (one, other) in held.items():
        for name in dict.fromkeys([*one, *other]):
            if one.get(name) != other.get(name):
                yield Declared(what, name, one.get(name, ""), other.get(name, ""))


def _rules(one: Sheet) -> dict[str, str]:
    return {
        f"{rule.verb} {species_words(rule.species)}": f"{rule.law}, {rule.place}, "
        f"{'reversible' if rule.reversible else 'irreversible'}, {rule.attempt:g} /s"
        for rule in one.rules
        if rule.holds
    }


def _bath(activity: float, size: int | None) -> str:
    return f"activity {activity:g}, {'infinite' if size is None else f'{size} complexes'}"
