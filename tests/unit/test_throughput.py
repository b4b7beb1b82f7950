"""What `ucnp-abm bench` measures: counts, acceptance and memory are right; how fast it was is not tested."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner

from ucnp_abm import Simulation, mechanism
from ucnp_abm.cli.bench import bench
from ucnp_abm.errors import BadInput
from ucnp_abm.study import throughput
from ucnp_abm.study.throughput import WORKLOADS, Workload, arrays, chosen, measure, pace, simulation_of

TINY = Workload("tiny", "four", "fcc", 4)


def run(*words):
    return CliRunner().invoke(bench, [*words], catch_exceptions=False)


def test_workloads_have_different_names():
    assert len({w.name for w in WORKLOADS}) == len(WORKLOADS)


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if 0 < w.sites <= 10_000], ids=lambda w: w.name)
def test_sites_of_a_workload_are_known_before_it_is_built(workload):
    assert simulation_of(workload).crystal.n_sites == workload.sites


@pytest.mark.parametrize("workload", [w for w in WORKLOADS if w.cells], ids=lambda w: w.name)
def test_a_workload_has_the_size_that_its_name_says(workload):
    said = {"7k": 7e3, "64k": 64e3, "512k": 512e3, "4M": 4e6}[workload.name.rpartition(", ")[2]]
    assert workload.sites == pytest.approx(said, rel=0.05)


def test_rates_of_the_four_species_have_the_ratios_that_are_said():
    simulation = simulation_of(TINY)
    site = next(i for i, p in enumerate(simulation.crystal.sites) if simulation.state.species[p] == 0)
    rates = {move.species: move.rate for move in simulation.options(site) if move.rate > 0}
    said = {"Y": 1.0, "Gd": 0.7, "Yb": 0.5, "Tm": 0.2}
    fastest = 1e13 * math.exp(-1.65 / (8.617333262e-5 * throughput.TEMPERATURE))
    assert len(rates) > 1
    assert rates == {mover: pytest.approx(said[mover] * fastest, rel=1e-9) for mover in rates}


def test_a_group_of_workloads_is_named_by_the_beginning_of_its_names():
    assert [w.name for w in chosen(["stiff species"])] == ["stiff species, 7k", "stiff species, 64k"]
    assert [w.name for w in chosen(["four species, 7k"])] == ["four species, 7k"]
    assert chosen([]) == WORKLOADS


def test_quick_leaves_large_crystals_out():
    sizes = [w.sites for w in chosen([], quick=True)]
    assert max(sizes) < 100_000 < max(w.sites for w in WORKLOADS)
    assert len(sizes) == sum(w.sites < 100_000 for w in WORKLOADS)
    with pytest.raises(BadInput, match="none of these is so small"):
        chosen(["four species, 4M"], quick=True)


def test_an_unknown_workload_is_refused_with_the_nearest_name():
    with pytest.raises(BadInput, match="unknown workload 'for species, 7k'; did you mean 'four species, 7k'"):
        chosen(["for species, 7k"])


def test_acceptance_is_the_share_of_candidates_that_became_events():
    found = measure(TINY, events=20_000, repeats=1)
    assert (found.sites, found.vacancies, found.events, found.repeats) == (256, 3, 20_000, 1)
    twin = simulation_of(TINY)
    twin.run(events=1000)
    before = twin.state.candidates
    twin.run(events=20_000)
    assert found.acceptance == pytest.approx(20_000 / (twin.state.candidates - before), rel=1e-12)


def test_every_candidate_of_the_sum_tree_is_an_event():
    found = measure(TINY, events=2000, repeats=2, scheduler="sum-tree")
    assert found.scheduler == "sum-tree"
    assert found.acceptance == 1.0


def test_each_stretch_is_told():
    told = []
    measure(TINY, events=1000, repeats=3, tell=lambda: told.append(1))
    assert len(told) == 3


def test_a_crystal_in_which_events_run_out_is_measured_up_to_there():
    simulation = Simulation(
        throughput.PAPER_PARTICLE.build(1), mechanism("no-complex", surface="sink"), "300 °C", seed=1
    )
    events, candidates, _ = pace(simulation, repeats=2, seconds=0.01)
    assert candidates >= events >= 0.0
    simulation.run(steps=1e9)
    assert simulation.state.n_vacancies == 0
    assert pace(simulation, repeats=2) == (0.0, 0.0, 1000)
    none = throughput.Measurement("none", "beta", 1, 0, "rejection", 0.0, 0.0, 1000, 2, 1.0, 0.0)
    assert none.acceptance == 0.0


def test_a_stretch_takes_so_many_events_as_are_given():
    simulation = simulation_of(TINY)
    assert pace(simulation, events=1234, repeats=3)[2] == 1234
    assert simulation.state.events == 3 * 1234


def test_arrays_are_found_once_however_often_they_are_held():
    simulation = simulation_of(TINY)
    found = list(arrays(simulation))
    assert len({id(array) for _, array in found}) == len(found)
    names = {path for path, _ in found}
    held = [array for _, array in found]
    assert sum(array is simulation.state.slot for array in held) == 1
    assert sum(array is simulation.crystal.place for array in held) == 1
    assert "simulation" not in names
    view = np.zeros(10)
    assert [array.size for _, array in arrays([view[2:], view[:3], (view,)])] == [10]


def test_bytes_for_each_site_are_those_of_all_arrays_at_the_start():
    simulation = simulation_of(TINY)
    simulation.run(events=1000)
    total = sum(array.nbytes for _, array in arrays(simulation))
    assert measure(TINY, events=1000, repeats=1).bytes_per_site == total / 256


def test_machine_is_described_without_names_or_paths(tmp_path, monkeypatch):
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name\t: Some Processor 3\nmodel name\t: Some Processor 3\n")
    for n, (level, kind, size) in enumerate([("1", "Data", "32K"), ("2", "Unified", "1024K")]):
        folder = tmp_path / "cache" / f"index{n}"
        folder.mkdir(parents=True)
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n")
    monkeypatch.setattr(throughput, "PROCESSOR", tmp_path / "cpuinfo")
    monkeypatch.setattr(throughput, "CACHES", tmp_path / "cache")
    about = throughput.machine()
    assert about["processor"] == "Some Processor 3"
    assert about["caches"] == {"L1 data": "32K", "L2 unified": "1024K"}
    assert set(about) == {
        *("processor", "cores", "caches", "system", "python", "numpy", "numba", "ucnp-abm"),
    }
    monkeypatch.setattr(throughput, "PROCESSOR", tmp_path / "none")
    monkeypatch.setattr(throughput, "CACHES", tmp_path / "none")
    assert throughput.machine()["caches"] == {}
    assert throughput.machine()["processor"]


def test_json_holds_all_that_the_page_needs():
    done = run("--workload", "four species, 7k", "--events", "1000", "--repeats", "2", "--json")
    told = json.loads(done.stdout)
    assert set(told) == {"machine", "workloads"}
    (row,) = told["workloads"]
    assert row["workload"] == "four species, 7k"
    assert (row["lattice"], row["sites"], row["vacancies"], row["scheduler"]) == ("fcc", 6912, 69, "rejection")
    assert (row["events"], row["repeats"]) == (1000, 2)
    assert row["acceptance"] == pytest.approx(row["events_per_s"] / row["candidates_per_s"])
    assert row["bytes_per_site"] > 30
    assert done.stderr == ""


def test_table_has_a_line_for_each_workload():
    done = run("--workload", "stiff neighbours, beta", "--scheduler", "sum-tree", "--events", "1000", "--repeats", "1")
    head, row, foot = done.stdout.splitlines()
    assert head.startswith("workload")
    assert row.split()[:7] == ["stiff", "neighbours,", "beta,", "7k", "6750", "68", "sum-tree"]
    assert foot.startswith("best of 1 stretches")


def test_an_unknown_name_on_the_command_line_measures_nothing():
    with pytest.raises(BadInput, match="did you mean 'equal rates'"):
        run("--workload", "equal rate")
