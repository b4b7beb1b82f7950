"""Light over an anneal: of the snapshots of a run directory, or of crystals that are grown and annealed here.

A number that is not defined is a sentence that says why, never nan.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ucnp_abm.crystal.crystal import Crystal
from ucnp_abm.crystal.species import SPECIES, VACANCY
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.engine.simulation import Scheduler, Simulation
from ucnp_abm.errors import BadInput, NotConverged
from ucnp_abm.photons.light import Light, light
from ucnp_abm.photons.network import CHANNELS
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import LINES
from ucnp_abm.rules.mechanism import Mechanism
from ucnp_abm.runs import rundir
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.study.cells import Recipe
from ucnp_abm.viz.extxyz import frames_in

NOTHING = 1e-9
"""Share below which there is none: what rounding leaves."""
Value = float | str
"""A number, or the reason why there is none."""
Say = Callable[[str], object]


@dataclass(frozen=True, eq=False)
class Still:
    """A crystal at one moment, as `ucnp_abm.light` takes it.

    Attributes
    ----------
    crystal : Crystal
    occupants : (N,) uint8
        Species code on each site.
    mechanism : object
        Whose `values` may say what it means for light.
    """

    crystal: Crystal
    occupants: NDArray[np.uint8]
    mechanism: Any

    def count(self, code: int) -> int:
        """Sites with a species."""
        return int((self.occupants == code).sum())


@dataclass(frozen=True, eq=False)
class Moment:
    """One crystal or several, at one moment of an anneal, and their light.

    Attributes
    ----------
    steps, time_s : float
        Since the beginning; time / s.
    stills : tuple of Still
    light : Light
    """

    steps: float
    time_s: float
    stills: tuple[Still, ...]
    light: Light

    @property
    def label(self) -> str:
        """'as grown' or '1000 steps'."""
        return "as grown" if self.steps == 0 else f"{self.steps:.6g} steps"

    def lacks(self, *symbols: str) -> str:
        """Why there is no light of these ions: none of them is in one of the crystals; empty if they are."""
        for n, still in enumerate(self.stills, 1):
            if not any(still.count(SPECIES[symbol].code) for symbol in symbols):
                where = "in this crystal" if len(self.stills) == 1 else f"in crystal {n} of {len(self.stills)}"
                return f"no {' and no '.join(symbols)} {where}"
        return ""

    @property
    def counts(self) -> dict[str, float]:
        """Yb, Tm, Er and vacancies, mean over the crystals; ions that are nowhere are left out."""
        wanted = {symbol: SPECIES[symbol].code for symbol in ("Yb", "Tm", "Er")} | {"vacancies": VACANCY}
        found = {name: float(np.mean([s.count(code) for s in self.stills])) for name, code in wanted.items()}
        return {name: n for name, n in found.items() if n or name in ("Yb", "vacancies")}

    @property
    def main(self) -> str:
        """The line that time courses follow: 450 nm, or 545 nm where there is Er and no Tm."""
        return "545" if self.lacks("Tm") and not self.lacks("Er") else "450"

    def energy(self) -> dict[str, Value]:
        """Where absorbed energy goes: numbers by key, shares as such, rates / 1/s, times / ms."""
        seen, dark = self.light, self.lacks("Yb")
        if dark:
            return dict.fromkeys(ENERGY, dark)
        dark = self.lacks("Tm", "Er")
        found: dict[str, Value] = {"absorbed_per_s": dark or seen.absorbed_per_s}
        found |= {f"share_{n}": share if share > NOTHING else 0.0 for n, share in seen.shares.items()}
        found |= {"k_eff_per_s": seen.k_eff, "k_mean_per_s": seen.k_mean}
        found["lifetime_yb_ms"] = 1e3 * float(np.mean([glow.fate.lifetime_s for glow in seen.glows]))
        found |= {"qy_all": dark or seen.quantum_yield("all")}
        found |= {"qy_without_800": dark or seen.quantum_yield("without-800")}
        return found

    def line(self, name: str, slopes: bool = False) -> dict[str, Value]:
        """Of one line: photons per second and crystal, lifetimes / ms of both kinds after both drives, slope."""
        dark = self.lacks("Yb") or self.lacks(LINES[name].ion)
        keys = ["per_s", *(f"{drive}_{kind}_ms" for drive in DRIVES for kind in ("1_e", "integral"))]
        keys += ["slope"] if slopes else []
        photons = 0.0 if dark else self.light.intensity(name)
        if not photons > 0:
            return dict.fromkeys(keys, dark or "does not shine") | ({} if dark else {"per_s": 0.0})
        found: dict[str, Value] = {"per_s": photons}
        for drive, asked in DRIVES.items():
            try:
                lived = self.light.lifetimes(name, asked)
                both: tuple[Value, Value] = (1e3 * lived.to_1_e_s, 1e3 * lived.integral_s)
            except NotConverged:
                both = ("longer than 0.1 s",) * 2
            found |= {f"{drive}_1_e_ms": both[0], f"{drive}_integral_ms": both[1]}
        if slopes:
            if name not in self._slopes:
                self._slopes[name] = self.light.slope(name)
            found["slope"] = self._slopes[name]
        return found

    @cached_property
    def _slopes(self) -> dict[str, float]:
        """What has been worked out: each takes two more solutions."""
        return {}

    def lines(self, slopes: bool = False) -> dict[str, dict[str, Value]]:
        """All lines of the ions that are there, by name."""
        return {name: self.line(name, slopes) for name, each in LINES.items() if not self.lacks(each.ion)}

    def course(self) -> dict[str, Value]:
        """The main numbers, a row of the time course."""
        line, energy = self.line(self.main), self.energy()
        found: dict[str, Value] = {f"i_{self.main}_per_s": line["per_s"], "qy_all": energy["qy_all"]}
        return found | {"k_eff_per_s": energy["k_eff_per_s"], f"tau_{self.main}_ms": line["pulse_1_e_ms"]}

    def transitions(self) -> list[tuple[str, str, str, float, float]]:
        """(ion, upper, lower, wavelength / nm, photons per second and crystal) of every transition, by wavelength."""
        if self.lacks("Yb") or self.lacks("Tm", "Er"):
            return []
        found: dict[tuple[str, str, str, float], float] = {}
        for glow in self.light.glows:
            emissions = [e for symbol in glow.populations.activators for e in glow.optics.set.ion(symbol).emissions]
            for each, (_, _, photons) in zip(emissions, glow.photons(), strict=True):
                key = (each.ion, each.upper, each.lower, each.wavelength_nm)
                found[key] = found.get(key, 0.0) + photons / len(self.light.glows)
        return sorted(((*key, photons) for key, photons in found.items()), key=lambda row: row[3])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was imposed, and where an assumption of the model fails."""
        return self.light.notes if self.lacks("Yb") or self.lacks("Tm", "Er") else self.light.warnings


