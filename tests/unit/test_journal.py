"""Run directories while they grow: what is there at any moment, and how a run goes on from it."""

import copy
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ucnp_abm import Simulation, mechanism, observables
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import disk, journal, rundir, saved, stopping, trajectory
from ucnp_abm.runs.journal import Journal, grow
from ucnp_abm.runs.plan import Plan, follow
from ucnp_abm.runs.provenance import provenance
from ucnp_abm.runs.rundir import RunDirectory

PLAN = Plan.of(range(9), [0, 4, 8], observables=observables.DEFAULT, events=True)
FILES = ("run.json", "observables.csv", "events.bin", "snapshots/sites.npz", "snapshots/0000.npz")


@pytest.fixture
def fresh(small_particle):
    """Gives the simulation at its beginning."""
    return lambda: Simulation(small_particle, mechanism("y-complex"), "300 °C", seed=2)


@contextmanager
def journal_of(path, simulation, plan=PLAN):
    with (
        journal.begun(path, provenance(simulation, plan=plan)),
        closing(Journal.begin(path, plan, simulation.crystal)) as growing,
    ):
        yield growing


def begin(path, simulation, read=observables.read, plan=PLAN, **options):
    with journal_of(path, simulation, plan) as growing:
        return grow(growing, simulation, read, **options)


def resume(path, resolve=mechanism, **options):
    said = []
    run = RunDirectory.open(path)
    with disk.locked(path / rundir.LOCK):
        growing, simulation = journal.resumed(run, resolve, said.append)
        with closing(growing):
            grow(growing, simulation, observables.read, **options)
    return said


def held(directory):
    files = (file for file in Path(directory).rglob("*") if file.is_file() and file.name != "log.json")
    return {str(file.relative_to(directory)): file.read_bytes() for file in files}


@pytest.fixture
def whole(fresh, tmp_path):
    """The bytes of a run that nothing disturbed."""
    begin(tmp_path / "whole", fresh())
    return held(tmp_path / "whole")


@pytest.fixture
def killed(fresh, tmp_path):
    """A directory whose writer was killed after step 6, with checkpoints of steps 3 and 5."""
    path, simulation = tmp_path / "killed", fresh()
    with journal_of(path, simulation) as growing:
        for number in follow(simulation, PLAN):
            growing.note(simulation, number, observables.read)
            if number in (3, 5):
                growing.checkpoint(simulation)
            if number == 6:
                break
    return path


def test_a_run_directory_holds_what_memory_holds(whole, fresh, tmp_path):
    recorded = trajectory.record(fresh(), observables.read, PLAN.marks, PLAN.snapshots)
    assert recorded.simulation.digest() == RunDirectory.open(tmp_path / "whole").done["digest"]
    rows = whole["observables.csv"].decode().splitlines()
    assert [list(map(float, row.split(","))) for row in rows[1:]] == [list(row.values()) for row in recorded.rows]
    for number, occupants in enumerate(recorded.snapshots.values()):
        with np.load(tmp_path / "whole" / rundir.snapshot_name(number)) as file:
            assert (file["species"] == occupants).all()
    written = held(trajectory.write(recorded, tmp_path / "written", observables=observables.DEFAULT))
    for name in ("observables.csv", "final.npz", "snapshots/0002.npz", "snapshots/sites.npz"):
        assert written[name] == whole[name]


def test_a_finished_run_has_no_checkpoints_and_sums_of_all_files(whole, tmp_path):
    assert sorted(whole) == sorted(
        [*FILES, "done.json", "final.npz", "snapshots/0001.npz", "snapshots/0002.npz"],
    )
    done = RunDirectory.open(tmp_path / "whole").done
    assert sorted([*done["sha256"], "done.json"]) == sorted(whole)
    assert done["events"] * 14 == len(whole["events.bin"])


def test_rows_and_events_can_be_read_while_the_run_goes_on(fresh, tmp_path):
    seen = []

    def stop(now):
        rows = (tmp_path / "run" / "observables.csv").read_text().splitlines()
        log = (tmp_path / "run" / "events.bin").stat().st_size
        seen.append((len(rows) - 1, log == 14 * now.state.events))

    begin(tmp_path / "run", fresh(), stop=stop)
    assert seen == [(n, True) for n in range(1, 10)]


