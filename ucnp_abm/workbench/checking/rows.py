"""What the environments of a tried mechanism show: barriers, there and back, what is read in vain."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.workbench.checking.balance import energy
from ucnp_abm.workbench.checking.finding import ERROR, WARNING, Finding, said_of
from ucnp_abm.workbench.checking.outside import line_of
from ucnp_abm.workbench.checking.trial import Answers, Trial, parts_of, rules_of
from ucnp_abm.workbench.checking.watching import Endless, Watch

USUAL = (0.05, 10.0)
"""Barriers / eV of hops outside of which a slip of the unit is likely."""


def barriers(trial: Trial) -> Iterator[Finding]:
    """Every answer is a finite barrier of at least 0 eV."""
    for watch, bad in _by_watch(trial, lambda a: a.refusal is not None):
        first = bad[0]
        assert first.refusal is not None
        error, last = first.refusal
        if isinstance(error.__cause__, RecursionError):
            text = f"the law '{watch.__name__}' calls itself without end; let it return a number in eV"
        else:
            text = said_of(watch.law, watch.part, first.environment, error)
        where = watch.place(None if isinstance(error.__cause__, Endless) else last)
        yield Finding("barriers", ERROR, text + _share(trial, watch, bad), where, first.environment)


def determinism(trial: Trial) -> Iterator[Finding]:
    """The same environment has the same barrier, whenever and in whatever order it is asked for."""
    for watch, bad in _by_watch(trial, lambda a: len(set(_every(trial, a))) > 1):
        worst = max(bad, key=lambda a: _spread(_every(trial, a)))
        low, *_, high = sorted(set(_every(trial, worst)), key=_order)
        text = (
            f"the law '{watch.__name__}' says {energy(low)} or {energy(high)} for the same environment; a barrier "
            "follows from env alone, so leave out random numbers, counters and the order of calls"
        )
        yield Finding("determinism", ERROR, text + _share(trial, watch, bad), watch.place(), worst.environment)


def reads(trials: Sequence[Trial]) -> Iterator[Finding]:
    """On every neighbour count that a law reads some barrier depends."""
    used: set[tuple[int, str]] = set()
    asked: dict[tuple[int, str], tuple[Watch, str]] = {}
    for trial in trials:
        groups: dict[tuple[int, str, Hashable], set[float | None]] = {}
        for answers in trial.answers:
            watch, told = trial.watch_of(answers.rate.rule), answers.rate.told
            for name in answers.rate.counts:
                if trial is trials[0]:
                    asked[id(watch), name] = watch, name
                others = tuple((n, v) for n, v in told.items() if n != f"n[{name}]")
                groups.setdefault((id(watch), name, (answers.rate.verb, others)), set()).add(answers.said[0])
        used |= {(law, name) for (law, name, _), said in groups.items() if len(said) > 1}
    for key, (watch, name) in asked.items():
        if key not in used:
            yield Finding(
                "unused reads",
                WARNING,
                f"the law '{watch.__name__}' reads n['{name}'], and no barrier depends on it; leave it out, for each "
                "count makes the table larger",
                watch.place(line_of(watch.law, name)),
            )


def levels(trials: Sequence[Trial]) -> Iterator[Finding]:
    """Where a mechanism divides the crystal, something depends on the levels, and each of them holds a site."""
    division = trials[0].mechanism.division
    if division is None:
        return
    place = trials[0].watch_of(rules_of(trials[0].mechanism)[0]).place() if rules_of(trials[0].mechanism) else ""
    held = {level for trial in trials if trial.table for _, level in trial.crystal.regions}
    empty = sorted(set(range(division.levels)) - held)
    if empty:
        text = (
            f"level {', '.join(map(str, empty))} along {division.along} holds no site in the crystals that were tried; "
            "take fewer levels, or another width"
        )
        yield Finding("unused reads", WARNING, text, place)
    energies = any(isinstance(where, int) for _, where in trials[0].mechanism.site_energies)
    groups: dict[Hashable, set[float | None]] = {}
    for answers in (one for trial in trials for one in trial.answers):
        told = tuple((name, value) for name, value in answers.rate.told.items() if name not in ("level", "levels"))
        groups.setdefault((id(answers.rate.rule.law), answers.rate.verb, told), set()).add(answers.said[0])
    if not (energies or empty or trials[0].sampled) and all(len(said) == 1 for said in groups.values()):
        text = (
            f"nothing depends on the levels along {division.along}; leave divide() out, for they make the table larger"
        )
        yield Finding("unused reads", WARNING, text, place)


def usual_units(trial: Trial) -> Iterator[Finding]:
    """Barriers of hops look like electronvolts."""
    for watch, rows in _by_watch(trial, lambda a: isinstance(a.rate.rule, HopRule)):
        said = [value for a in rows if (value := a.said[0]) is not None and math.isfinite(value)]
        if said and (min(said) > USUAL[1] or max(said) < USUAL[0]):
            span = f"{min(said):g} to {max(said):g}" if min(said) < max(said) else f"{said[0]:g}"
            text = (
                f"all barriers of the law '{watch.__name__}' are {span} eV, and usual are {USUAL[0]:g} to {USUAL[1]:g} "
                "eV; did you mean eV? Other units are written as in 1650 * meV"
            )
            yield Finding("usual units", WARNING, text, watch.place())


def application(trial: Trial) -> Iterator[Finding]:
    """Every rule that holds applies somewhere, and its event is not forbidden everywhere."""
    rows = _grouped(trial.answers, lambda a: _rule_key(a.rate.rule))
    rules = [rule for _, part in parts_of(trial.mechanism) for rule in rules_of(part, active=True)]
    groups = _grouped(rules, lambda rule: (id(rule.law), isinstance(rule, HopRule) or rule.verb))
    for alike in groups.values():  # rules of one law for many ions are said once, and may leave some ions out
        found = [answers for rule in alike for answers in rows.get(_rule_key(rule), ())]
        rule, watch = alike[0], trial.watch_of(alike[0])
        if id(watch) in trial.sampled:
            continue
        if not found:
            text = f"the rule of the law '{watch.__name__}' never applies: {_why_never(trial, rule)}"
            yield Finding("rules that apply", WARNING, text, watch.place())
        elif all(answers.rate.barrier == math.inf and not answers.refusal for answers in found):
            text = (
                f"the law '{watch.__name__}' forbids the event in all {len(found):,} environments; is a 'return' "
                "missing?"
            )
            yield Finding("rules that apply", WARNING, text, watch.place(), found[0].environment)


# --- helpers ---


def _by_watch(trial: Trial, wanted: Callable[[Answers], bool]) -> list[tuple[Watch, list[Answers]]]:
    found = _grouped((a for a in trial.answers if wanted(a)), lambda a: id(a.rate.rule.law))
    return [(trial.watch_of(rows[0].rate.rule), rows) for rows in found.values()]


def _grouped(items: Iterable[Any], key: Callable[[Any], Hashable]) -> dict[Hashable, list[Any]]:
    groups: dict[Hashable, list[Any]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def _every(trial: Trial, answers: Answers) -> list[float | None]:
    """All that a law said of one environment, what stands in the table first."""
    row = answers.rate.barrier
    return [None if answers.said[0] is None and math.isinf(row) else row, *answers.said]


def _spread(said: Sequence[float | None]) -> float:
    numbers = [math.inf if value is None else value for value in said]
    return max(numbers) - min(numbers) if min(numbers) < math.inf else 0.0


def _order(value: float | None) -> float:
    return math.inf if value is None else value


def _share(trial: Trial, watch: Watch, bad: Sequence[Answers]) -> str:
    asked = sum(1 for answers in trial.answers if answers.rate.rule.law is watch)
    share = f"all its {asked:,}" if len(bad) == asked else f"{len(bad):,} of its {asked:,}"
    return f" (in {share} environments)" if asked > 1 else ""


def _rule_key(rule: HopRule | SiteRule) -> Hashable:
    return (id(rule.law), *(rule.movers if isinstance(rule, HopRule) else (rule.before, rule.after)))


def _why_never(trial: Trial, rule: HopRule | SiteRule) -> str:
    particle = trial.particle
    if isinstance(rule, HopRule):
        stuck = [symbol for symbol in rule.movers if symbol in particle.immobile]
        which = "are immobile in" if stuck else "are not in"
        return f"{', '.join(rule.movers)} {which} this crystal"
    if not particle.crystal.exposed.any():
        return "this crystal has no exposed site"
    return f"no {rule.before} is in this crystal, and no rule brings it there"