DRIVES = {"pulse": "pulse", "cw_off": "cw-off"}
"""As results call them, and as `Light` does."""
ENERGY = ("absorbed_per_s", *(f"share_{name}" for name in CHANNELS), "k_eff_per_s", "k_mean_per_s", "lifetime_yb_ms",
          "qy_all", "qy_without_800")  # fmt: skip


def gain(value: Value, first: Value) -> Value:
    """How many times the first value it is."""
    if isinstance(value, str) or isinstance(first, str):
        return value if isinstance(value, str) else str(first)
    return value / first if first > 0 else "none at first"


def of_run(found: RunDirectory, optics: Optics, say: Say) -> Iterator[Moment]:
    """Every snapshot of a run directory, also while the run goes on.

    Raises
    ------
    BadInput
        If there is no snapshot, or the optics do not fit.
    DamagedData
        If one is not as it was written.
    """
    found.trust(lambda name: name.startswith(f"{rundir.SNAPSHOTS}/"))
    crystal, ran = found.particle.crystal, found.about.get("mechanism")
    values = ran.get("parameters") if isinstance(ran, dict) else None
    last: Moment | None = None
    for n, frame in enumerate(frames_in(found.path, crystal), 1):
        if last is not None and np.array_equal(last.stills[0].occupants, frame.occupants):
            last = replace(last, steps=frame.step, time_s=frame.time)  # nothing has moved
        else:
            say(f"light of snapshot {n}, at {frame.step:.6g} steps …")
            still = Still(crystal, frame.occupants, SimpleNamespace(values=values))
            last = _moment(frame.step, frame.time, [still], optics)
        yield last


def of_anneal(
    recipe: Recipe,
    mechanism: Mechanism,
    protocol: Protocol,
    length: tuple[float, bool],
    seeds: Sequence[tuple[int, int]],
    scheduler: Scheduler,
    optics: Optics,
    say: Say,
) -> Iterator[Moment]:
    """Crystals as grown, and after their anneal.

    Parameters
    ----------
    recipe, mechanism, protocol, scheduler, optics
    length : (float, bool)
        Of the anneal in steps, or in s if True.
    seeds : sequence of (int, int)
        Of crystal and events, for each crystal.
    say : callable
        Told what is being done.
    """
    before, after, end = [], [], (0.0, 0.0)
    for n, (grown, run) in enumerate(seeds, 1):
        say(f"growing and annealing crystal {n} of {len(seeds)} …" if len(seeds) > 1 else "growing and annealing …")
        simulation = Simulation(recipe.build(grown), mechanism, protocol, seed=run, scheduler=scheduler)
        before.append(_still(simulation))
        if length[1]:
            simulation.run(time=length[0])
        else:
            simulation.run(steps=length[0])
        after.append(_still(simulation))
        end = (simulation.steps, simulation.time)
    say("light as grown …")
    yield _moment(0.0, 0.0, before, optics)
    say("light after the anneal …")
    yield _moment(*end, after, optics)


def at_step(moments: Sequence[Moment], step: float | None) -> Moment:
    """The moment at a step; the last one for None.

    Raises
    ------
    BadInput
        If there is none.
    """
    if step is None:
        return moments[-1]
    best = min(moments, key=lambda each: abs(each.steps - step))
    if not abs(best.steps - step) <= 1e-5 * max(1.0, abs(best.steps)):
        shown = ", ".join(f"{each.steps:.6g}" for each in moments[:12]) + (", …" if len(moments) > 12 else "")
        raise BadInput(f"--step: no snapshot at {step:g} steps; the nearest is at {best.steps:.6g}, all: {shown}")
    return best


def _still(simulation: Simulation) -> Still:
    held = simulation.state.species[simulation.crystal.sites]
    return Still(simulation.crystal, held, simulation.mechanism)


def _moment(steps: float, time_s: float, stills: Sequence[Still], optics: Optics) -> Moment:
    return Moment(float(steps), float(time_s), tuple(stills), light(stills, optics))
