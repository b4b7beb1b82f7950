"""Which assumption carries a verdict, in one or two sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ucnp_abm.errors import BadInput
from ucnp_abm.study.sensitivity import Effect, Influence, side, size
from ucnp_abm.study.statistics import Mean

SHRUNK = 0.5
"""A difference that keeps its sign, but less than this share of its size, is told all the same."""
_TOLD = 4
"""So many of them are told one by one."""


def verdict(found: Sequence[Influence] | Sequence[Effect], unit: str, title: str, labels: tuple[str, str]) -> str:
    """The assumptions that turn the verdict, worst first; how much the others matter; or that there is no verdict.

    Parameters
    ----------
    found : sequence of Influence, or of Effect
        From `one_at_a_time` or `factorial`.
    unit : str
        Of a difference, as in 'points'; may be empty.
    title : str
        Of the observable.
    labels : (str, str)
        What is compared, and with what.

    Raises
    ------
    BadInput
        If nothing was varied.
    """
    if not found:
        raise BadInput("verdict: expected at least one assumption that was varied, got none")
    influences = [each for each in found if isinstance(each, Influence)]
    effects = [each for each in found if isinstance(each, Effect)]
    base = effects[0].overall if effects else influences[0].base
    where = f" on average over {effects[0].n_points} points" if effects else ""
    if side(base) == 0:
        text = f"There is no verdict to turn: in {title}, {labels[0]} differs from {labels[1]}{where} by"
        why = "one replicate says nothing about chance" if base.n_values < 2 else "which has no clear sign"
        ending = _what_is_clear(influences, unit) if influences else _most(effects)
        return f"{text} {_with_unit(base.interval('+'), unit)}, {why}. {ending}"
    subject = f"that {labels[0]} is {'above' if side(base) > 0 else 'below'} {labels[1]} in {title}"
    return f"The verdict {subject} {_alone(influences, unit) if influences else _together(effects, unit)}"


def _alone(influences: list[Influence], unit: str) -> str:
    """Of assumptions that were changed one at a time."""
    base = influences[0].base
    flips = [each for each in influences if each.flips]
    if not flips:
        low, high = _ends([base, *(each.contrast for each in influences)])
        most = max(influences, key=lambda each: size(each.change.value))
        text = (
            f"is turned by no assumption tried here: the difference stays between {low} and "
            f"{_with_unit(high, unit)}, changed furthest by {most.assumption} = {most.level}."
        )
        return text + _shrunk(influences, unit)
    carriers = list(dict.fromkeys(each.assumption for each in flips))
    turns = [f"with {each.assumption} = {each.level} {_move(base, each.contrast, each.change, unit)}" for each in flips]
    others = [each for each in influences if each.assumption not in carriers]
    ending = ""
    if others:
        most = max(others, key=lambda each: size(each.change.value))
        ending = f"; no other assumption changes it by more than {_with_unit(_amount(most.change), unit)}"
    return f"rests on {_listed(carriers)}: {'; '.join(turns)}{ending}."


def _shrunk(influences: list[Influence], unit: str) -> str:
    """Which changes leave less than half of the difference: its sign is not all that a reader wants to know."""
    base = influences[0].base.value
    shrunk = sorted(
        (each for each in influences if abs(each.contrast.value) < SHRUNK * abs(base)),
        key=lambda each: abs(each.contrast.value),
    )
    if not shrunk:
        return ""
    shown = [
        f"{each.assumption} = {each.level} ({100 * each.contrast.value / base:.0f} %)" for each in shrunk[:_TOLD]
    ] + ([f"{len(shrunk) - _TOLD} more"] if len(shrunk) > _TOLD else [])
    size_of = _with_unit(_number(influences[0].base.interval("+")), unit)
    return f" But less than half of {size_of} is left with {_listed(shown)}."


def _together(effects: list[Effect], unit: str) -> str:
    """Of a full factorial."""
    overall, n = effects[0].overall, effects[0].n_points
    flips = [(each, level) for each in effects for level in each.flips]
    flips.sort(key=lambda found: size(found[0].means[found[1]].value - overall.value), reverse=True)
    if flips:
        carriers = list(dict.fromkeys(each.assumption for each, _ in flips))
        turns = [
            f"with {each.assumption} = {level} the mean difference is "
            f"{_with_unit(each.means[level].interval('+'), unit)}, against {overall.interval('+')} over all {n} "
            f"points, and is unclear or has the other sign at {each.flips_pct[level]:.0f} % of the points"
            for each, level in flips
        ]
        return f"rests on {_listed(carriers)}: {'; '.join(turns)}. {_most(effects)}"
    level_pct, assumption, level = max(
        ((pct, each.assumption, level) for each in effects for level, pct in each.flips_pct.items()),
        key=lambda found: found[0],
    )
    means = {(e.assumption, name): each for e in effects for name, each in e.means.items()}
    low, high = (pick(means, key=lambda key: means[key].value) for pick in (min, max))
    ends = [f"{_with_unit(_number(means[e].interval('+')), unit)} ({e[0]} = {e[1]})" for e in (low, high)]
    stays = f"averaged over the others, single levels give from {ends[0]} to {ends[1]}"
    if level_pct > 0:
        pct = _mean_pct(effects[0])
        return (
            f"is turned by no single assumption ({stays}), but by some of them together: the difference is unclear or "
            f"has the other sign at {pct:.0f} % of the {n} points, most often with {assumption} = {level} "
            f"({level_pct:.0f} %). {_most(effects)}"
        )
    return f"holds at all {n} points: {stays}. {_most(effects)}"


def _move(base: Mean, contrast: Mean, change: Mean, unit: str) -> str:
    falls = "falls" if abs(contrast.value) < abs(base.value) else "goes"
    verb = "turns" if side(contrast) == -side(base) else falls
    chance = ", a change that could itself be chance" if side(change) == 0 else ""
    ends = f"from {base.interval('+')} to {_with_unit(contrast.interval('+'), unit)}"
    return f"the difference {verb} {ends}{chance}"


def _what_is_clear(influences: list[Influence], unit: str) -> str:
    clear = [each for each in influences if side(each.contrast)]
    if not clear:
        return "No assumption tried here makes it clear."
    found = [f"{e.assumption} = {e.level} ({_with_unit(e.contrast.interval('+'), unit)})" for e in clear]
    return f"It is clear with {_listed(found)}."


def _most(effects: list[Effect]) -> str:
    most = max(effects, key=lambda each: size(each.total_order))
    if math.isnan(most.total_order):
        return "No variance between the points could be told apart."
    others = sorted((e for e in effects if e is not most), key=lambda each: size(each.total_order), reverse=True)
    second = [e for e in others[:1] if e.total_order > 0.5 * most.total_order]
    more = "".join(f", {e.assumption} for {100 * e.first_order:.0f} % and {100 * e.total_order:.0f} %" for e in second)
    return (
        f"Of the variance between points, {most.assumption} accounts for {100 * most.first_order:.0f} % alone and "
        f"{100 * most.total_order:.0f} % with its interactions{more}."
    )


def _mean_pct(effect: Effect) -> float:
    """Over all points: each level has equally many."""
    return sum(effect.flips_pct.values()) / len(effect.flips_pct)


def _ends(contrasts: list[Mean]) -> tuple[str, str]:
    """The lowest and the highest mean."""
    low, high = (choose(contrasts, key=lambda each: each.value) for choose in (min, max))
    return _number(low.interval("+")), _number(high.interval("+"))


def _amount(change: Mean) -> str:
    return _number(change.interval()).lstrip("-")


def _number(interval: str) -> str:
    """Without the interval, but with the digits that it gives."""
    return interval.partition(" [")[0]


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}".rstrip()


def _listed(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
