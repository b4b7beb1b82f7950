"""Figure 4 of the paper, which is about atoms: mixing, vacancies, yttrium, and how many cations surround Yb."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import IONS, SPECIES
from ucnp_abm.reproduce.samples import sample
from ucnp_abm.reproduce.scorecard import Score, claims, interval

SHOWN = ("monte-carlo", "haadf-eds", "y-content", "coordination")


def coordination(crystal: Crystal, occupants: NDArray[np.uint8]) -> float:
    """Mean number of cations next to a Yb, of z sites in the bulk: a neighbouring vacancy or the surface takes one."""
    cation = np.zeros(max(s.code for s in SPECIES.values()) + 1, dtype=bool)
    cation[[SPECIES[symbol].code for symbol in IONS]] = True
    around = crystal.bonds[occupants == SPECIES["Yb"].code]
    return float((cation[occupants[np.maximum(around, 0)]] & (around >= 0)).sum(axis=1).mean())


def numbers(seed: int) -> dict[str, float]:
    """What an hour at 300 °C does to one crystal, without and with Y-oleate."""
    found: dict[str, float] = {}
    for name in ("standard", "standard+none", "standard+y"):
        made = sample(name).make(seed)
        held = made.state.species[made.crystal.sites]
        core = made.crystal.layer == 0
        yb = held == SPECIES["Yb"].code
        origins = made.state.origin[made.state.slot[made.crystal.sites]]
        found[f"{name}: core ions outside the core_pct"] = 100 * float((~core[origins == 0]).mean())
        found[f"{name}: Yb in the shell_pct"] = 100 * float((yb & ~core).sum() / yb.sum())
        found[f"{name}: vacancies"] = made.state.n_vacancies
        found[f"{name}: Y"] = int((held == SPECIES["Y"].code).sum())
        found[f"{name}: cations around Yb"] = coordination(made.crystal, held)
    return found


def score(seen: Sequence[dict[str, float]]) -> list[Score]:
    """The claims about atoms."""

    def of(key: str) -> list[float]:
        return [each[key] for each in seen]

    def told(key: str) -> str:
        values = [of(f"{name}: {key}") for name in ("standard", "standard+none", "standard+y")]
        shown = [interval(v) if min(v) > 0 else f"{np.mean(v):.3g}" for v in values]
        return f"as grown {shown[0]}, no complex {shown[1]}, Y {shown[2]}"

    def mean(key: str) -> float:
        return float(np.mean(of(key)))

    mixed, kept = (mean(f"standard{s}: core ions outside the core_pct") for s in ("+none", "+y"))
    leaked, held = (mean(f"standard{s}: Yb in the shell_pct") for s in ("+none", "+y"))
    around = [mean(f"standard{s}: cations around Yb") for s in ("", "+none", "+y")]
    verdicts = {
        "monte-carlo": (
            f"% of core ions outside: {told('core ions outside the core_pct')}; vacancies: {told('vacancies')}",
            mixed > 3 * kept and mean("standard+y: vacancies") < 0.05 * mean("standard: vacancies"),
        ),
        "haadf-eds": (f"% of Yb in the shell: {told('Yb in the shell_pct')}", leaked > 3 * held),
        "y-content": (f"Y ions: {told('Y')}", mean("standard+y: Y") > mean("standard: Y")),
        "coordination": (
            f"cations around Yb (not fluorine, which is not modelled): {told('cations around Yb')}",
            around[2] > around[0] > around[1],
        ),
    }
    return [
        Score(c.id, c.says, verdicts[c.id][0], "predicted", "agrees" if verdicts[c.id][1] else "misses")
        for c in claims()
        if c.id in SHOWN
    ]
