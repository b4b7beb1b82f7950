"""`ucnp-abm debug` and `ucnp-abm movie --html`: what they say, what they refuse, and how they end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from commands import told

from ucnp_abm import Particle, Simulation, debug, mechanism
from ucnp_abm.cli import main
from ucnp_abm.errors import BadInput
from ucnp_abm.replay import tape
from ucnp_abm.server.serving import Serving


@pytest.fixture
def unwaiting(monkeypatch):
    """Sessions that end at once; those that there were."""
    seen = []
    monkeypatch.setattr(Serving, "wait", lambda serving: seen.append(serving))
    monkeypatch.setattr("webbrowser.open", lambda link: seen.append(link))
    return seen


def small():
    return Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=1)


@pytest.mark.parametrize("what", ["mechanism", "config", "run"])
def test_a_page_is_served_and_its_link_is_printed(what, run, finished, capsys, unwaiting):
    given = {"mechanism": "y-complex", "config": finished.with_name("small.toml"), "run": run}[what]
    extra = ["--set", 'particle.diameter="2.4 nm"'] if what == "mechanism" else []
    code, out, err = told("debug", given, *extra, "--event", 5, "--break", "event.verb == 'dock'", capsys=capsys)
    assert code == 0
    link, serving = unwaiting[::1] if isinstance(unwaiting[0], str) else unwaiting[::-1]
    assert out == f"{link}\n"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{20,}", link)
    assert err.endswith("open this link; it works once. Ctrl-C ends the session\n")  # the loops may be compiled first
    assert "(closed)" in repr(serving)


def test_a_run_is_stepped_from_its_start(run, capsys, unwaiting, monkeypatch):
    seen = []
    monkeypatch.setattr("ucnp_abm.cli.debug.serve", lambda simulation, **options: seen.append(simulation) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main.main(["debug", str(run)])
    (simulation,) = seen
    assert simulation.state.events == 0
    done = json.loads((run / "done.json").read_text())
    simulation.run(steps=20)
    assert simulation.digest() == done["digest"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["y-complexx"], "y-complexx"),
        (["y-complex", "--break", "event.verb = 1"], "the condition cannot be read: write == to compare"),
        (["y-complex", "--break", "event.verb == 'dok'"], "event.verb is never 'dok'; did you mean 'dock'?"),
        (["y-complex", "--beside", "nothing"], "nothing"),
        (["y-complex", "--event", -1], "Invalid value for '--event': -1 is not in the range x>=0."),
        (["y-complex", "--port", 70000], "Invalid value for '--port': 70000 is not in the range 0<=x<=65535."),
        (["y-complex", "--set", "nothing"], "nothing"),
        (["no-such.toml"], "no-such.toml"),
        (["."], "."),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_a_sentence(options, says, capsys, unwaiting):
    small = ["--set", 'particle.diameter="2.4 nm"'] if "y-complex" in options else []
    code, out, err = told("debug", *options, *small, capsys=capsys)
    assert code in (2, 3, 4)
    assert out == ""
    assert err.startswith("ucnp-abm: ")
    assert err.count("\n") == 1
    assert says in err
    assert unwaiting == []


def test_a_setting_of_a_run_is_refused(run, capsys):
    assert told("debug", run, "--set", "run.seed=3", capsys=capsys) == (
        2, "", "ucnp-abm: --set run.seed=3: a run is what it was; branch from it in the page\n",
    )  # fmt: skip


@pytest.mark.parametrize("command", [["debug"], ["movie", "--html"]])
@pytest.mark.parametrize("damage", ["changed", "cut", "gone"])
def test_a_damaged_run_is_told(run, capsys, command, damage, unwaiting):
    about = run / "run.json"
    text = about.read_text()
    if damage == "gone":
        about.unlink()
    else:
        about.write_text(text + " " if damage == "changed" else text[:100])
    code, out, err = told(*command, run, capsys=capsys)
    assert code == 4
    assert out == ""
    assert err.count("\n") == 1
    assert run.with_name("small.html").exists() is False


def test_a_port_that_is_taken_is_told(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, out, err = told(
            "debug", "y-complex", "--set", 'particle.diameter="2.4 nm"', "--port", port, capsys=capsys
        )
    assert (code, out, err) == (2, "", f"ucnp-abm: port {port} is in use; leave --port out for a free one\n")


def test_an_event_that_never_comes_is_told():
    simulation = Simulation(small(), mechanism("y-complex"), seed=1)
    with pytest.raises(BadInput, match=r"debug: event: nothing more can happen after event \d+, got 1000000"):
        debug(simulation, event=10**6, browser=False, wait=False)
    assert simulation.state.events == 0


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"breakpoints": "event.verb == 'dock'"}, "expected a list of conditions, got one text"),
        ({"port": "80"}, "the port is '80'"),
        ({"event": 1.5}, "debug: event"),
        ({"event": -1}, "debug: event"),
        ({"beside": "nothing"}, "nothing"),
        ({"beside": 5}, "mechanism: expected a name, got 5"),
    ],
)
def test_options_in_python_are_checked_too(given, says):
    with pytest.raises(BadInput, match=re.escape(says)):
        debug(Simulation(small(), mechanism("y-complex"), seed=1), browser=False, wait=False, **given)
    with pytest.raises(BadInput, match="expected a Model or a Simulation"):
        debug(small())


@pytest.mark.parametrize("name", ["SIGINT"])
def test_a_link_works_and_ctrl_c_ends_the_session(name, finished):
    command = [sys.executable, "-m", "ucnp_abm.cli.main", "debug", str(finished), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            link = process.stdout.readline().strip()
            with urllib.request.urlopen(link, timeout=10) as answer:
                assert answer.status == 200
                assert b"<title>ucnp-abm</title>" in answer.read()
            process.send_signal(getattr(signal, name))
            out, err = process.communicate(timeout=10)
        finally:
            process.kill()
    assert process.returncode in (0, 130)
    assert (out, "Traceback" in err) == ("", False)


# --- the movie as one file ---


def tape_of(path: Path) -> dict:
    import base64
    import struct
    import zlib

    (text,) = re.findall(r'id="tape">([A-Za-z0-9+/=]*)<', path.read_text("utf-8"))
    content = zlib.decompress(base64.b64decode(text))
    (length,) = struct.unpack_from("<I", content)
    return json.loads(content[4 : 4 + length])


def n_of(about: dict) -> int:
    return next(n for name, _, n in about["arrays"] if name == "site")


def test_a_movie_stands_beside_its_run(run, capsys):
    code, out, err = told("movie", run, capsys=capsys)
    target = run.with_name("small.html")
    done = json.loads((run / "done.json").read_text())
    about = tape_of(target)
    assert n_of(about) == done["events"]
    kilobytes = len(target.read_bytes()) / 1000
    assert (code, err) == (0, "")
    assert out == f"wrote {target}: {done['events']} events, {kilobytes:.0f} kB; open it in a browser\n"
    assert "<title>small: y-complex</title>" in target.read_text("utf-8")
    code, _, err = told("movie", run, "--html", capsys=capsys)
    assert (code, err) == (2, f"ucnp-abm: movie: '{target}' exists already; give another --out or remove it\n")


def test_an_unfinished_run_is_told_to_the_end_of_its_plan(run, tmp_path):
    for file in run.iterdir():
        if file.name != "run.json":
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    assert told("movie", run, "--out", tmp_path / "x.html")[0] == 0
    about = tape_of(tmp_path / "x.html")
    assert about["knots"][-1][1] == pytest.approx(20)


def test_only_so_many_events_are_told(run, capsys, tmp_path):
    code, out, _ = told("movie", run, "--events", 7, "--out", tmp_path / "x.html", capsys=capsys)
    assert code == 0
    assert "7 events" in out
    assert n_of(tape_of(tmp_path / "x.html")) == 7
    for options, says in (
        (["--events", 0], "Invalid value for '--events': 0 is not in the range x>=1."),
        (["--events", 7, "--mp4"], "--events: an MP4 shows the whole run; leave it out"),
    ):
        assert told("movie", run, *options, capsys=capsys) == (2, "", f"ucnp-abm: {says}\n")


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_leaves_nothing_behind(run, capsys, monkeypatch, name):
    record = tape.record

    def interrupted(simulation, end, show, most):
        def shown(chronicle):
            os.kill(os.getpid(), getattr(signal, name))
            show(chronicle)

        return record(simulation, end, shown, most)

    monkeypatch.setattr(tape, "record", interrupted)
    code, out, err = told("movie", run, capsys=capsys)
    assert (code, out, err) == (130, "", "ucnp-abm: interrupted; nothing was written\n")
    assert [file.name for file in run.parent.iterdir()] == ["small"]


def test_too_many_events_are_told_before_anything_is_written(run, capsys, monkeypatch):
    monkeypatch.setattr(tape, "MOST_EVENTS", 10)
    code, out, err = told("movie", run, capsys=capsys)
    assert (code, out) == (2, "")
    assert err.startswith("ucnp-abm: movie: there are more than 10 events up to ")
    assert not run.with_name("small.html").exists()