def test_data_reach_the_disk_before_the_checkpoint_that_counts_them(fresh, tmp_path, monkeypatch):
    unsynced, checked = set(), []
    append, sync, put = disk.append, disk.sync, disk.put

    def noting(file, content):
        unsynced.add(file.name)
        append(file, content)

    def syncing(file):
        sync(file)
        unsynced.discard(file.name)

    def putting(path, content, keep=None):
        if path.name == "checkpoint.npz":
            checked.append(set(unsynced))
        put(path, content, keep)

    for name, call in (("append", noting), ("sync", syncing), ("put", putting)):
        monkeypatch.setattr(disk, name, call)
    begin(tmp_path / "run", fresh(), every=0.0)
    assert checked == [set()] * 9


def test_a_stopped_run_goes_on_to_the_same_bytes(whole, fresh, tmp_path):
    path = tmp_path / "stopped"
    assert begin(path, fresh(), stop=lambda now: now.steps > 2.5) is False
    assert (path / "checkpoint.npz").exists()
    assert not (path / "done.json").exists()
    assert resume(path) == []
    assert held(path) == whole


@pytest.mark.parametrize("protocol", ["300 °C", "300 °C for 20 s, 20 °C for 1 h", "300 °C for 9 s, 350 °C"])
def test_a_run_that_is_counted_in_seconds_goes_on_too(protocol, small_particle, tmp_path):
    plan = Plan.of([0, 10, 17.3, 40], [17.3], in_time=True, observables=observables.DEFAULT, events=True)
    whole, stopped = (
        Simulation(small_particle, mechanism("y-complex+laser-thermal"), protocol, seed=2) for _ in range(2)
    )
    begin(tmp_path / "whole", whole, plan=plan)
    assert not begin(tmp_path / "stopped", stopped, plan=plan, stop=lambda now: True)
    for time in (5, 12, 17.3):
        resume(tmp_path / "stopped", stop=lambda now, time=time: now.time >= time)
        assert RunDirectory.open(tmp_path / "stopped").done is None
    resume(tmp_path / "stopped")
    assert held(tmp_path / "stopped") == held(tmp_path / "whole")


def test_a_run_without_a_checkpoint_begins_anew(whole, killed):
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (killed / name).unlink()
    assert resume(killed) == []
    assert held(killed) == whole


def test_what_is_newer_than_the_checkpoint_goes_and_what_is_not_ours_stays(whole, killed):
    (killed / "snapshots" / "0002.npz").write_bytes(b"newer")
    (killed / "snapshots" / ".0003.npz.17.partial").write_bytes(b"half")
    (killed / ".checkpoint.npz.17.partial").write_bytes(b"half")
    (killed / "final.npz").write_bytes(b"newer")
    (killed / "notes.txt").write_bytes(b"mine")
    with (killed / "observables.csv").open("ab") as rows:
        rows.write(b"17,half a r" * 10_000)
    resume(killed, stop=lambda now: True)
    assert sorted(file.name for file in killed.iterdir() if file.name.startswith(("f", "."))) == []
    resume(killed)
    assert held(killed) == whole | {"notes.txt": b"mine"}


def test_the_checkpoint_before_is_used_if_the_last_one_is_damaged(whole, killed):
    content = (killed / "checkpoint.npz").read_bytes()
    (killed / "checkpoint.npz").write_bytes(content[:-100])
    (said,) = resume(killed, stop=lambda now: True)
    assert "checkpoint.npz' is damaged" in said
    assert said.endswith("going on from checkpoint.previous.npz")
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        saved.read(killed / name).check_digest()
    assert resume(killed) == []
    assert held(killed) == whole


def test_a_kill_between_two_renamings_leaves_the_checkpoint_before(whole, killed):
    os.replace(killed / "checkpoint.npz", killed / "checkpoint.previous.npz")
    assert resume(killed) == []
    assert held(killed) == whole


def cut(content):
    return content[: len(content) // 2]


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0x10]) + content[middle + 1 :]


