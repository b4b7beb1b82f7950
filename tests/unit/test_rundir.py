"""Run directories that are read: what `check` notices, where `diff` finds two runs part, what the event log says."""

import csv
import hashlib
import json
from contextlib import closing

import numpy as np
import pytest

from ucnp_abm import Box, Particle, Simulation, mechanism, observables
from ucnp_abm.crystal.species import SYMBOLS
from ucnp_abm.engine.moves import explain
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import eventlog, journal, trajectory
from ucnp_abm.runs.journal import Journal, grow
from ucnp_abm.runs.parting import differences, part
from ucnp_abm.runs.plan import Plan
from ucnp_abm.runs.provenance import provenance
from ucnp_abm.runs.rundir import RunDirectory
from ucnp_abm.runs.verify import verify

PLAN = Plan.of(range(9), [0, 4, 8], observables=observables.DEFAULT, events=True)


@pytest.fixture
def write(small_particle, tmp_path):
    """Writes a run directory `name`; the rest changes the run."""

    def run(name, particle=small_particle, chosen="y-complex", protocol="300 °C", plan=PLAN, stop=9.0, **options):
        simulation = Simulation(particle, mechanism(chosen), protocol, **{"seed": 2} | options)
        path = tmp_path / name
        with (
            journal.begun(path, provenance(simulation, plan=plan)),
            closing(Journal.begin(path, plan, simulation.crystal)) as growing,
        ):
            grow(growing, simulation, observables.read, stop=lambda now: now.steps > stop)
        return RunDirectory.open(path)

    return run


def wrong(run, **options):
    """What `verify` finds wrong."""
    return [seen.text for seen in verify(run, mechanism, observables.read, **options) if not seen.good]


# --- check ---


def test_a_run_is_as_it_was_written_and_runs_again_the_same(write):
    seen = list(verify(write("run"), mechanism, observables.read))
    assert all(finding.good for finding in seen)
    assert [finding.text.split(":")[0] for finding in seen] == [
        "8 files",
        "observables.csv",
        "events.bin",
        "final.npz",
        "run again from run.json",
    ]


def test_an_unfinished_run_is_checked_up_to_its_checkpoint(write):
    run = write("run", stop=4.5)
    assert run.done is None
    with (run.path / "observables.csv").open("a") as rows:
        rows.write("written later\n")
    seen = list(verify(run, mechanism, observables.read))
    assert all(finding.good for finding in seen)
    assert seen[-1].text.startswith("run again from run.json: ")


def test_a_checkpoint_between_two_marks_is_reached_again(write, monkeypatch):
    monkeypatch.setattr("ucnp_abm.runs.plan._FIRST_PIECE", 20)
    monkeypatch.setattr("ucnp_abm.runs.plan._next_piece", lambda piece, seconds: 20)
    run = write("run", stop=4.2)
    saved, _ = run.checkpoint()
    assert saved.journal["rows"] == 5
    assert "run again" in list(verify(run, mechanism, observables.read))[-1].text
    assert wrong(run) == []


def test_a_run_without_a_checkpoint_has_nothing_to_run_again(write):
    run = write("run", stop=4.5)
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (run.path / name).unlink(missing_ok=True)
    assert wrong(run) == []


@pytest.mark.parametrize("harm", ["cut", "flipped", "missing"])
@pytest.mark.parametrize(
    "name", ["run.json", "observables.csv", "events.bin", "snapshots/0001.npz", "final.npz", "done.json"]
)
def test_every_damaged_file_is_named(name, harm, write):
    run = write("run")
    file = run.path / name
    content = file.read_bytes()
    middle = len(content) // 2
    if harm == "missing":
        file.unlink()
    elif harm == "cut":
        file.write_bytes(content[:middle])
    else:
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    if name == "done.json" and harm == "missing":
        return  # an unfinished run without a checkpoint, which runs anew
    said = damage(run.path)
    assert name in said or name == "done.json"  # nothing tells whose checksum is wrong there


