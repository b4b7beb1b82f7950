"""Mechanisms at random: refused before the run, or a run that keeps every promise that any run keeps."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fuzz.fuzzing import always, examples, one_sentence
from histories import SCHEDULERS, is_whole
from hypothesis import strategies as st
from oracle.test_tree import same_trees

from ucnp_abm import IONS, Mechanism, Particle, Simulation, mechanism
from ucnp_abm.errors import BadInput, BadMechanism, BadRate
from ucnp_abm.registry import installed
from ucnp_abm.runs import checkpoint

KINDS = ("core-shell", "ordered", "fcc box", "beta box")
PRESENT = ("Gd", "Yb", "Y", "Na")
ZONES = ("core", "shell", "interface", "surface", "bulk")
CHANGING = [0.0]


@cache
def particle(kind: str) -> Particle:
    """Tiny crystals: with a surface, or periodic."""
    if kind == "core-shell":
        return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="1.2 nm", shell="NaYF4", thickness="0.5 nm", seed=1)
    if kind == "ordered":
        return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="1.6 nm", order="ordered", seed=1)
    lattice, content = ("fcc", "Gd: 30% Yb, 20% Y") if kind == "fcc box" else ("beta", "NaGdF4: 30% Yb, 20% Y")
    return Particle.box(lattice=lattice, cells=(3, 3, 3), composition=content, vacancies=5, seed=2)


@dataclass(frozen=True)
class Law:
    """A law of numbers alone, so that an example shows what it does."""

    base: float
    zone: str = ""
    at: float | None = 0.0
    counts: tuple[tuple[str, float], ...] = ()

    def __call__(self, env: Any) -> float | None:
        site = getattr(env, "site", env) if not hasattr(type(env), "zones") and "site" in vars(env) else env
        where = (site.zone,) if "zone" in vars(site) else site.zones
        value = self.base + sum(slope * site.n[symbol] for symbol, slope in self.counts)
        if self.zone and any(self.zone in name for name in where):
            if self.at is None:
                return None
            value += self.at
        return max(value, 0.0)


def raising(error: type[BaseException]) -> Callable[[Any], float]:
    def law(env: Any) -> float:
        raise error("no")

    return law


def recursing(env: Any) -> float:
    return recursing(env)


def reading_all(env: Any) -> float:
    site = env.site if "site" in vars(env) else env
    return 1.0 + sum(0.01 * site.n[symbol] for symbol in IONS)


def changing(env: Any) -> float:
    CHANGING[0] += 1e-3
    return 1.5 + CHANGING[0]


def printing(env: Any) -> float:
    print(env)
    return 1.6


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


BAD: dict[str, Callable[[Any], Any]] = {
    **{repr(v): lambda env, v=v: v for v in (math.nan, math.inf, -1.0, -1e-300, "1.6", True, [1.6], 1j, {}, 10**400)},
    "10**5000": lambda env: 10**5000,
    "array": lambda env: np.array([1.6]),
    "no argument": lambda: 1.6,
    **{kind.__name__: raising(kind) for kind in (ValueError, KeyError, SystemExit, RecursionError, MemoryError)},
    "BadInput": raising(BadInput),
    "StopIteration": raising(StopIteration),
    "Unprintable": raising(Unprintable),
    "recursing": recursing,
    "all counts": lambda env: sum((env.site if "site" in vars(env) else env).n),
    "unknown species": lambda env: (env.site if "site" in vars(env) else env).n["Xx"],
    "unknown parameter": lambda env: env.p.barier,
    "setting a parameter": lambda env: setattr(env.p, "barrier", 1.0),
    "attribute": lambda env: env.temperature,
}
BARRIERS = st.sampled_from([0.0, 1e-9, 0.3, 1.0, 1.2, 1.5, 1.6, 1.65, 1.7, 2.5, 10.0, 999_999.0]) | st.floats(0.5, 2.0)
SLOPES = st.tuples(st.sampled_from(["vacancy", *PRESENT, "Lu"]), st.floats(-0.1, 0.1))
LAWS = st.builds(
    Law,
    BARRIERS,
    st.sampled_from(["", *ZONES]),
    st.none() | st.floats(-0.5, 0.5),
    st.lists(SLOPES, max_size=2).map(tuple),
)
ENERGIES = st.sampled_from([0.0, 0.1, -0.1, 0.02, "50 meV", 3.0, -100.0, 100.0])
POTENTIALS = st.sampled_from([0.0, 0.1, -0.3, "50 meV", 5.0, -90.0])
ATTEMPTS = st.sampled_from(["1e13 1/s", 1e12, "1 THz", 1e-300, 1e17, 1.0])
PROTOCOLS = ["300 °C", "300 °C for 1 s, 250 °C", "600 K for 1e-9 s, 500 K for 0.1 s, 700 K", "100 K", "3000 K"]
DRIVES = ("laser-thermal", "laser-strip", "laser-dock", "laser-athermal")


@st.composite
def mechanisms(draw: st.DrawFn) -> Mechanism:
    """Rules at random, as an author would declare them; what contradicts itself is refused here or before the run."""
    made = Mechanism("random", summary="At random.", source="Assumption: a test")
    made.choice("way", "a", ("a", "b"), doc="Which rules hold.")
    made.parameter("barrier", draw(st.sampled_from([1.6, "1.2 eV"])), doc="A barrier.")
    when = st.sampled_from([None, None, None, {"way": "a"}, {"way": ("a", "b")}])

    def reversible() -> dict[str, Any]:
        way = {"irreversible": True} if draw(st.booleans()) else {"chemical_potential": draw(POTENTIALS)}
        return {**way, "attempt": draw(ATTEMPTS), "when": draw(when)}

    movers = draw(st.sampled_from([[IONS], [("Gd", "Y"), ("Yb",)], [("Yb",)], [("Na",), ("Gd", "Yb", "Y")], []]))
    for group in movers:
        made.hop(group, irreversible=draw(st.booleans()), attempt=draw(ATTEMPTS), when=draw(when))(draw(LAWS))
    for verb in draw(st.lists(st.sampled_from(["dock", "swap", "etch", "sink"]), max_size=4)):
        symbol, other = draw(st.sampled_from(PRESENT)), draw(st.sampled_from([*PRESENT, "Lu"]))
        if verb == "dock":
            made.dock(other, **reversible())(draw(LAWS))
        elif verb == "swap":
            made.swap(symbol, other, **reversible())(draw(LAWS))
        elif verb == "etch":
            made.etch(symbol, irreversible=True, attempt=draw(ATTEMPTS))(draw(LAWS))
        else:
            made.sink(irreversible=True, attempt=draw(ATTEMPTS))(draw(LAWS))
    for symbol in draw(st.lists(st.sampled_from(PRESENT), max_size=2, unique=True)):
        made.reservoir(
            symbol, activity=draw(st.sampled_from([1.0, 0.0, 0.3])), size=draw(st.sampled_from([None, 1, 7]))
        )
    for _ in range(draw(st.integers(0, 2))):
        made.site_energy({(draw(st.sampled_from([*PRESENT, "vacancy"])), draw(st.sampled_from(ZONES))): draw(ENERGIES)})
    for _ in range(draw(st.integers(0, 2))):
        pair = draw(st.sampled_from(["Gd", "vacancy"])), draw(st.sampled_from(["Yb", "vacancy"]))
        made.pair_energy({pair: draw(ENERGIES.filter(lambda e: e not in (100.0, -100.0, 3.0)))})
    drive = draw(st.sampled_from(["", "", *DRIVES]))
    return made.driven_by(installed().find(drive)) if drive else made


@st.composite
def declared(draw: st.DrawFn) -> Mechanism | None:
    """A mechanism, or None where its author is told that it cannot be."""
    try:
        return draw(mechanisms())
    except (BadInput, BadMechanism) as error:
        one_sentence(error)
        return None


def piecewise(one: Simulation, pieces: list[int]) -> None:
    for n in pieces:
        one.run(events=n, candidates=4000)


def keeps_its_promises(run: Callable[..., Simulation], n_events: int, path: Path) -> None:
    """What holds for any run, whatever the rules are."""
    whole, again = run(), run()
    total = whole.total_rate()
    assert 0.0 <= total < math.inf
    assert (total > 0) or whole.fire() is None
    last = 0.0
    while whole.state.events < 5 and whole.acceptance > 1e-3 and (event := whole.fire()) is not None:
        assert event.move.rate > 0
        assert event.total_rate >= event.move.rate * (1 - 1e-9)
        assert event.time >= last >= 0.0
        last = event.time
    status = whole.run_to(events=n_events, candidates=2000)
    is_whole(whole)
    finite = [bath.size is not None for bath in whole.table.reservoirs]
    assert (whole.state.reservoir[finite] >= 0).all()
    assert whole.time >= last
    if whole.scheduler == "sum-tree" and status == "count reached":  # else it may have looked beyond an edge already
        same_trees(whole)
    end, candidates, events = whole.digest(), whole.state.candidates, whole.state.events
    slow = run(interpreted=True)
    slow.run_to(events=min(events, 60), candidates=min(candidates, 300))
    again.run_to(events=min(events, 60), candidates=min(candidates, 300))
    assert slow.digest() == again.digest()
    while again.state.candidates < candidates:
        before = again.state.candidates
        again.run_to(events=n_events, candidates=min(before + 37, candidates))
        if again.state.candidates == before:
            break
    assert again.digest() == end
    file = path / "run.npz"
    checkpoint.save(whole, file)
    loaded = checkpoint.load(file, mechanism=whole.mechanism)
    loaded.run(candidates=100)
    whole.run(candidates=100)
    assert loaded.digest() == whole.digest()
    then = whole.state.events
    whole.goto(event=then)
    here = whole.digest()
    whole.back(min(then, 40))
    whole.run_to(events=then)
    whole.goto(event=then)
    assert whole.digest() == here


@examples(20, 200)
def test_a_mechanism_is_refused_or_its_run_keeps_every_promise(n: int, tmp_path: Path) -> None:
    def holds(kind: str, rules: Mechanism | None, protocol: str, scheduler: str, seed: int) -> None:
        def run(interpreted: bool = False) -> Simulation:
            assert rules is not None
            return Simulation(
                particle(kind),
                rules,
                protocol,
                seed=seed,
                scheduler=scheduler,
                interpreted=interpreted,  # type: ignore[arg-type]
            )

        try:
            run() if rules is not None else None
        except (BadInput, BadMechanism, BadRate) as error:
            one_sentence(error)
        else:
            if rules is not None:
                keeps_its_promises(run, 200, tmp_path)

    always(
        n,
        holds,
        st.sampled_from(KINDS),
        declared(),
        st.sampled_from(PROTOCOLS),
        st.sampled_from(["auto", *SCHEDULERS]),
        st.integers(0, 2**64),
    )


@pytest.mark.parametrize("verb", ["hop", "dock", "etch"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_law_is_refused_in_one_sentence_before_the_run(name: str, verb: str) -> None:
    made = Mechanism("bad", summary="Bad.", source="Assumption: a test")
    made.parameter("barrier", 1.6, doc="A barrier.")
    if verb != "hop":
        made.hop(IONS)(lambda env: 1.6)
    declare = {"hop": lambda: made.hop(IONS), "dock": lambda: made.dock("Y", irreversible=True)}
    declare.get(verb, lambda: made.etch("Yb", irreversible=True))()(BAD[name])
    limit = sys.getrecursionlimit()
    with pytest.raises(BadRate) as refused:
        Simulation(particle("core-shell"), made, seed=1)
    assert str(refused.value).startswith("bad: the law '")
    assert "\n" not in str(refused.value)
    assert sys.getrecursionlimit() == limit


def test_a_law_that_reads_too_much_is_refused() -> None:
    made = Mechanism("greedy", summary="Reads all.", source="Assumption: a test")
    made.hop(IONS)(lambda env: 1.0 + sum(0.01 * env.n[s] for s in (*PRESENT, "vacancy")))
    made.dock("Lu", irreversible=True)(reading_all)
    with pytest.raises(BadMechanism, match="read fewer species"):
        Simulation(particle("core-shell"), made, seed=1)


@pytest.mark.parametrize("law", [changing, printing])
def test_a_law_is_asked_before_the_run_and_never_again(law: Callable[[Any], float], tmp_path: Path) -> None:
    made = Mechanism("odd", summary="Odd.", source="Assumption: a test")
    made.hop(IONS)(law)
    simulation = Simulation(particle("core-shell"), made, seed=1)
    simulation.run(events=50)
    CHANGING[0] += 0.5
    simulation.run(events=50)
    simulation.back(70)
    simulation.run_to(events=100)
    is_whole(simulation)
    checkpoint.save(simulation, tmp_path / "run.npz")
    if law is changing:
        with pytest.raises(BadInput, match="other rates"):
            checkpoint.load(tmp_path / "run.npz", mechanism=made)
    else:
        assert checkpoint.load(tmp_path / "run.npz", mechanism=made).digest() == simulation.digest()


@pytest.mark.parametrize("name", ["no-complex", "y-complex", "mixed-complex", "cation-exchange"])
def test_what_the_promises_are_asked_of_keeps_them_for_shipped_mechanisms(name: str, tmp_path: Path) -> None:
    def run(interpreted: bool = False) -> Simulation:
        return Simulation(particle("core-shell"), mechanism(name), seed=3, interpreted=interpreted)

    keeps_its_promises(run, 200, tmp_path)
