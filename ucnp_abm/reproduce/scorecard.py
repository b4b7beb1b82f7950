"""The scorecard: what the paper says, what the model says, and whether the two agree. It computes nothing."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

import numpy as np

from ucnp_abm.reproduce.calibrate import targets
from ucnp_abm.reproduce.samples import SHELLS_NM, YB_PCT
from ucnp_abm.study.numbers import statistics

WITHIN = 1.5
"""A number agrees if it lies within this factor of the paper's."""
KINDS = ("calibrated", "predicted", "imposed by assumption", "out of scope")


@dataclass(frozen=True)
class Claim:
    """What the paper says.

    Attributes
    ----------
    id, subject, says : str
        The subject is 'light', 'atoms', 'neither' or 'imposed'.
    value : float or None
    why : str
        Why it is not scored.
    """

    id: str
    subject: str
    says: str
    value: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Score:
    """One line of the card.

    Attributes
    ----------
    id, says : str
    model : str
        What the model gives, with its 95 % interval over crystals.
    kind : str
        One of `KINDS`.
    verdict : str
    """

    id: str
    says: str
    model: str
    kind: str
    verdict: str


Numbers = Mapping[str, Sequence[float]]


def claims() -> list[Claim]:
    """All claims."""
    text = resources.files("ucnp_abm.reproduce").joinpath("claims.toml").read_text(encoding="utf-8")
    return [Claim(**each) for each in tomllib.loads(text)["claim"]]


def interval(values: Sequence[float]) -> str:
    """Geometric mean over crystals with its 95 % interval (of the logarithms: what counts are ratios)."""
    found = statistics.mean(np.log(values))
    ends = "" if found.n_values == 1 else f" [{_digits(math.exp(found.low))}, {_digits(math.exp(found.high))}]"
    return _digits(math.exp(found.value)) + ends


def middle(values: Sequence[float]) -> float:
    """Geometric mean."""
    return math.exp(float(np.mean(np.log(values))))


def number(values: Sequence[float], paper: float) -> str:
    """Verdict on a number."""
    ratio = middle(values) / paper
    if 1 / WITHIN <= ratio <= WITHIN:
        return f"agrees within a factor of {WITHIN:g}"
    return f"misses: {_digits(ratio)} of the paper's" if ratio < 1 else f"misses: {_digits(ratio)} times the paper's"


def score_light(numbers: Numbers, band: str, definition: str) -> list[Score]:
    """The card of one rate set.

    Parameters
    ----------
    numbers : mapping
        Every prediction by name: one value for each crystal.
    band : str
        Of the quantum yield.
    definition : str
        Of the lifetime, such as 'pulse, 1/e'.
    """
    makers = _makers(numbers, targets(), band, definition)
    return [_score(claim, makers) for claim in claims() if claim.subject == "light"]


def _score(claim: Claim, makers: Mapping[str, Callable[[Claim], tuple[str, str, str]]]) -> Score:
    return Score(claim.id, claim.says, *makers[claim.id](claim))


def unscored() -> list[Score]:
    """The claims that no model here speaks about."""
    kinds = {"neither": "out of scope", "imposed": "imposed by assumption"}
    return [Score(c.id, c.says, "-", kinds[c.subject], c.why) for c in claims() if c.subject in kinds]


def plain(scores: Sequence[Score]) -> list[dict[str, Any]]:
    """Scores as plain data."""
    return [asdict(score) for score in scores]


