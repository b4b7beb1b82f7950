"""Which assumption carries a verdict, in one or two sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ucnp_abm.errors import BadInput
from ucnp_abm.study.numbers.sensitivity import Effect, Influence, side, size
from ucnp_abm.study.numbers.statistics import Mean


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
    where = f" on average over {effects[0].n_points} settings" if effects else ""
    if side(base) == 0:
        text = f"There is no verdict to turn: in {title}, {labels[0]} differs from {labels[1]}{where} by"
        why = "one replicate says nothing about chance" if base.n_values < 2 else "no clear sign"
        ending = _what_is_clear(influences, unit) if influences else _most(effects)
        return f"{text} {_with_unit(base.interval('+'), unit)} ({why}). {ending}"
    subject = f"{title}: {labels[0]} {'above' if side(base) > 0 else 'below'} {labels[1]}"
    return f"The verdict ({subject}) {_alone(influences, unit) if influences else _together(effects, unit)}"


def _alone(influences: list[Influence], unit: str) -> str:
    """Of assumptions that were changed one at a time; a flip that may be chance carries nothing, and is told last."""
    base = influences[0].base
    flips = [each for each in influences if each.flips and side(each.change)]
    carriers = list(dict.fromkeys(each.assumption for each in flips))
    unclear = _unclear([each for each in influences if each.flips and not side(each.change)])
    if not flips:
        low, high = _ends([base, *(each.contrast for each in influences)])
        most = max(influences, key=lambda each: size(each.change.value))
        return (
            f"is turned by no assumption tried here: the difference stays between {low} and "
            f"{_with_unit(high, unit)}, changed furthest by {most.assumption} = {most.level}"
            f"{_fading(influences, unit)}.{unclear}"
        )
    turns = [f"with {each.assumption} = {each.level} {_move(base, each.contrast, unit)}" for each in flips]
    others = [each for each in influences if each.assumption not in carriers]
    ending = ""
    if others:
        most = max(others, key=lambda each: size(each.change.value))
        ending = f"; no other assumption changes it by more than {_with_unit(_amount(most.change), unit)}"
    return f"rests on {_listed(carriers)}: {'; '.join(turns)}{ending}.{unclear}"


def _unclear(found: list[Influence]) -> str:
    """Of assumptions with which the verdict is lost, by a change that could be chance."""
    if not found:
        return ""
    names = _listed([f"{each.assumption} = {each.level}" for each in found])
    return (
        f" With {names} there is no clear difference, but the change could itself be chance: more crystals would tell."
    )


def _fading(influences: list[Influence], unit: str) -> str:
    """The assumptions that leave less than half of the difference, and how much of it."""
    base = influences[0].base.value
    weak = {each: each.contrast.value / base for each in influences if abs(each.contrast.value) < abs(base) / 2}
    if not weak:
        return ""
    named = [f"{each.assumption} = {each.level} ({100 * left:.0f} %)" for each, left in weak.items()]
    whole = _with_unit(_number(influences[0].base.interval("+")), unit)
    return f"; less than half of {whole} is left with {_listed(named)}"


def _together(effects: list[Effect], unit: str) -> str:
    """Of a full factorial."""
    overall, n = effects[0].overall, effects[0].n_points
    flips = [(each, level) for each in effects for level in each.flips]
    flips.sort(key=lambda found: size(found[0].means[found[1]].value - overall.value), reverse=True)
    if flips:
        carriers = list(dict.fromkeys(each.assumption for each, _ in flips))
        turns = [
            f"with {each.assumption} = {level} the mean difference is "
            f"{_with_unit(each.means[level].interval('+'), unit)} instead of {overall.interval('+')} "
            f"over all {n} settings, and {each.flips_pct[level]:.0f} % of its settings have another verdict"
            for each, level in flips
        ]
        return f"rests on {_listed(carriers)}: {'; '.join(turns)}. {_most(effects)}"
    level_pct, assumption, level = max(
        ((pct, each.assumption, level) for each in effects for level, pct in each.flips_pct.items()),
        key=lambda found: found[0],
    )
    low, high = _ends([each for effect in effects for each in effect.means.values()])
    stays = f"its mean at any one level stays between {low} and {_with_unit(high, unit)}"
    if level_pct > 0:
        pct = _mean_pct(effects[0])
        return (
            f"is turned by no assumption alone ({stays}), but by some of them together, at {pct:.0f} % "
            f"of the {n} settings, most often with {assumption} = {level} ({level_pct:.0f} %). {_most(effects)}"
        )
    return f"holds at all {n} settings: {stays}. {_most(effects)}"


def _move(base: Mean, contrast: Mean, unit: str) -> str:
    verb = "falls" if abs(contrast.value) < abs(base.value) else "goes"
    if side(contrast) == -side(base):
        verb = "turns"
    return f"the difference {verb} from {base.interval('+')} to {_with_unit(contrast.interval('+'), unit)}"


def _what_is_clear(influences: list[Influence], unit: str) -> str:
    clear = [each for each in influences if side(each.contrast)]
    if not clear:
        return "No assumption tried here makes it clear."
    found = [f"{e.assumption} = {e.level} ({_with_unit(e.contrast.interval('+'), unit)})" for e in clear]
    return f"It is clear with {_listed(found)}."


def _most(effects: list[Effect]) -> str:
    most = max(effects, key=lambda each: size(each.total_order))
    if math.isnan(most.total_order):
        return "No two settings differ."
    alone, together = f"{100 * most.first_order:.0f} %", f"{100 * most.total_order:.0f} %"
    interactions = "" if together == alone else f" alone and {together} with its interactions"
    others = sorted((each for each in effects if each is not most), key=lambda each: -size(each.total_order))
    second = [each for each in others[:1] if each.total_order > 0.5 * most.total_order]
    more = "".join(f", {each.assumption} for {100 * each.total_order:.0f} % with its own" for each in second)
    return f"Of the variance between settings, {most.assumption} accounts for {alone}{interactions}{more}."


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