@pytest.mark.parametrize("harm", [cut, flipped, None])
@pytest.mark.parametrize("name", [*FILES, "checkpoint.npz", "checkpoint.previous.npz"])
def test_a_damaged_file_is_refused_or_made_good(name, harm, whole, killed):
    if harm is None:
        (killed / name).unlink()
    else:
        (killed / name).write_bytes(harm((killed / name).read_bytes()))
    before = held(killed)
    if name.startswith("checkpoint"):
        resume(killed)
        assert held(killed) == whole
        return
    with pytest.raises(DamagedData, match=name):
        resume(killed)
    assert held(killed) == before
    assert not (killed / "lock").exists()


@pytest.mark.parametrize("harm", [cut, flipped])
def test_damaged_checkpoints_alone_are_refused(harm, killed):
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (killed / name).write_bytes(harm((killed / name).read_bytes()))
    before = held(killed)
    with pytest.raises(DamagedData, match="there is no other checkpoint"):
        resume(killed)
    assert held(killed) == before


def refused(path, text, kind=BadInput, resolve=mechanism):
    before = held(path)
    with pytest.raises(kind, match=text):
        resume(path, resolve)
    assert held(path) == before


def edited(path, old, new):
    text = (path / "run.json").read_text()
    assert old in text
    (path / "run.json").write_text(text.replace(old, new))


def test_a_run_of_another_version_is_refused(killed, monkeypatch):
    for module in (rundir, saved):
        with monkeypatch.context() as patched:
            patched.setattr(module, "ENGINE_VERSION", 99)
            refused(killed, r"run by engine version \d+; this is 99")
    edited(killed, '"schema": 3', '"schema": 99')
    refused(killed, "schema 99, this version reads 3; use a newer")
    edited(killed, '"schema": 99', '"schema": 2')
    refused(killed, "use an older")
    edited(killed, '"schema": 2', '"schema": "three"')
    refused(killed, r"run\.json' is damaged", DamagedData)


def test_an_edited_run_is_refused(killed):
    edited(killed, '"seed": 2', '"seed": 3')
    refused(killed, "was changed after the run had begun", DamagedData)


@pytest.mark.parametrize("key", ["particle", "mechanism", "protocol", "seed", "plan", "crystal_sha256"])
def test_a_run_json_with_a_gap_is_refused(key, killed):
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (killed / name).unlink()
    edited(killed, f'\n "{key}"', f'\n "x{key}"')
    refused(killed, rf"run\.json' is damaged: '{key}' is missing", DamagedData)


def test_a_mechanism_that_is_missing_or_has_changed_is_refused(killed):
    def missing(name):
        raise BadInput(f"unknown mechanism '{name}'")

    refused(killed, "needs a mechanism: unknown mechanism 'y-complex'", resolve=missing)
    other = copy.copy(mechanism("y-complex"))
    other.hops = [replace(rule, law=lambda env: 1.7) for rule in other.hops]
    refused(killed, "with other rates than 'y-complex' gives now", resolve=lambda name: other)
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (killed / name).unlink()
    refused(killed, "with other rates than 'y-complex' gives now", resolve=lambda name: other)


def test_a_crystal_that_would_grow_otherwise_is_refused(killed):
    for name in ("checkpoint.npz", "checkpoint.previous.npz"):
        (killed / name).unlink()
    edited(killed, '"diameter": "2.4 nm"', '"diameter": "2.5 nm"')
    refused(killed, "another crystal than its recipe gives now")