def _makers(n: Numbers, data: Mapping[str, float], band: str, definition: str) -> dict[str, Any]:
    """For each claim a function to (model, kind, verdict)."""

    def calibrated(key: str, target: str) -> Any:
        return lambda _: (interval(n[key]), "calibrated", number(n[key], data[target]))

    def lifetime(_: Claim) -> tuple[str, str, str]:
        before, after = (n[f"lifetime {when}, {definition}_ms"] for when in ("before", "after"))
        verdicts = [number(before, data["lifetime_before_ms"]), number(after, data["lifetime_after_ms"])]
        verdict = verdicts[0] if verdicts[0] == verdicts[1] else f"before {verdicts[0]}; after {verdicts[1]}"
        return f"{interval(before)} -> {interval(after)} ms ({definition})", "calibrated", verdict

    def no_gain(_: Claim) -> tuple[str, str, str]:
        lost = middle(n["none/pristine"]) <= 1.2
        return interval(n["none/pristine"]), "predicted", "agrees" if lost else "misses: it gains"

    def shell_gain(_: Claim) -> tuple[str, str, str]:
        ratios = [b / a for a, b in zip(n["shell-1nm+y/core"], n["shell-2nm+y/core"], strict=True)]
        told = ", ".join(f"{nm:g} nm {interval(n[f'shell-{nm:g}nm+y/core'])}" for nm in SHELLS_NM)
        slight = 0.9 <= middle(ratios) <= 2.0
        verdict = "agrees" if slight else f"misses: {_digits(middle(ratios))}"
        return f"over the core: {told}", "predicted", f"{verdict} (2 nm over 1 nm: {interval(ratios)})"

    def shell_lifetime(claim: Claim) -> tuple[str, str, str]:
        found = {nm: n[f"shell-{nm:g}nm+y lifetime_ms"] for nm in SHELLS_NM}
        means = [middle(values) for values in found.values()]
        told = ", ".join(f"{nm:g} nm {interval(values)}" for nm, values in found.items())
        flat = max(means) / min(means) <= 1.25
        verdict = f"{'flat, as said' if flat else 'not flat'}; the value {number(means, claim.value or 1.0)}"
        return f"{told} ms", "predicted", verdict

    def gd(_: Claim) -> tuple[str, str, str]:
        told = f"Gd over Y: {interval(n['gd/y'])} by default; " + "; ".join(
            f"why={why} {interval(n[f'gd-{why}/y'])}" for why in ("weaker-binding", "slower")
        )
        less = middle(n["gd/y"]) < 0.99
        verdict = "agrees" if less else "misses by default: nothing makes Gd weaker; why=empirical would impose 0.9"
        return told, "predicted", verdict

    def gd_reason(_: Claim) -> tuple[str, str, str]:
        told = f"why=gd-path: 450 nm {interval(n['gd-gd-path/y'])}"
        if "gd-gd-path/y uv" in n:
            told += f", 345 nm {interval(n['gd-gd-path/y uv'])}"
        spared = middle(n["gd-gd-path/y"]) > 0.9
        verdict = "misses: it cannot dim 450 nm, 1D2 lies below Gd" if spared else "possible"
        return told, "predicted", verdict

    def series(reference: str) -> Any:
        def made(claim: Claim) -> tuple[str, str, str]:
            found = {yb: n[f"yb-{yb}+y/{reference.format(yb=yb)}"] for yb in YB_PCT}
            told = ", ".join(f"{yb} % {interval(values)}" for yb, values in found.items())
            best = max(found.values(), key=middle) if claim.id == "three-orders" else found[YB_PCT[-1]]
            return told, "predicted", number(best, claim.value or 1.0)

        return made

    def solvents(_: Claim) -> tuple[str, str, str]:
        found = {name: n[f"y in {name}"] for name in ("ethanol", "water")}
        told = ", ".join(f"{name} {interval(values)}" for name, values in found.items())
        strong = min(map(middle, found.values())) > 10
        return told, "predicted", "agrees" if strong else "misses: hardly a gain"

    def er(_: Claim) -> tuple[str, str, str]:
        if "er" not in n:
            return "-", "out of scope", "the rate set has no levels of Er"
        return f"545 nm {interval(n['er'])}", "predicted", "agrees" if middle(n["er"]) > 2 else "misses: hardly a gain"

    def ratio(key: str) -> Any:
        return lambda claim: (interval(n[key]), "predicted", number(n[key], claim.value or 1.0))

    return {
        "y-gain-450": calibrated("gain_450", "gain_450"),
        "y-gain-qy": calibrated(f"gain_qy {band}", "gain_qy"),
        "lifetime": lifetime,
        "core-to-core-shell": ratio("core-shell/core"),
        "no-complex-no-gain": no_gain,
        "shell-gain": shell_gain,
        "shell-lifetime": shell_lifetime,
        "gd-below-y": gd,
        "gd-reason": gd_reason,
        "yb-series": series("yb-{yb}"),
        "three-orders": series("core-shell"),
        "polar-solvents": solvents,
        "er-activated": er,
    }


def _digits(value: float) -> str:
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"
