"""Wall time of what a user waits for, with pytest-benchmark; nothing here can fail for being slow.

python -m pytest tests/bench/test_speed.py -n 0 --benchmark-columns=min,median,rounds --benchmark-sort=name

`ucnp-abm bench` measures the event loop at all sizes, in CPU seconds; this follows changes of the code from one commit
to the next (--benchmark-save, --benchmark-compare).
"""

import importlib.util
import itertools

import pytest

from ucnp_abm import Particle, Simulation, mechanism
from ucnp_abm.crystal.particle import Box
from ucnp_abm.runs import checkpoint
from ucnp_abm.study.cells import PAPER_PARTICLE
from ucnp_abm.study.throughput import chosen, simulation_of

pytest.importorskip("pytest_benchmark")

EVENTS, UNDONE = 200_000, 100_000
PLUGIN = """
from ucnp_abm import IONS, Mechanism
trial = Mechanism("trial", summary="An edited plugin.", source="Assumption: a benchmark")
@trial.hop(mover=IONS)
def barrier(env):
    return {barrier} + 0.01 * env.n["Yb"]
"""


@pytest.fixture(scope="module")
def paper():
    return PAPER_PARTICLE.build(1)


@pytest.mark.parametrize("workload", chosen((), quick=True), ids=lambda workload: workload.name)
def test_event_loop(benchmark, workload):
    simulation = simulation_of(workload)
    events = EVENTS // 10 if simulation.scheduler == "sum-tree" else EVENTS
    simulation.run(events=events)
    begin = simulation.state.events
    benchmark.extra_info["events"] = events
    benchmark.pedantic(simulation.run, kwargs={"events": events}, rounds=12)
    assert simulation.state.events == begin + 12 * events


@pytest.mark.parametrize("name", ["no-complex", "y-complex"])
def test_undo_of_100_000_events(benchmark, paper, name):
    rules = mechanism(name, chemical_potential=0.1) if name == "y-complex" else mechanism(name)
    simulation = Simulation(paper, rules, "300 °C", seed=1)
    simulation.remember(UNDONE)
    simulation.run(events=1000)
    before = simulation.state.digest()

    def forwards():
        simulation.run(events=UNDONE)

    benchmark.extra_info["events"] = UNDONE
    benchmark.pedantic(simulation.back, args=(UNDONE,), setup=forwards, rounds=12)
    assert simulation.state.digest() == before


def test_records_of_100_000_events(benchmark, paper):
    simulation = Simulation(paper, mechanism("no-complex"), "300 °C", seed=1)
    simulation.remember(UNDONE)
    simulation.run(events=UNDONE)
    benchmark.pedantic(simulation.run, kwargs={"events": UNDONE}, rounds=12)
    assert simulation.remembered(simulation.state.events - UNDONE).size == UNDONE


def test_fire(benchmark, paper):
    simulation = Simulation(paper, mechanism("no-complex"), "300 °C", seed=1)
    assert simulation.fire() is not None
    assert benchmark(simulation.fire).number > 1


@pytest.mark.parametrize("what", ["save", "load"])
def test_checkpoint(benchmark, paper, tmp_path, what):
    simulation = Simulation(paper, mechanism("y-complex"), "300 °C", seed=1)
    simulation.run(events=1000)
    path = tmp_path / "kept.npz"
    checkpoint.save(simulation, path)
    if what == "save":
        benchmark(checkpoint.save, simulation, path)
    else:
        assert (
            benchmark(checkpoint.load, path, mechanism=simulation.mechanism).state.digest() == simulation.state.digest()
        )


@pytest.mark.parametrize("size", ["10k", "100k"])
def test_growing_a_particle(benchmark, size):
    diameter, thickness = {"10k": ("6.7 nm", "1.65 nm"), "100k": ("18.5 nm", "2 nm")}[size]
    seeds = itertools.count(1)

    def grow():
        return Particle.core_shell(
            core="NaGdF4: 49% Yb, 1% Tm", diameter=diameter, shell="NaYF4", thickness=thickness, seed=next(seeds)
        )

    benchmark.extra_info["sites"] = benchmark(grow).crystal.n_sites


def test_filling_a_box_of_62_500_sites(benchmark):
    recipe = Box("fcc", (25, 25, 25), "Y: 25% Gd", vacancies=0.01)
    assert benchmark(recipe.build, 1).crystal.n_sites == 62_500


def test_first_event_of_an_edited_plugin(benchmark, paper, tmp_path):
    barriers = itertools.count(1600)

    def edit_and_run():
        path = tmp_path / "trial.py"
        path.write_text(PLUGIN.format(barrier=next(barriers) / 1000))
        spec = importlib.util.spec_from_file_location("trial_plugin", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        simulation = Simulation(paper, module.trial, "300 °C", seed=1)
        simulation.run(events=1)
        return simulation

    assert benchmark.pedantic(edit_and_run, rounds=12, warmup_rounds=1).state.events == 1
