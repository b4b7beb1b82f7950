"""A mechanism on trial: its laws watched, its table made whatever they do, each environment asked several times."""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.levels import with_levels
from ucnp_abm.crystal.particle import Particle
from ucnp_abm.crystal.species import IONS
from ucnp_abm.engine.schedule import Condition
from ucnp_abm.errors import BadRate, UcnpError
from ucnp_abm.rules.asking import ReadsTooMuch
from ucnp_abm.rules.drive import Drive
from ucnp_abm.rules.env import HopEnv, SiteEnv
from ucnp_abm.rules.law import Law
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import RateTable
from ucnp_abm.rules.tabulate import tabulate
from ucnp_abm.workbench.barriers import Rate, table_rates
from ucnp_abm.workbench.checking.outside import Outside, outside_of, words_of
from ucnp_abm.workbench.checking.watching import Watch, with_absent

SHUFFLE = 20_231
"""Seed of the order in which environments are asked for the third time."""
_ANY = 9
"""A law for so many species is a law for any ion, and names none."""
_KELVIN = 573.15
_ALIVE = 97
"""Environments that are kept while others are made, so that no two of them have one address."""


@dataclass
class Answers:
    """What a law said of one environment: first, at once again, and in another order; None where it gave no barrier."""

    rate: Rate
    environment: str
    said: list[float | None] = field(default_factory=list)
    refusal: tuple[BadRate, int | None] | None = None


@dataclass
class Trial:
    """A mechanism whose laws are watched, with its table.

    Attributes
    ----------
    mechanism : Mechanism
        With a `Watch` for each law.
    particle : Particle
    watches : dict
        By the part that declares a law and the law's id.
    table : RateTable or None
        None if none can be made.
    refused : list of (UcnpError, Watch or None)
        Why laws had to be left out of the table, or why there is none.
    answers : list of Answers
        One for each row.
    changed : list of (Outside, str)
        What changed while laws were called, and in which environment first.
    """

    mechanism: Mechanism
    particle: Particle
    watches: dict[tuple[str, int], Watch]
    table: RateTable | None = None
    refused: list[tuple[UcnpError, Watch | None]] = field(default_factory=list)
    answers: list[Answers] = field(default_factory=list)
    changed: list[tuple[Outside, str]] = field(default_factory=list)

    @property
    def crystal(self) -> Crystal:
        """The particle's crystal, as the mechanism divides it."""
        return with_levels(self.particle.crystal, self.mechanism.division)

    @property
    def sampled(self) -> set[int]:
        """Laws that could be asked about a sample of their environments only, by their watch's id."""
        return {id(law) for law in self.table.on_the_way} if self.table else set()

    def watch_of(self, rule: HopRule | SiteRule) -> Watch:
        """The watch that stands in a rule of this trial."""
        assert isinstance(rule.law, Watch)
        return rule.law


def on_trial(
    mechanism: Mechanism,
    particle: Particle,
    watches: dict[tuple[str, int], Watch],
    present: Iterable[str] = (),
    *,
    closely: bool = True,
) -> Trial:
    """Try a mechanism: make its table, and ask its laws about every environment.

    Parameters
    ----------
    mechanism : Mechanism
    particle : Particle
    watches : dict
        Those of earlier trials, which go on; new ones are added.
    present : iterable of str
        Species that may be there besides those of the particle.
    closely : bool
        Ask three times and look at what changes; else once.
    """
    trial = Trial(_watched(mechanism.on(particle.crystal.lattice.name), watches), particle, watches)
    _tabulate(trial, {*particle.counts, *present})
    if trial.table is not None:
        condition = Condition(_KELVIN, tuple(1.0 for _ in mechanism.drives))
        _ask(trial, table_rates(trial.table, trial.crystal, condition), closely)
    return trial


def parts_of(mechanism: Mechanism) -> list[tuple[str, Mechanism | Drive]]:
    """The mechanism and its drives, by the names that are theirs alone."""
    parts: list[Mechanism | Drive] = [mechanism, *mechanism.drives]
    return [(part.name.partition("+")[0], part) for part in parts]