def test_what_is_no_run_directory_is_refused(tmp_path):
    with pytest.raises(BadInput, match="is no directory"):
        RunDirectory.open(tmp_path / "nowhere")
    with pytest.raises(DamagedData, match=r"holds no run\.json"):
        RunDirectory.open(tmp_path)
    for text in ('{"schema": 3, "par', "[]", "", "\x00"):
        (tmp_path / "run.json").write_text(text)
        with pytest.raises(DamagedData, match=r"run\.json' is damaged"):
            RunDirectory.open(tmp_path)


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
@pytest.mark.parametrize("after", [0, 5, 12])
def test_a_full_disk_is_one_sentence_and_the_run_goes_on_later(call, after, whole, fresh, tmp_path, monkeypatch):
    path, original, count = tmp_path / "full", getattr(os, call), [0]

    def full(*arguments):
        count[0] += 1
        if count[0] > after:
            raise OSError(28, "No space left on device")
        return original(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        with pytest.raises(BadInput, match="No space left on device"):
            begin(path, fresh(), every=0.0)
    if (path / "run.json").exists():
        resume(path)
        assert held(path) == whole


def test_a_directory_that_cannot_be_written_is_one_sentence(killed, monkeypatch):
    def read_only(self, *arguments, **options):
        raise OSError(30, "Read-only file system")

    before = held(killed)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", read_only)
        with pytest.raises(BadInput, match=r"cannot write '.*killed' \(Read-only"):
            disk.locked(killed / "lock").__enter__()
    assert held(killed) == before


def test_a_second_process_is_told_who_runs_it(killed):
    with disk.locked(killed / "lock"):
        refused(killed, f"is being run by process {os.getpid()}")
        assert (killed / "lock").exists()
    assert not (killed / "lock").exists()


def test_the_lock_ends_with_its_process(killed):
    dying = (
        "import os, pathlib, sys; from ucnp_abm.runs import disk\n"
        "with disk.locked(pathlib.Path(sys.argv[1])): os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", dying, str(killed / "lock")], check=False).returncode == 9
    assert (killed / "lock").exists()
    with disk.locked(killed / "lock"):
        assert (killed / "lock").read_text() == f"{os.getpid()}\n"


def test_a_finished_run_stays_as_it_is_but_for_what_a_killed_writer_left(whole, tmp_path):
    path = tmp_path / "whole"
    times = {name: (path / name).stat().st_mtime_ns for name in whole}
    assert journal.finished(RunDirectory.open(path))
    assert {name: (path / name).stat().st_mtime_ns for name in whole} == times
    for name in ("checkpoint.npz", "checkpoint.previous.npz", ".done.json.17.partial", "lock"):
        (path / name).write_bytes(b"left behind")
    assert journal.finished(RunDirectory.open(path))
    assert held(path) == whole
    (path / "done.json").write_text("{")
    with pytest.raises(DamagedData, match=r"done\.json' is damaged"):
        journal.finished(RunDirectory.open(path))


def test_a_run_that_has_been_finished_meanwhile_is_left_alone(whole, tmp_path):
    refused(tmp_path / "whole", "has just been finished")


def test_signals_are_noted_and_the_handlers_before_come_back():
    before = signal.getsignal(signal.SIGTERM)
    with stopping.heeded() as came:
        assert came() == ""
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert came() == "SIGTERM"
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_signals_are_left_alone():
    handlers = []

    def work():
        with stopping.heeded() as came:
            handlers.append((signal.getsignal(signal.SIGTERM), came()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [(signal.getsignal(signal.SIGTERM), "")]


def test_a_plan_comes_back_from_its_description():
    assert Plan.read(PLAN.about()) == PLAN
    assert PLAN.marks == tuple(map(float, range(9)))
    assert Plan.of([0, 1 + 1e-12, 2], [1]).marks == (0.0, 1.0, 2.0)
    assert Plan.of([0, 60], in_time=True) == Plan.read(Plan.of([60, 0], in_time=True).about())


@pytest.mark.parametrize("in_time", [False, True])
def test_pieces_change_nothing(in_time, small_particle, monkeypatch):
    marks = [0.0, 40.0, 100.0]
    one, many = (Simulation(small_particle, mechanism("no-complex"), "300 °C", seed=2) for _ in range(2))
    for mark in marks[1:]:
        one.run_to(**{"time" if in_time else "steps": mark})
    monkeypatch.setattr("ucnp_abm.runs.plan._next_piece", lambda piece, seconds: 7)
    monkeypatch.setattr("ucnp_abm.runs.plan._FIRST_PIECE", 3)
    seen = list(follow(many, Plan.of(marks, in_time=in_time)))
    assert [number for number in seen if number is not None] == [0, 1, 2]
    assert seen.count(None) > 10
    assert many.digest() == one.digest()


def test_columns_that_change_are_refused(fresh, tmp_path):
    changing = iter(range(9))
    with pytest.raises(BadInput, match="columns changed"):
        begin(tmp_path / "run", fresh(), lambda now: {f"a{min(3, next(changing))}": 1.0})
