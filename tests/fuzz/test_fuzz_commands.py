"""Command lines near valid ones: done, or refused in plain words with an exit code, and nothing is left behind."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fuzz.fuzzing import CODES, always, command, examples, held
from fuzz.test_fuzz_run_directory import killed
from hypothesis import strategies as st

SMALL = """
[particle]
core = "NaGdF4: 49% Yb"
diameter = "1.6 nm"
shell = "NaYF4"
thickness = "0.5 nm"
[mechanism]
name = "y-complex"
[anneal]
steps = 0.5
[run]
samples = 2
snapshots = 1
"""
UNDECODABLE = os.fsdecode(b"caf\xe9")
RESERVED = "taken"
VALID = {
    "run": [
        ["run", "small.toml", "--out", "new"],
        ["run", "small.toml", "--seed", "3", "--steps", "1", "--events", "--set", "run.samples=3"],
        ["run", "--resume", "unfinished", "--checkpoint-every", "1 h"],
        ["run", "--resume", "finished"],
    ],
    "check": [["check", "finished", "--no-replay"], ["check", "unfinished", "--no-replay"]],
    "diff": [["diff", "finished", "finished", "--json"], ["diff", "finished", "unfinished"]],
    "export": [["export", "finished"], ["export", "unfinished", "--to", "csv", "--out", "events.csv"]],
    "light": [["light", "finished", "--json", "--step", "0"], ["light", "small.toml", "--set", "solvent=water"]],
    "plugins": [["plugins", "list", "--json"], ["plugins"], []],
    "group": [["--version"], ["--help"], ["run", "-h"], []],
}
HEAVY = {
    "demo": ["demo", "--seeds", "1", "--out", RESERVED],
    "compare": ["compare", "no-complex", "y-complex", "--replicates", "1", "--steps", "0.1", "--out", RESERVED],
    "bench": ["bench", "--quick", "--events", "1000", "--workload", "no such workload"],
}
"""Too long to run here: each is refused for its last value."""
_OPTIONS = (
    "- -- -h --out --set --seed --steps --resume --events --to --json --no-replay --jobs --dry-run --nO --version"
)
_VALUES = (
    "csv xml nan inf -1 0 1e400 1e-320 0x10 ٣ = + seed run.samples=1 particle.diameter= particle.x=1 check diff runn"
)
_PATHS = (
    ". .. / /dev/null /dev/null/x /proc/self/nothing ~ folder folder/inner small.toml broken.toml finished unfinished"
)
_MORE = (
    "loop nowhere unfinished/checkpoint.npz no-complex y-complx y-complex+ laser-thermal --checkpoint-every 😀 \u202e"
)
_ODD = ("", " ", "1 h", "-1 s", "9" * 5000, "x" * 300, "y" * 5000, UNDECODABLE, "a\nb", "mechanism.barrier=[[")
TOKENS = st.sampled_from([*_OPTIONS.split(), *_VALUES.split(), *_PATHS.split(), *_MORE.split(), *_ODD])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with something of everything."""
    path = tmp_path_factory.mktemp("home") / "stock"
    path.mkdir()
    for name in ("unfinished", "finished"):
        killed(path / name)
    assert command("run", "--resume", path / "finished")[0] == 0
    (path / "small.toml").write_text(SMALL)
    (path / "broken.toml").write_bytes(b"[particle\n\xff\x00")
    (path / "folder" / "inner").mkdir(parents=True)
    (path / RESERVED).mkdir()
    (path / RESERVED / "by").write_text("somebody else")
    (path / "loop").symlink_to("loop")
    return path


@st.composite
def mangled(draw: st.DrawFn, valid: list[list[str]]) -> list[str]:
    """A valid command line with up to three words changed, left out, added or said twice; long runs stay impossible."""
    words = list(draw(st.sampled_from(valid)))
    for _ in range(draw(st.integers(0, 3))):
        where = draw(st.integers(0, len(words)))
        change = draw(st.integers(0, 4))
        if change == 0:
            words.insert(where, draw(TOKENS))
        elif change <= 2 and where < len(words):
            words[where] = draw(TOKENS)
        elif change == 3:
            words[where : where + 1] = []
        else:
            words[where:where] = words[where : where + 2]
    return words


def plainly(code: int, err: str) -> None:
    """An exit code of ours, and words instead of a traceback."""
    assert code in CODES, err
    assert "Traceback" not in err
    if code:
        assert err.startswith("ucnp-abm: ") or not err


@examples(40, 400)
@pytest.mark.parametrize("name", [*VALID])
def test_any_command_line_is_done_or_refused(n: int, name: str, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ucnp_abm.cli.run.DEFAULT_STEPS", 1e-3)

    work = home.parent / "work"
    before = held(home)

    def holds(words: list[str]) -> None:
        if words[:1] in (["demo"], ["bench"], ["compare"]) or any(word.startswith("y-complex") for word in words):
            return
        if not work.exists():
            shutil.copytree(home, work, symlinks=True)
        with monkeypatch.context() as here:
            here.chdir(work)
            after = None
            try:
                code, _, err = command(*words)
                after = held(work)
            finally:
                if after != before:
                    shutil.rmtree(work)
        plainly(code, err)
        if code:
            assert after == before

    always(n, holds, mangled(VALID[name]))


@examples(20, 300)
@pytest.mark.parametrize("name", [*HEAVY])
def test_a_command_that_cannot_write_is_refused_at_once(
    n: int, name: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is wrong with it."""
    monkeypatch.chdir(home)
    before = held(home)

    def holds(words: list[str], last: list[str]) -> None:
        code, out, err = command(HEAVY[name][0], *words, *last)
        plainly(code, err)
        assert code in (2, 3) or out
        assert held(home) == before

    words = st.lists(TOKENS | st.sampled_from(HEAVY[name][1:]), max_size=4)
    always(n, holds, words.filter(lambda said: "--" not in said), st.just(HEAVY[name][-2:]))


COMPARED = ["--steps", "0.1", "--replicates", "1", "--jobs", "1"]
COMPARED += ["--set", "particle.diameter=1.6 nm", "--set", "particle.thickness=0.5 nm"]


@pytest.mark.parametrize(
    "words",
    [
        *(["--replicates", value] for value in ("0", "-1", "x", "1e3", "1000000000", "9" * 30)),
        *(["--steps", value] for value in ("0", "-1", "nan", "inf", "-inf", "x", "1e400")),
        *(["--jobs", value] for value in ("0", "-1", "x")),
        *(["--protocol", value] for value in ("", "cold", "300 °C for", "0 K", "300 °C for 0 s")),
        *(["--observable", value] for value in ("", "T_C", "é")),
        *(
            ["--set", value]
            for value in ("", "run.seed=1", "mechanism.name=x", "mechanism.nothing=1", "particle.core=Xx")
        ),
        *(["--seed", value] for value in ("-1", "x")),
        *([value] for value in ("", "+", "no-complex", "y-complx", "no-complex+nothing", UNDECODABLE)),
        ["--out", "/dev/null/x"],
        ["--out", "x" * 5000],
    ],
    ids=lambda words: ascii(" ".join(words))[:40],
)
def test_a_comparison_that_cannot_be_made_is_refused(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = command("compare", "no-complex", *COMPARED, *words)
    assert code in (2, 3), (out, err)
    plainly(code, err)
    assert held(tmp_path) == {}
