"""Studies on a Dask cluster give the bytes that one process gives, whoever dies on the way."""

import importlib
import logging
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from commands import told
from crews import PARTICLE, PLAIN, SLOW, cells, logged, toml
from processes import children, waited

from ucnp_abm import IONS, CoreShell, Mechanism, registry
from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput, Stopped
from ucnp_abm.study import cluster as clusters
from ucnp_abm.study.crew import NobodyLeft
from ucnp_abm.study.design import design
from ucnp_abm.study.grid import Point, Study

pytestmark = pytest.mark.usefixtures("needs_dask")


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(clusters, "PATIENCE_S", 2)


def same(directory, other):
    """Every cell is there once, with the same bytes."""
    assert cells(directory) == cells(other)
    assert set(logged(directory).values()) == {1}
    assert len(logged(directory)) == len(cells(other))


def finished_locally(study, directory, other):
    """What was kept is used, and the rest gives the same bytes."""
    kept = set(cells(directory))
    result = study.run(directory, jobs=1)
    assert result.account.found == len(kept)
    assert result.account.ran == study.n_cells - len(kept)
    assert cells(directory) == cells(other)
    assert set(logged(directory).values()) == {1}


# --- all is well ---


def test_a_cluster_that_sees_no_directory_gives_the_same_bytes(cluster, plain, plain_cells, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = plain.run("study", scheduler=cluster.address)
    same(tmp_path / "study", plain_cells)
    assert result.account.ran == 24
    assert not list(cluster.place.rglob("*.npz"))
    assert not list(cluster.place.rglob("study*"))


def test_without_a_directory_results_stay_in_memory(cluster, plain):
    there = plain.run(scheduler=cluster.address)
    here = plain.run(jobs=1)
    assert there.rows == here.rows


def test_the_table_of_the_command_is_the_same(cluster, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ucnp_abm.viz.figures.save", lambda figure, path: figure.savefig(f"{path}.png", dpi=20))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "study.toml").write_text(toml(PLAIN))
    assert told("compare", "study.toml", "--out", "there", "--scheduler", cluster.address)[0] == 0
    assert told("compare", "study.toml", "--out", "here", "--jobs", 1)[0] == 0
    capsys.readouterr()
    same(tmp_path / "there", tmp_path / "here")
    assert (tmp_path / "there" / "table.csv").read_bytes() == (tmp_path / "here" / "table.csv").read_bytes()


# --- laws that no worker can import ---


def test_mechanism_and_observable_of_a_file_travel(cluster, slow, slow_cells, tmp_path):
    slow.run(tmp_path / "study", scheduler=cluster.address)
    same(tmp_path / "study", slow_cells)


def test_a_plugin_file_is_given_on_the_command_line(cluster, plugin, slow_cells, tmp_path, monkeypatch):
    monkeypatch.setattr("ucnp_abm.study.report.kept.keep_report", lambda result: False)
    (tmp_path / "study.toml").write_text(toml(SLOW))
    options = ["--out", tmp_path / "study", "--scheduler", cluster.address, "--plugin", plugin]
    assert told("compare", tmp_path / "study.toml", *options)[0] == 0
    same(tmp_path / "study", slow_cells)


def test_a_worker_uses_the_observable_as_it_is_now(cluster, plugin, tmp_path):
    """A worker lives longer than a study: it knows the one from before."""
    edited = tmp_path / "trial.py"
    edited.write_text(plugin.read_text().replace("== 0).sum())", "== 0).sum()) + 0.5"))
    source = {**SLOW, "study": {**SLOW["study"], "replicates": 2}}

    def run(**options):
        return [row["waited"] for row in load_study(source).run(**options).rows]

    with registry.beside([plugin]):
        before = run(scheduler=cluster.address)
    with registry.beside([edited]):
        there, here = run(scheduler=cluster.address), run(jobs=1)
    assert there == here
    assert there == [value + 0.5 for value in before]


def study_of(made):
    return Study("made", "", {}, (Point({}, design({"made": made}, CoreShell(**PARTICLE), "300 °C", [1], 20)),))


def made_here():
    shift = 0.02
    made = Mechanism("made", summary="Made here.", source="Assumption: a test")

    @made.hop(mover=IONS)
    def hop(env):
        return 1.6 + shift

    return study_of(made)


def test_a_mechanism_made_in_a_function_travels(cluster, tmp_path):
    made_here().run(tmp_path / "there", scheduler=cluster.address)
    made_here().run(tmp_path / "here", jobs=1)
    same(tmp_path / "there", tmp_path / "here")


SCRIPT = """
import sys
from ucnp_abm import IONS, CoreShell, Mechanism
from ucnp_abm.study.design import design
from ucnp_abm.study.grid import Point, Study

made = Mechanism("made", summary="Made here.", source="Assumption: a test")
SHIFT = 0.02

@made.hop(mover=IONS)
def hop(env):
    return 1.6 + SHIFT

particle = CoreShell(core="NaGdF4: 49% Yb", diameter="2.0 nm", shell="NaYF4", thickness="0.6 nm")
study = Study("made", "", {}, (Point({}, design({"made": made}, particle, "300 °C", [1], 20)),))
study.run("there", scheduler=sys.argv[1])
study.run("here", jobs=1)
"""


def test_a_mechanism_of_a_script_travels(cluster, tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "script.py", cluster.address], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    same(tmp_path / "there", tmp_path / "here")


def test_a_module_that_workers_lack_is_told(cluster, tmp_path, monkeypatch):
    text = SCRIPT.partition("particle =")[0]
    (tmp_path / "only_here.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("only_here").made
    study = study_of(made)
    with pytest.raises(BadInput, match=r"cannot read these mechanisms .*only_here.*give it as a plugin file"):
        study.run(scheduler=cluster.address)


# --- who works vanishes ---


def test_a_killed_worker_costs_nothing(begin, after, slow, slow_cells, tmp_path):
    cluster = begin(2)

    def kill(done):
        cluster.kill(*[w for w in cluster.workers if done.worker.endswith(f":{w.pid}")])

    came = after(5, kill)
    result = slow.run(tmp_path / "study", scheduler=cluster.address)
    assert len([w for w in cluster.workers if w.poll() is None]) == 1
    assert len(came) == 30
    assert not result.failures
    same(tmp_path / "study", slow_cells)


def test_all_workers_killed_and_one_comes_later(begin, after, slow, slow_cells, tmp_path):
    cluster = begin(2)
    came = after(5, lambda done: (cluster.kill(), cluster.work()))
    slow.run(tmp_path / "study", scheduler=cluster.address)
    assert len(came) == 30
    assert len({done.worker for done in came}) <= 3
    same(tmp_path / "study", slow_cells)


def test_all_workers_killed_and_none_comes(begin, after, slow, slow_cells, impatient, tmp_path):
    cluster = begin(2)
    after(5, lambda done: cluster.kill())
    with pytest.raises(Stopped, match=r"^scheduler: it has no worker, and none came within 2 s: \d+ runs are finished"):
        slow.run(tmp_path / "study", scheduler=cluster.address)
    assert 5 <= len(cells(tmp_path / "study")) < 30
    finished_locally(slow, tmp_path / "study", slow_cells)


@pytest.mark.parametrize("how", ["SIGKILL", "SIGSTOP"])
def test_scheduler_lost(how, begin, after, slow, slow_cells, impatient, tmp_path, caplog):
    cluster = begin(1)
    after(5, lambda done: cluster.scheduler.send_signal(getattr(signal, how)))
    start = time.monotonic()
    with pytest.raises(Stopped, match=r"^scheduler: the connection to it was lost.*: \d+ runs are finished and kept"):
        slow.run(tmp_path / "study", scheduler=cluster.address)
    assert time.monotonic() - start < 20
    assert 5 <= len(cells(tmp_path / "study")) < 30
    assert not [said for said in caplog.records if said.levelno >= logging.WARNING]
    finished_locally(slow, tmp_path / "study", slow_cells)


def test_without_a_directory_a_lost_scheduler_promises_nothing(begin, after, slow):
    cluster = begin(1)
    after(2, lambda done: cluster.scheduler.terminate())
    with pytest.raises(NobodyLeft, match=r"^scheduler: the connection to it was lost[^:]*$"):
        slow.run(scheduler=cluster.address)


# --- what is refused ---


def test_a_worker_of_another_version_is_refused(cluster, plain, tmp_path, monkeypatch):
    monkeypatch.setattr(clusters, "READINGS_VERSION", 99)
    with pytest.raises(BadInput, match=r"a worker on .* has observables \d+ instead of 99; install the same"):
        plain.run(tmp_path / "study", scheduler=cluster.address)
    assert cells(tmp_path / "study") == {}


def test_a_worker_without_the_package_is_refused(begin, plain, tmp_path):
    code = "import sys; sys.modules['ucnp_abm'] = None; from distributed.cli.dask_worker import main; main()"
    cluster = begin(1, code=code)
    with pytest.raises(BadInput, match=r"a worker failed with ModuleNotFoundError: .*ucnp_abm.*install the same"):
        plain.run(tmp_path / "study", scheduler=cluster.address)


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:FREE", "nonsense", "http://127.0.0.1:FREE", "", "tcp://", "7"])
def test_nobody_answers(address, impatient, tmp_path, capfd):
    address, start = address.replace("FREE", str(free_port())), time.monotonic()
    code = told("compare", "y-complex", "--replicates", 1, "--out", tmp_path / "study", "--scheduler", address)[0]
    assert code == 2
    said = capfd.readouterr().err.splitlines()
    assert said[-1].startswith(f"ucnp-abm: scheduler: nobody answers at '{address}' (")
    assert said[-1].endswith("; expected an address such as tcp://host:8786")
    assert len(said) == 2
    assert time.monotonic() - start < 10


def test_dask_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, _, said = told("compare", "y-complex", "--replicates", 1, "--scheduler", "tcp://127.0.0.1:1", capsys=capsys)
    assert code == 2
    assert said.splitlines()[-1] == (
        "ucnp-abm: scheduler: a Dask cluster needs a package that is not installed (distributed): "
        "pip install 'ucnp-abm[cluster]'"
    )


# --- a cell that fails ---


def test_a_cell_that_fails_on_a_worker_is_told_and_the_rest_finishes(cluster, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ucnp_abm.study.report.kept.keep_report", lambda result: False)
    file = tmp_path / "failing.py"
    file.write_text(FAILING)
    options = ["--out", tmp_path / "study", "--replicates", 3, "--steps", 20, "--plugin", file]
    options += [o for key, value in PARTICLE.items() for o in ("--set", f"particle.{key}={value}")]
    code, _, said = told("compare", "y-complex", "failing", *options, "--scheduler", cluster.address, capsys=capsys)
    assert code == 3
    assert len(cells(tmp_path / "study")) == 3
    traces = [each.read_text() for each in (tmp_path / "study" / "failures").iterdir()]
    assert len(traces) == 3
    assert all("hop_that_fails" in trace for trace in traces)
    assert "failing" in said


FAILING = """
import os

from ucnp_abm import IONS, Mechanism, hookimpl

failing = Mechanism("failing", summary="Fails.", source="Assumption: a test")


@failing.hop(mover=IONS)
def hop_that_fails(env):
    if "PAUSE" in os.environ:
        raise ZeroDivisionError("on a worker")
    return 1.6


@hookimpl
def ucnp_mechanisms():
    return [failing]
"""


def test_a_cell_that_kills_its_worker_is_named_and_the_rest_finishes(tmp_path, plain_cells):
    """It is tried again alone: those that were sent with it are not to blame."""
    dask = importlib.import_module("dask")
    file = tmp_path / "failing.py"
    file.write_text(FAILING.replace('raise ZeroDivisionError("on a worker")', "os.kill(os.getpid(), 9)"))
    settings = ["study.replicates=1", 'study.mechanisms=["no-complex", "failing"]']
    with registry.beside([file]), dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        study = load_study({**PLAIN, "vary": {}}, settings)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PAUSE", "0")
            result = study.run(tmp_path / "study", scheduler="local", jobs=2)
    said = r"failing, seed \d+: its worker vanished, twice \(KilledWorker\); was it killed, or out of memory\?"
    assert [bool(re.fullmatch(said, failed.said)) for failed in result.failures] == [True]
    assert len(cells(tmp_path / "study")) == 1
    assert cells(tmp_path / "study").items() <= cells(plain_cells).items()


# --- local ---


def test_a_cluster_of_this_machine_leaves_no_process(plain, plain_cells, tmp_path):
    before = children(os.getpid())
    plain.run(tmp_path / "study", scheduler="local", jobs=2)
    same(tmp_path / "study", plain_cells)
    assert waited(lambda: not workers(children(os.getpid()) - before))


@pytest.mark.parametrize("scheduler", ["local", "there"])
def test_ctrl_c(scheduler, cluster, plugin, slow, slow_cells, tmp_path):
    (tmp_path / "study.toml").write_text(toml(SLOW))
    address = cluster.address if scheduler == "there" else scheduler
    options = ["--scheduler", address, "--jobs", "2", "--plugin", plugin, "--out", "study"]
    process = subprocess.Popen(
        [sys.executable, "-m", "ucnp_abm.cli.main", "compare", "study.toml", *options],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PAUSE": "0.3"},
        start_new_session=True,
    )
    try:
        assert waited(lambda: (tmp_path / "study" / "cells").is_dir() and len(cells(tmp_path / "study")) >= 2)
        os.killpg(process.pid, signal.SIGINT)
        out, said = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 75, said
    assert out == ""
    assert len(said.splitlines()) == 3, said
    assert said.splitlines()[1].startswith("ucnp-abm: SIGINT: ")
    assert said.splitlines()[2].startswith("  ucnp-abm compare study.toml --out study --plugin ")
    assert waited(lambda: not in_session(process.pid))
    finished_locally(slow, tmp_path / "study", slow_cells)


def workers(pids):
    """All but Python's own tracker of semaphores, which stays for the next cluster."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in pids if Path(f"/proc/{pid}").exists()}
    return [pid for pid, command in commands.items() if "resource_tracker" not in command]


def in_session(session):
    """Processes that a command left behind."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(stat.parent.name)
    return found