def test_no_flipped_bit_of_run_json_passes(write):
    run = write("run")
    file = run.path / "run.json"
    content = file.read_bytes()
    for position in range(20, len(content), len(content) // 60):  # behind the schema
        file.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        assert "run.json" in damage(run.path)


def damage(path):
    """What opening or verifying says is damaged first."""
    try:
        return wrong(RunDirectory.open(path))[0]
    except DamagedData as error:
        return str(error)


def test_a_forged_run_is_noticed_when_it_is_run_again(write):
    run = write("run")
    rows = (run.path / "observables.csv").read_bytes()
    (run.path / "observables.csv").write_bytes(rows.replace(b"\r\n", b"0\r\n"))
    done = json.loads((run.path / "done.json").read_text())
    done["sha256"]["observables.csv"] = hashlib.sha256((run.path / "observables.csv").read_bytes()).hexdigest()
    (run.path / "done.json").write_text(json.dumps(done))
    assert wrong(run, replay=False) == []
    (said,) = wrong(run)
    assert said.endswith("another observables.csv")


def test_another_digest_is_noticed(write):
    run = write("run")
    done = json.loads((run.path / "done.json").read_text()) | {"digest": "0" * 64}
    (run.path / "done.json").write_text(json.dumps(done))
    state, again = wrong(run)
    assert state == "final.npz: is of another run"
    assert again.endswith("another state")


def test_what_a_study_wrote_is_checked_too(small_particle, tmp_path):
    simulation = Simulation(small_particle, mechanism("y-complex"), seed=2)
    recorded = trajectory.record(simulation, observables.read, [0, 5], [5])
    named = trajectory.write(recorded, tmp_path / "named", observables=observables.DEFAULT)
    unnamed = trajectory.write(recorded, tmp_path / "unnamed")
    for path in (named, unnamed):
        assert wrong(RunDirectory.open(path)) == []


# --- event log ---


@pytest.mark.parametrize("chosen", ["y-complex", "cation-exchange"])
def test_the_event_log_tells_the_events_that_fire_one_by_one(chosen, write, small_particle):
    run = write("run", chosen=chosen)
    blocks = eventlog.rows(
        run.path / "events.bin", run.particle.crystal, run.particle.occupants, run.about["event_log"]
    )
    logged = [row for block in blocks for row in block]
    simulation = Simulation(small_particle, mechanism(chosen), "300 °C", seed=2)
    for row in logged:
        event = simulation.fire()
        assert row == (event.time, event.verb, event.species, event.move.site, event.move.to)
    assert len(logged) == run.done["events"] > 100


def test_the_event_log_leads_from_the_first_crystal_to_the_last(write):
    grown = Box(lattice="beta", cells=(4, 4, 4), composition="Gd: 20% Yb", vacancies="3 %").build(1)
    run = write("run", particle=grown, chosen="no-complex")
    held = [SYMBOLS[int(code)] for code in grown.occupants]
    for block in eventlog.rows(run.path / "events.bin", grown.crystal, grown.occupants, run.about["event_log"]):
        for _, verb, species, site, to in block:
            assert (verb, held[site], held[to]) == ("hop", "vacancy", species)
            held[site], held[to] = held[to], held[site]
    with np.load(run.path / "snapshots" / "0002.npz") as file:
        assert [SYMBOLS[int(code)] for code in file["species"]] == held


def test_whole_records_are_read_while_the_log_grows(write):
    run = write("run")
    file = run.path / "events.bin"
    file.write_bytes(file.read_bytes()[:-5])
    (block,) = eventlog.records(file)
    assert len(block) == run.done["events"] - 1
    assert (np.diff(block["t_s"]) > 0).all()


def test_a_record_of_another_crystal_is_refused(write):
    run = write("run")
    record = np.zeros(1, dtype=eventlog.RECORD)
    record["site"] = 10**6
    (run.path / "events.bin").write_bytes(record.tobytes())
    particle = run.particle
    with pytest.raises(DamagedData, match="a record names what"):
        list(eventlog.rows(run.path / "events.bin", particle.crystal, particle.occupants, run.about["event_log"]))


# --- diff ---


def first_difference(a, b):
    """How many events two logs have in common, counted in plain Python."""
    logs = [np.concatenate(list(eventlog.records(run.path / "events.bin"))).tolist() for run in (a, b)]
    return next((n for n, (x, y) in enumerate(zip(*logs, strict=False)) if x != y), min(map(len, logs)))


def test_equal_runs_are_equal(write):
    found = part(write("a"), write("b"), mechanism)
    assert found.equal
    assert found.configuration == {}
    assert found.common == RunDirectory.open(write("c").path).done["events"]


def test_runs_of_other_seeds_part_by_their_words(write):
    found = part(write("a"), write("b", seed=3), mechanism)
    assert set(found.configuration) == {"seed", "philox_key"}
    assert found.common == 0
    assert found.first[0].words != found.first[1].words
    assert found.reasons[0] == "the random words differ: seeds 2 and 3"


def test_a_temperature_that_changes_later_parts_runs_later(write):
    a, b = write("a", protocol="300 °C for 5 s, 300 °C"), write("b", protocol="300 °C for 5 s, 310 °C")
    found = part(a, b, mechanism)
    assert found.common == first_difference(a, b) > 20
    assert [event.number for event in found.first] == [found.common + 1] * 2
    assert found.first[0].time != found.first[1].time
    assert found.configuration == {"protocol.temperatures_K": ([573.15, 573.15], [573.15, 583.15])}


def test_a_barrier_is_named_with_both_values(write):
    runs = [
        write(name, chosen=mechanism("no-complex", barrier=barrier))
        for name, barrier in (("a", "1.65 eV"), ("b", "1.60 eV"))
    ]
    found = part(*runs, mechanism)
    assert found.configuration["mechanism.parameters.barrier"] == (1.65, 1.6)
    assert "barrier 1.65 and 1.6 eV" in found.reasons[0]
    assert found.reasons[0].startswith("the rates differ: hop ")


def test_crystals_that_differ_are_told_before_any_event(write):
    kinds = {"core": "NaGdF4: 49% Yb", "shell": "NaYF4", "thickness": "0.8 nm"}
    a = write("a", particle=Particle.core_shell(diameter="2.4 nm", seed=1, **kinds))
    other = write("b", particle=Particle.core_shell(diameter="2.4 nm", seed=4, **kinds))
    larger = write("c", particle=Particle.core_shell(diameter="2.6 nm", seed=1, **kinds))
    n_sites = a.particle.crystal.n_sites
    n = int((a.particle.occupants != other.particle.occupants).sum())
    found = part(a, other, mechanism)
    assert found.reasons == (f"the crystals differ from the start: other occupants on {n} of {n_sites} sites",)
    assert part(a, larger, mechanism).reasons[0].endswith(f"{n_sites} and {larger.particle.crystal.n_sites} sites")


def test_a_run_that_ends_sooner_is_equal_until_then(write):
    a, b = write("a"), write("b", plan=Plan.of([0, 4], observables=observables.DEFAULT, events=True))
    found = part(a, b, mechanism)
    assert found.common == b.done["events"]
    assert found.first[1] is None
    assert found.first[0].number == found.common + 1
    assert "ends before the other" in found.reasons[0]


def test_blocks_change_nothing(write, monkeypatch):
    a, b = write("a", protocol="300 °C for 5 s, 300 °C"), write("b", protocol="300 °C for 5 s, 310 °C")
    whole = part(a, b, mechanism)
    monkeypatch.setattr("ucnp_abm.runs.parting.EVENTS_A_PIECE", 10)
    pieces = part(a, b, mechanism)
    assert (pieces.common, pieces.reasons) == (whole.common, whole.reasons)
    assert list(map(explain, pieces.first)) == list(map(explain, whole.first))


def test_schedulers_are_told_apart(write):
    found = part(write("a", scheduler="rejection"), write("b", scheduler="linear-scan"), mechanism)
    assert found.reasons[0] == "the schedulers differ: rejection and linear-scan"


def test_a_run_that_cannot_be_run_again_is_refused(write):
    def missing(name):
        raise BadInput(f"unknown mechanism '{name}'")

    with pytest.raises(BadInput, match="needs a mechanism"):
        part(write("a"), write("b"), missing)


def test_differences_are_listed_by_dotted_key():
    a = {"x": {"y": 1, "z": [1]}, "w": 2, "config": {"q": 1}}
    assert differences(a, {"x": {"y": 1, "z": [2]}, "config": {}}) == {"x.z": ([1], [2]), "w": (2, None)}


# --- export ---


def test_the_event_log_becomes_a_table(write):
    from ucnp_abm.cli.main import main

    run = write("run")
    with pytest.raises(SystemExit) as ended:
        main(["export", str(run.path), "--to", "csv"])
    assert ended.value.code == 0
    with run.path.with_suffix(".csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(eventlog.COLUMNS)
    assert len(rows) == run.done["events"]
    (block,) = eventlog.records(run.path / "events.bin")
    assert [float(row["t_s"]) for row in rows] == block["t_s"].tolist()
    assert [int(row["site"]) for row in rows] == block["site"].tolist()
