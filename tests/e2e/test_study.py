"""A study as its user meets it: it goes on after anything, tells what changed, and loses nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import told
from studies import FILE, held

from ucnp_abm.study.report import writing as report

INTERRUPTING = Path(__file__).with_name("interrupting.py")
RESULTS = ("table.csv", "runs.csv", "study.json")
VARY = '\n[vary]\n"particle.thickness" = ["0.8 nm", "1 nm"]\n'


# --- interrupted ---


def interrupting(mode, where, *arguments, replicates=2, steps=10):
    text = FILE.replace("replicates = 2", f"replicates = {replicates}").replace("steps = 10", f"steps = {steps}")
    (where / "study.toml").write_text(text)
    done = subprocess.run(
        [sys.executable, str(INTERRUPTING), mode, str(where), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same(where, directory):
    """Cells and results byte for byte, and nothing beside them."""
    assert held(where / directory, "cells") == held(where / "whole", "cells")
    assert (where / directory / "table.csv").read_bytes() == (where / "whole/table.csv").read_bytes()
    there, expected = ({file.name for file in (where / name).iterdir()} for name in (directory, "whole"))
    assert there | {"log.jsonl"} == expected  # a log may be lost, and nothing is lost with it


def test_a_study_that_is_killed_ten_times_goes_on_to_the_same_bytes(tmp_path):
    seen = interrupting("kill_at_random", tmp_path, 10, replicates=40, steps=100)
    assert seen["end"] == 0
    assert seen["kills"] == 10
    assert seen["there"] == sorted(seen["there"])
    assert len(set(seen["there"])) > 2
    same(tmp_path, "killed")


def test_a_study_that_dies_at_any_write_goes_on_to_the_same_bytes(tmp_path):
    seen = interrupting("kill_at_writes", tmp_path, 3)
    assert len(seen) > 8
    assert {each["there"] for each in seen} == {0, 1, 2, 3, 4}
    for each in seen:
        assert each["end"] == 0, each
        same(tmp_path, each["directory"])


def test_signals_end_with_75_and_the_command_that_goes_on(tmp_path):
    names = ("SIGINT", "SIGTERM")
    for name, seen in zip(names, interrupting("signal_once", tmp_path, *names, replicates=40, steps=100), strict=True):
        assert seen["code"] == 75
        assert f"{name}: {seen['there']} runs are finished and kept; go on with" in seen["said"]
        assert "Traceback" not in seen["said"]
        assert 5 <= seen["there"] < 80
        assert seen["words"] == ["ucnp-abm", "compare", "study.toml", "--out", f"stopped-{name}"]
        assert seen["end"] == 0
        same(tmp_path, f"stopped-{name}")


def test_a_full_disk_is_told_in_a_sentence_and_costs_nothing_that_was_finished(tmp_path):
    seen = interrupting("fill_at_writes", tmp_path, 3)
    there = {each["there"] for each in seen}
    assert {0, 4} < there
    for each in seen[:-1]:
        begun = (tmp_path / each["directory"] / "cells").exists() and each["there"] > 0
        assert each["code"] in ((75,) if begun else (2, 75)), each
        assert "No space left on device" in each["said"]
        assert "Traceback" not in each["said"]
        if each["code"] == 75:
            assert "kept" in each["said"]
            assert "go on with\n  ucnp-abm compare study.toml" in each["said"]
        assert each["end"] == 0
        same(tmp_path, each["directory"])
    assert 75 in {each["code"] for each in seen if each["there"] == 4}  # no room for the report


# --- again, and differently ---


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A directory with study.toml and its finished study; look, and do not touch."""
    place = tmp_path_factory.mktemp("finished")
    (place / "study.toml").write_text(FILE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert told("compare", "study.toml", "--jobs", 1)[0] == 0
    return place


@pytest.fixture
def place(finished, tmp_path, monkeypatch):
    """A copy of it, to work in; reports are written without figures."""
    shutil.copytree(finished, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(report, "_sections", lambda *_: [])
    return tmp_path / "here"


def cells(place):
    return sorted((place / "study/cells").glob("*.npz"))


def test_a_study_file_makes_a_directory_of_its_name(finished):
    there = {file.name for file in (finished / "study").iterdir()}
    assert {*RESULTS, "cells", "figures", "index.html", "log.jsonl", "methods.md", "references.bib"} <= there
    assert "lock" not in there
    assert len(cells(finished)) == 4


def test_again_nothing_runs_and_the_report_is_up_to_date(place, capsys):
    before = {file: file.stat().st_mtime_ns for file in Path("study").rglob("*")}
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert code == 0
    assert err.splitlines()[1:] == ["4 were there already", "up to date: study/index.html"]
    code, _, err = told("report", "study", capsys=capsys)
    assert err.splitlines() == ["4 were there already", "up to date: study/index.html"]
    assert {file: file.stat().st_mtime_ns for file in before} == before


def test_a_changed_design_is_told_and_only_what_is_missing_runs(place, capsys):
    before = held(place / "study", "cells")
    (place / "study.toml").write_text(FILE.replace("replicates = 2", "replicates = 3") + VARY)
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert code == 0
    assert "8 runs in" in err
    assert "; 4 were there already" in err
    assert "note: the design changed since: study.replicates: 2 -> 3; vary.particle.thickness: unset -> " in err
    assert before.items() <= held(place / "study", "cells").items()
    previous = json.loads((place / "study/study.previous.json").read_text())
    assert previous["study"]["study"]["replicates"] == 2
    (place / "study.toml").write_text(FILE)
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert err.splitlines()[1] == "4 were there already"
    assert len(cells(place)) == 12


def test_a_name_or_question_runs_nothing_again(place, capsys):
    (place / "study.toml").write_text(FILE.replace("[study]", '[study]\nquestion = "Does it mix?"\nname = "mixing"'))
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert code == 0
    assert "4 were there already" in err
    assert "study.question: unset" in err
    assert "Does it mix?" in (place / "study/index.html").read_text()


def test_another_engine_is_told(place, capsys, monkeypatch):
    from ucnp_abm.study import identity, store

    for module in (identity, store):
        monkeypatch.setattr(module, "ENGINE_VERSION", 99)
    code, _, err = told("compare", "study.toml", "--jobs", 1, capsys=capsys)
    assert code == 0
    assert "note: the engine's version is 99 and was" in err
    assert "4 runs in" in err
    assert len(cells(place)) == 8


def edited(file):
    """Another number in a cell, as somebody would put it there who does not know of its sum."""
    with np.load(file) as held:
        arrays = {name: held[name] for name in held.files}
    arrays["values"][-1, -1] += 1.0
    with file.open("wb") as written:
        np.savez(written, **arrays)


def cut(file):
    file.write_bytes(file.read_bytes()[:-40])


def emptied(file):
    file.write_bytes(b"")


@pytest.mark.parametrize("how", [edited, cut, emptied], ids=lambda how: how.__name__)
def test_an_edited_cell_is_told_runs_again_and_is_kept_aside(how, place, capsys):
    file = cells(place)[2]
    original = file.read_bytes()
    how(file)
    wrong = file.read_bytes()
    code, _, err = told("report", "study", capsys=capsys)
    assert code == 0
    assert f"note: cells/{file.name} was changed or damaged since it was written" in err
    assert "3 were there already; 1 still to come" in err
    assert "was changed or damaged" in (place / "study/index.html").read_text()
    assert file.read_bytes() == wrong
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert code == 0
    assert "1 run in" in err
    assert f"note: cells/{file.name} was changed or damaged since it was written" in err
    assert file.read_bytes() == original
    assert file.with_name(f"{file.name}.damaged").read_bytes() == wrong
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert "note" not in err


def test_a_deleted_cell_runs_again_to_the_same_bytes(place, capsys):
    before = held(place / "study", "cells")
    cells(place)[0].unlink()
    code, _, err = told("compare", "study.toml", capsys=capsys)
    assert code == 0
    assert "1 run in" in err
    assert "3 were there already" in err
    assert held(place / "study", "cells") == before


def test_cells_that_were_copied_here_are_found(place, capsys):
    shutil.copytree("study/cells", "elsewhere/cells")
    code, _, err = told("compare", "study.toml", "--out", "elsewhere", capsys=capsys)
    assert code == 0
    assert err.splitlines()[1] == "4 were there already"


# --- report ---


def test_a_report_of_an_unfinished_study_says_what_is_missing(place, capsys):
    for file in cells(place)[:2]:
        file.unlink()
    before = held(place / "study", "cells")
    code, out, err = told("report", "study", capsys=capsys)
    assert code == 0
    assert "no-complex" in out
    assert err.splitlines() == ["2 were there already; 2 still to come", "wrote study/index.html"]
    assert "2 of 4 runs are still to come: numbers will change." in (place / "study/index.html").read_text()
    assert held(place / "study", "cells") == before


def test_a_report_of_nothing_says_so(place, capsys):
    for file in cells(place):
        file.unlink()
    code, _, err = told("report", "study", capsys=capsys)
    assert code == 0, err
    assert "4 still to come" in err
    assert "4 of 4 runs are still to come" in (place / "study/index.html").read_text()


def test_a_report_goes_where_it_is_wanted(place, capsys):
    before = held(place / "study")
    code, _, err = told("report", "study", "--out", "elsewhere", capsys=capsys)
    assert code == 0
    assert "wrote elsewhere/index.html" in err
    assert (place / "elsewhere/table.csv").read_bytes() == (place / "study/table.csv").read_bytes()
    assert held(place / "study") == before
    code, _, err = told("report", "study", "--out", "elsewhere", capsys=capsys)
    assert code == 2
    assert "'elsewhere' exists already" in err


def test_parts_are_put_together_by_report(place, capsys):
    for part in ("1/2", "2/2"):
        code, out, err = told("compare", "study.toml", "--out", "parts", "--shard", part, capsys=capsys)
        assert (code, out) == (0, "")
        assert err.splitlines()[-1] == "when all parts have ended: ucnp-abm report parts"
        assert not (place / "parts/index.html").exists()
    assert told("report", "parts")[0] == 0
    assert held(place / "parts", "cells") == held(place / "study", "cells")
    assert (place / "parts/table.csv").read_bytes() == (place / "study/table.csv").read_bytes()


# --- plugin files ---

MINE = '''
from ucnp_abm import IONS, Mechanism, hookimpl, observable

mine = Mechanism("mine", summary="Of a test.", source="Assumption: a test")


@mine.hop(mover=IONS)
def barrier(env):
    """{doc}"""
    return {barrier}


@observable("twice", unit="")
def twice(simulation):
    """Of a test."""
    return 2.0 * simulation.state.events


@hookimpl
def ucnp_mechanisms():
    return [mine]


@hookimpl
def ucnp_observables():
    return [twice]
'''


def test_plugin_files_take_part_in_studies_and_reports(place, capsys):
    def mine(**words):
        Path("mine.py").write_text(MINE.format(**{"doc": "Said.", "barrier": 1.6, **words}))
        return told("compare", "mine.toml", "--plugin", "mine.py", "--jobs", 2, capsys=capsys)

    Path("mine.toml").write_text(
        FILE.replace('"y-complex"', '"mine"').replace("replicates = 2", "replicates = 2\nobservables = ['twice']")
    )
    code, out, err = mine()
    assert code == 0, err
    assert "twice" in out
    assert json.loads(Path("mine/study.json").read_text())["command"].endswith("--plugin mine.py")
    code, _, err = mine(doc="Said in other words.")
    assert "4 were there already" in err
    code, _, err = mine(barrier=1.61)
    assert "2 runs in" in err
    assert "note: the rates of mine changed since, so those cells run again" in err
    code, _, err = told("report", "mine", "--plugin", "mine.py", capsys=capsys)
    assert code == 0
    assert "4 were there already" in err
    code, _, err = told("report", "mine", capsys=capsys)
    assert code == 2
    assert "'mine'" in err


def test_runs_that_fail_end_with_3_and_say_where_to_look(place, capsys):
    text = MINE.format(doc="Said.", barrier="1.6 / (parent_process() is None)")
    Path("mine.py").write_text(f"from multiprocessing import parent_process\n{text}")
    Path("mine.toml").write_text(FILE.replace('"y-complex"', '"mine"'))
    code, out, err = told("compare", "mine.toml", "--plugin", "mine.py", "--jobs", 2, capsys=capsys)
    assert code == 3, err
    assert "no-complex" in out
    assert "2 runs failed, the others are finished:" in err
    assert "ZeroDivisionError" in err
    named = next(line.partition("traceback: ")[2] for line in err.splitlines() if "traceback: " in line)
    assert 'mine.py", line 11, in barrier' in Path(named).read_text()
    assert "2 runs failed" in err
    assert "still to come" not in err
    code, _, err = told("report", "mine", "--plugin", "mine.py", capsys=capsys)
    assert "2 runs failed" in err
    assert "ZeroDivisionError" in Path("mine/index.html").read_text()


# --- for machines, and without running ---


def strict(text):
    def refuse(constant):
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize(
    "more", ["", VARY, '\n[vary]\n"anneal.protocol" = ["300 °C", "280 °C for 1 h, 320 °C"]\n'], ids=len
)
@pytest.mark.parametrize("replicates", [1, 2])
def test_json_is_json(more, replicates, place, capsys):
    (place / "s.toml").write_text(FILE.replace("replicates = 2", f"replicates = {replicates}") + more)
    code, out, _ = told("compare", "s.toml", "--json", "--observable", "docked_by_species", capsys=capsys)
    assert code == 0
    found = strict(out)
    assert len(found["rows"]) == 4 * 2 * (2 if more else 1)
    assert found["provenance"]["command"].startswith("ucnp-abm compare s.toml --observable ")
    strict((place / "s/provenance.json").read_text())
    strict((place / "s/study.json").read_text())
    code, out, _ = told("compare", "s.toml", "--json", "-n", capsys=capsys)
    assert code == 0
    assert strict(out)["runs"] == replicates * 2 * (2 if more else 1)


def test_a_dry_run_says_what_would_run_and_writes_nothing(place, capsys):
    before = held(place)
    (place / "study.toml").write_text(FILE.replace("replicates = 2", "replicates = 3") + VARY)
    before["study.toml"] = (place / "study.toml").read_bytes()
    code, out, err = told("compare", "study.toml", "-n", capsys=capsys)
    assert (code, err) == (0, "")
    assert out.startswith("12 runs: 2 mechanisms x 2 settings (2 thickness) x 3 crystals")
    assert "4 are finished; about " in out
    assert out.splitlines()[-1].endswith("s with 2 jobs") or out.splitlines()[-1].endswith("s with 1 job")
    assert told("compare", "study.toml", "-n", "--out", "new")[0] == 0
    capsys.readouterr()
    code, out, _ = told("compare", "study.toml", "-n", "--shard", "1/3", "--json", "--out", "new", capsys=capsys)
    part = strict(out)
    assert 0 < part["runs"] < 12
    assert part["finished"] == 0
    assert part["estimated_s"] >= 0
    assert held(place) == before
    assert not (place / "new").exists()