def rules_of(part: Mechanism | Drive, *, active: bool = False) -> list[HopRule | SiteRule]:
    """All rules of a mechanism or drive, or those that hold now."""
    hops = (part.active_hops() if active else part.hops) if isinstance(part, Mechanism) else []
    return [*hops, *(part.active_site_rules() if active else part.site_rules)]


def species_of(mechanism: Mechanism) -> list[str]:
    """The ions that a mechanism names: in its rules, its energies and the texts of its laws."""
    named: set[str] = {symbol for pair in mechanism.pair_energies for symbol in pair}
    named |= {symbol for symbol, _ in mechanism.site_energies}
    for _, part in parts_of(mechanism):
        by_law: dict[int, set[str]] = {}
        for rule in rules_of(part):
            moved = set(rule.movers) if isinstance(rule, HopRule) else {rule.before, rule.after}
            by_law[id(rule.law)] = by_law.get(id(rule.law), set()) | moved
            named |= words_of(rule.law)
        named |= {symbol for moved in by_law.values() if len(moved) < _ANY for symbol in moved}
    return [symbol for symbol in IONS if symbol in named]


def _watched(mechanism: Mechanism, watches: dict[tuple[str, int], Watch]) -> Mechanism:
    """A copy whose laws are watched; each law has one watch, so that rules which share a law still do."""

    def watched(rule: Any, part: str) -> Any:
        law: Law = rule.law
        return replace(rule, law=watches.setdefault((part, id(law)), Watch(law, part)))

    def copied(part: Any, name: str) -> Any:
        made = copy.copy(part)
        made.site_rules = [watched(rule, name) for rule in part.site_rules]
        return made

    (name, _), *driven = parts_of(mechanism)
    made: Mechanism = copied(mechanism, name)
    made.hops = [watched(rule, name) for rule in mechanism.hops]
    made.drives = tuple(copied(drive, drive_name) for drive_name, drive in driven)
    return made


def _tabulate(trial: Trial, present: set[str]) -> None:
    """Make the table; a law that cannot be in one is left out, with all its rules."""
    particle = trial.particle
    while trial.table is None:
        try:
            trial.table = tabulate(trial.mechanism, trial.crystal, present, particle.immobile)
        except UcnpError as error:
            greedy = error.law if isinstance(error, ReadsTooMuch) and isinstance(error.law, Watch) else None
            trial.refused.append((error, greedy))
            if greedy is None:
                return
            _leave_out(trial.mechanism, greedy)
            if not any(rules_of(part, active=True) for _, part in parts_of(trial.mechanism)):
                return


def _leave_out(mechanism: Mechanism, watch: Watch) -> None:
    mechanism.hops = [rule for rule in mechanism.hops if rule.law is not watch]
    for _, part in parts_of(mechanism):
        part.site_rules = [rule for rule in part.site_rules if rule.law is not watch]


def _ask(trial: Trial, found: list[Rate], closely: bool) -> None:
    table = trial.table
    assert table is not None
    alive: deque[Any] = deque(maxlen=_ALIVE)

    def env(row: int) -> HopEnv | SiteEnv:
        made = with_absent(table.environment(row))
        alive.append(made)
        return made

    outside = {id(w): [(o, o.content()) for o in outside_of(w.law)] for w in trial.watches.values()}
    seen: set[tuple[int, str]] = set()
    for rate in found:
        watch, here = trial.watch_of(rate.rule), env(rate.row)
        answers = Answers(rate, repr(here))
        trial.answers.append(answers)
        for attempt in range(2 if closely else 1):
            try:
                answers.said.append(watch.again(here) if attempt else watch.observed(env(rate.row)))
            except BadRate as error:
                answers.said.append(None)
                answers.refusal = answers.refusal or (error, watch.last)
                watch.refused = True
        if closely:
            for one, before in outside[id(watch)]:
                if one.key not in seen and one.content() != before:
                    seen.add(one.key)
                    trial.changed.append((one, answers.environment))
    if closely:
        for answers in _shuffled(trial.answers):
            watch = trial.watch_of(answers.rate.rule)
            try:
                answers.said.append(watch.again(env(answers.rate.row)))
            except BadRate:
                answers.said.append(None)


def _shuffled(answers: list[Answers]) -> Iterator[Answers]:
    order = list(answers)
    random.Random(SHUFFLE).shuffle(order)
    yield from order
