"""Damaged run directories: a command gives what the whole one gives, or refuses in one line and writes nothing."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fuzz.fuzzing import always, command, examples, held, one_sentence
from hypothesis import strategies as st

from ucnp_abm import Model, Particle, Simulation, mechanism, observables
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import checkpoint, journal
from ucnp_abm.runs.journal import Journal
from ucnp_abm.runs.plan import Plan, follow
from ucnp_abm.runs.provenance import provenance

PLAN = Plan.of([0, 1, 2, 3], [0, 1, 3], observables=observables.DEFAULT, events=True)


def simulated(seed: int) -> Simulation:
    particle = Particle.core_shell(core="NaGdF4: 49% Yb", diameter="1.6 nm", shell="NaYF4", thickness="0.5 nm", seed=1)
    return Simulation(particle, mechanism("y-complex"), "300 °C", seed=seed)


def killed(path: Path, seed: int = 2) -> Path:
    """A run whose writer was killed after the third mark, with checkpoints of the first and the second."""
    simulation = simulated(seed)
    with (
        journal.begun(path, provenance(simulation, plan=PLAN)),
        closing(Journal.begin(path, PLAN, simulation.crystal)) as growing,
    ):
        for number in follow(simulation, PLAN):
            growing.note(simulation, number, observables.read)
            if number is not None and number < 2:
                growing.checkpoint(simulation)
            if number == 2:
                break
    return path


@dataclass(frozen=True)
class Stock:
    """Undamaged directories, the same runs with another seed, and what the commands give of each."""

    home: Path
    given: dict[tuple[str, str], Any]
    counted: int  # events until the last checkpoint of the unfinished run


def asked(what: str, path: Path) -> Any:
    """What a command does with a run directory: its files afterwards and what it says, or what it writes."""
    target = path.parent / "target"
    arguments: dict[str, list[Any]] = {
        "files": ["check", path, "--no-replay"],
        "check": ["check", path],
        "resume": ["run", "--resume", path],
        "extxyz": ["export", path, "--out", target],
        "csv": ["export", path, "--to", "csv", "--out", target],
        "diff": ["diff", path, path.parent / "same"],
    }
    code, out, err = command(*arguments[what])
    written = target.read_bytes() if target.exists() else None
    target.unlink(missing_ok=True)
    return code, out.replace(str(path.parent), ""), err, written


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    home = tmp_path_factory.mktemp("stock")
    for seed, suffix in ((2, ""), (3, ".other")):
        killed(home / f"unfinished{suffix}", seed)
        killed(home / f"finished{suffix}", seed)
        assert command("run", "--resume", home / f"finished{suffix}")[0] == 0
    shutil.copytree(home / "finished", home / "same")
    given = {}
    for kind in ("finished", "unfinished"):
        for what in ("files", "check", "extxyz", "csv", "diff"):
            given[kind, what] = asked(what, home / kind)
            assert given[kind, what][0] == 0, given[kind, what]
    counted = checkpoint.load(home / "unfinished" / "checkpoint.npz", resolve=mechanism).state.events
    return Stock(home, given, counted)


@dataclass(frozen=True)
class Damage:
    """What is done to one file of a directory, or to two."""

    what: str
    file: int
    other: int
    share: float
    bits: int
    content: bytes


DAMAGES = st.builds(
    Damage,
    st.sampled_from(
        ["cut", "cut", "empty", "flip", "flip", "zero", "append", "delete", "directory", "foreign", "swap"]
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, 7),
    st.binary(min_size=1, max_size=40),
)


def damaged(path: Path, damage: Damage, foreign: Path) -> list[str]:
    """Do it; the names of the files that are not as they were."""
    names = sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())
    name = names[damage.file % len(names)]
    target, before = path / name, (path / name).read_bytes()
    at = int(damage.share * len(before))
    if damage.what == "cut":
        target.write_bytes(before[:at])
    elif damage.what == "empty":
        target.write_bytes(b"")
    elif damage.what == "flip":
        target.write_bytes(before[:at] + bytes([before[at] ^ (1 << damage.bits)]) + before[at + 1 :])
    elif damage.what == "zero":
        target.write_bytes((before[:at] + bytes(min(512, len(before) - at)) + before[at + 512 :])[: len(before)])
    elif damage.what == "append":
        target.write_bytes(before + damage.content)
    elif damage.what == "delete":
        target.unlink()
    elif damage.what == "directory":
        target.unlink()
        target.mkdir()
    elif damage.what == "foreign":
        target.write_bytes((foreign / name).read_bytes())
    else:
        second = path / names[damage.other % len(names)]
        after = second.read_bytes()
        second.write_bytes(before)
        target.write_bytes(after)
        return [name, str(second.relative_to(path))] if after != before else []
    return [name] if not target.is_file() or target.read_bytes() != before else []


def one_line(code: int, err: str) -> None:
    assert code in (2, 4), (code, err)
    assert err.startswith("ucnp-abm: ")
    assert "Traceback" not in err
    noted = re.sub(r"^ucnp-abm: load: .*; going on from checkpoint.previous.npz\n", "", err)
    lines = noted.rstrip("\n").split("\n")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  ucnp-abm run --resume "))


def tried(stock: Stock, kind: str, damage: Damage, call: Callable[[Path, list[str]], None]) -> None:
    """Call with a damaged copy, and clean up."""
    path = stock.home / "work" / kind
    shutil.copytree(stock.home / kind, path)
    (stock.home / "work" / "same").symlink_to(stock.home / "same")
    try:
        if names := damaged(path, damage, stock.home / f"{kind}.other"):
            call(path, names)
            assert sorted(p.name for p in path.parent.iterdir()) == sorted([kind, "same"])
    finally:
        shutil.rmtree(path.parent)


def agrees(stock: Stock, kind: str, what: str, names: list[str], seen: Any) -> None:
    """Code 0 means the outcome of the whole directory; only what no checkpoint counts yet may differ."""
    whole = stock.given[kind, what]
    if seen == whole or names == ["log.json"]:
        return
    assert seen[0] == whole[0] == 0
    if kind == "finished":  # without its seal it is a run that has not written a checkpoint yet
        assert names == ["done.json"]
        assert not (stock.home / "work" / kind / "done.json").exists()
        assert seen[3] == whole[3]
        assert "no checkpoint yet" in seen[1] or what not in ("files", "check")
    elif what == "csv":
        assert "events.bin" in names
        assert stock.counted > 0
        assert seen[3].splitlines()[: stock.counted] == whole[3].splitlines()[: stock.counted]
    else:
        assert what in ("files", "check")
        assert set(names) & {"observables.csv", "events.bin", "checkpoint.npz"}


@pytest.mark.parametrize(
    "what", ["files", "resume", "extxyz", "csv", *(pytest.param(w, marks=pytest.mark.slow) for w in ("check", "diff"))]
)
@examples(15, 60)
def test_a_command_gives_what_the_whole_directory_gives_or_refuses(n: int, what: str, stock: Stock) -> None:
    def holds(kind: str, damage: Damage) -> None:
        def call(path: Path, names: list[str]) -> None:
            before = held(path)
            seen = asked(what, path)
            after = held(path)
            if names == ["checkpoint.previous.npz"] and damage.what == "directory" and what == "resume":
                assert seen[0] == 2  # it is in the way when the next checkpoint is written
                assert "cannot write" in seen[2]
            elif seen[0]:
                one_line(seen[0], seen[2])
                assert seen[3] is None
                assert after == before
            elif what != "resume":
                agrees(stock, kind, what, names, seen)
                assert after == before
            elif kind == "finished" and (path / "done.json").exists() and "nothing to do" in seen[1]:
                assert after == before
            else:
                whole = {name: content for name, content in held(stock.home / "finished").items() if name != "log.json"}
                assert {name: after.get(name) for name in whole} == whole
                assert not set(after) & {"lock", "checkpoint.npz", "checkpoint.previous.npz"}

        tried(stock, kind, damage, call)

    always(n, holds, st.sampled_from(["finished", "unfinished"]), DAMAGES)


@examples(30, 300)
def test_a_damaged_state_is_never_taken_up(n: int, stock: Stock, tmp_path: Path) -> None:
    """Checkpoints and final states, read by themselves: the same state, or an error of the package."""
    digests = {}
    for name in ("finished/final.npz", "unfinished/checkpoint.npz", "unfinished/checkpoint.previous.npz"):
        digests[name] = checkpoint.load(stock.home / name, resolve=mechanism).digest()

    def holds(name: str, damage: Damage) -> None:
        file = tmp_path / "state.npz"
        shutil.copyfile(stock.home / name, file)
        if damaged(tmp_path, damage, (stock.home / name).parent / "nowhere"):
            try:
                simulation = Model.load(file).simulation
            except (BadInput, DamagedData) as error:
                one_sentence(error)
            else:
                assert simulation.digest() == digests[name]

    harm = DAMAGES.filter(lambda d: d.what in ("cut", "empty", "flip", "zero", "append"))
    always(n, holds, st.sampled_from(sorted(digests)), harm)
