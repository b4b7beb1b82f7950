"""Detailed balance, worked out once more from the rows, the declared energies and what the laws say now."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ucnp_abm.errors import UcnpError
from ucnp_abm.rules.check import check_potentials
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.rules.ruleset import HopRule, SiteRule
from ucnp_abm.rules.table import Block, RateTable
from ucnp_abm.workbench.checking.finding import ERROR, Finding
from ucnp_abm.workbench.checking.trial import Answers, Trial
from ucnp_abm.workbench.checking.watching import Watch

SAME = 1e-9
"""Energies / eV that differ by less are the same, as far as sums of declared energies can tell."""


def balance(trial: Trial) -> Iterator[Finding]:
    """Forward and backward activation energies differ by the declared energies, for every reversible event."""
    yield from potentials(trial)
    table = trial.table
    if table is None:
        return
    at = {(_key(table, block := table.block_of(a.rate.row)), a.rate.row - block.start): a for a in trial.answers}
    worst: dict[int, tuple[float, Watch, Answers, str]] = {}
    for answers in trial.answers:
        rate, block = answers.rate, table.block_of(answers.rate.row)
        if rate.back is None or answers.refusal:
            continue
        back = at.get((_reverse_key(table, block), rate.row - block.start))
        watch = trial.watch_of(block.rule)
        if back is None:
            yield Finding("detailed balance", ERROR, f"{rate.event} has no way back in the table", watch.place())
            continue
        wrong, text = _unbalanced(trial.mechanism, block.rule, answers, back)
        if wrong > worst.get(id(watch), (SAME,))[0]:
            worst[id(watch)] = wrong, watch, answers, f"the law '{watch.__name__}' {text}"
    for _, watch, answers, text in worst.values():
        yield Finding("detailed balance", ERROR, text, watch.place(), answers.environment)


def potentials(trial: Trial) -> Iterator[Finding]:
    """Chemical potentials do not contradict each other around a cycle."""
    rules = trial.mechanism.active_site_rules()
    for n in range(1, 1 + len(rules)):
        try:
            check_potentials(trial.mechanism.name, rules[:n])
        except UcnpError as error:
            text = str(error).removeprefix(f"{trial.mechanism.name}: ")
            yield Finding("detailed balance", ERROR, text, trial.watch_of(rules[n - 1]).place())
            return


def _unbalanced(mechanism: Mechanism, rule: HopRule | SiteRule, there: Answers, back: Answers) -> tuple[float, str]:
    """By how much / eV two ways miss the balance, and why; rows first, then the laws as they answer now."""
    step = _declared(mechanism, rule, there)
    forward, backward = there.rate.activation, back.rate.activation
    wanted = _activation(there, step), _activation(back, -step)
    missed = max(_apart(forward, wanted[0]), _apart(backward, wanted[1]), _apart(forward, backward + step))
    if missed > SAME:
        return missed, (
            f"has E_a = {energy(forward)} there and {energy(backward)} back; with declared energies that differ by "
            f"{step:.6g} eV it should be {energy(wanted[0])} and {energy(wanted[1])}"
        )
    there_now, back_now = there.said[1], back.said[2]
    if there_now is None or back_now is None:
        return 0.0, ""
    return _apart(there_now, back_now), (
        f"says {energy(there_now)} there and {energy(back_now)} back when it is asked anew; a barrier is the same "
        "both ways"
    )


def _activation(answers: Answers, step: float) -> float:
    """E_a / eV by the formulas of the documentation, independently of the table and the kernels."""
    barrier = answers.rate.barrier
    if answers.rate.verb == "hop":
        return max(barrier + step / 2, step, 0.0)
    if answers.rate.verb.startswith("un"):  # the way back of a fill, whose energy rises by -step
        return max(barrier, -step, 0.0) + step
    return max(barrier, step, 0.0)


def _apart(one: float, other: float) -> float:
    return 0.0 if one == other else abs(one - other)


def _declared(mechanism: Mechanism, rule: HopRule | SiteRule, answers: Answers) -> float:
    """The energy difference / eV of an event, from what is declared; that of neighbour pairs is the same both ways."""
    sites, _ = mechanism.energies()
    where = answers.rate.where

    def at(symbol: str, number: int) -> float:
        """Energy / eV of a species at the start (0) or end (1) of a hop, or on the site."""
        zone = str(where.get("zones", where.get("zone"))).split("->")[number]
        level = str(where.get("levels", where.get("level", ""))).split("->")
        return sites.get((symbol, zone), 0.0) + (sites.get((symbol, int(level[number])), 0.0) if level[0] else 0.0)

    if isinstance(rule, HopRule):
        mover = answers.rate.species
        return at(mover, 1) + at("vacancy", 0) - at(mover, 0) - at("vacancy", 1)
    rise = at(rule.after, 0) - at(rule.before, 0) - float(rule.potential)
    return -rise if answers.rate.verb.startswith("un") else rise


def _key(table: RateTable, block: Block) -> tuple[Any, ...]:
    """What identifies a block: where it is, in which direction."""
    if isinstance(block.rule, HopRule):
        return ("hop", *block.where, *block.levels)
    channel = table.channels[block.where[0] - 1]
    return (channel.before, channel.after, channel.drive, *block.where[1:], *block.levels)


def _reverse_key(table: RateTable, block: Block) -> tuple[Any, ...]:
    """The same for the way back: ends exchanged, or occupants."""
    if isinstance(block.rule, HopRule):
        mover, bond, vacant, occupied = block.where
        return ("hop", mover, bond, occupied, vacant, *reversed(block.levels))
    channel = table.channels[block.where[0] - 1]
    return (channel.after, channel.before, channel.drive, *block.where[1:], *block.levels)


def energy(value: float | None) -> str:
    """A barrier / eV as findings show it."""
    return "nothing of use" if value is None else "None" if math.isinf(value) else f"{value:.6g} eV"
