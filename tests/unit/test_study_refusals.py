"""What is wrong with a study is told in a clear sentence before anything runs, and nothing is written."""

import os
import re
from pathlib import Path

import pytest
from commands import told
from studies import FILE, held, tables

from ucnp_abm.cli.compare import study_file
from ucnp_abm.config.studies import load_study
from ucnp_abm.errors import BadInput
from ucnp_abm.study.running import run_study
from ucnp_abm.study.store import StudyDirectory

VARY = '\n[vary]\n"particle.thickness" = ["1 nm", "0.8 nm"]\n'


def instead(old, new):
    """The small study file, with something else in one place."""
    assert FILE.count(old) == 1
    return FILE.replace(old, new)


def axis(line):
    return f"{FILE}\n[vary]\n{line}\n"


FILES = {
    "study key": (instead("replicates = 2", "replicats = 2"), "line 4: study.replicats", "did you mean 'replicates'?"),
    "particle key": (instead("shell =", "shel ="), "line 9: particle.shel", "did you mean 'shell'?"),
    "missing key": (instead("diameter =", "diametr ="), "particle.diameter: is missing", "did you mean 'diameter'?"),
    "anneal key": (instead("steps = 10", "step = 10"), "line 13: anneal.step", "did you mean 'steps'?"),
    "section": (f"{FILE}\n[partcle]\n", "line 15: partcle", "did you mean 'particle'?"),
    "mechanism key": (f"{FILE}\n[mechanism]\nbarrier = 1\n", "line 16: mechanism.barrier", "parameters"),
    "optics key": (f"{FILE}\n[optics]\npumpp = '4 W/cm²'\n", "line 16: optics.pumpp", "did you mean 'pump'?"),
    "optics value": (f"{FILE}\n[optics]\npump = '4 nm'\n", "optics.pump", "an intensity such as"),
    "box and particle": (f"{FILE}\n[box]\n", "expected one of [particle], [population], [box]"),
    "mechanism": (instead("y-complex", "y-compex"), "did you mean 'y-complex'?"),
    "no mechanism": (instead('"no-complex", "y-complex"', ""), "expected at least one", "got none"),
    "mechanism twice": (instead('"y-complex"', '"no-complex"'), "'no-complex' is given twice"),
    "a label twice": (f"{FILE}\n[mechanisms.y-complex]\nname = 'y-complex'\n", "'y-complex' is given twice"),
    "a label without name": (f"{FILE}\n[mechanisms.a]\nbarrier = 1.6\n", "mechanisms.a", "name = 'y-complex'"),
    "a label's parameter": (f"{FILE}\n[mechanisms.a]\nname = 'y-complex'\nbarier = 1.6\n", "did you mean 'barrier'?"),
    "parameter": (f"{FILE}\n[mechanism.parameters]\nbarier = 1.6\n", "none of no-complex, y-complex has", "'barrier'?"),
    "parameter value": (f"{FILE}\n[mechanism.parameters]\nbarrier = '1 nm'\n", "an energy such as"),
    "observable": (instead("replicates = 2", "observables = ['dokced']"), "did you mean 'docked'?"),
    "no observable": (instead("replicates = 2", "observables = []"), "expected a list of names"),
    "axis section": (axis('"partcle.thickness" = ["1 nm"]'), "vary.", "did you mean 'particle'?"),
    "axis key": (axis('"particle.thicknes" = ["1 nm", "2 nm"]'), "line 16: particle.thicknes", "did you mean 'thickn"),
    "axis without section": (axis('thickness = ["1 nm"]'), "vary.thickness: expected SECTION.KEY"),
    "axis parameter": (axis('"mechanism.barier" = [1.6]'), "barier = 1.6: none of", "did you mean 'barrier'?"),
    "empty axis": (axis('"particle.thickness" = []'), 'vary."particle.thickness": expected at least one level'),
    "empty named axis": (axis("furnace = {}"), "vary.furnace: expected at least one level"),
    "level twice": (axis('"particle.thickness" = ["1 nm", "2 nm", "1 nm"]'), "a level is given twice"),
    "number twice": (axis('"mechanism.barrier" = [1, 1.0]'), "a level is given twice"),
    "vary study": (axis('"study.replicates" = [1, 2]'), "'study.replicates' cannot vary"),
    "vary study by name": (f"{FILE}\n[vary.a.b]\n'study.seed' = 1\n", "'study.seed' cannot vary"),
    "vary vary": (axis('"vary.x" = [1, 2]'), "'vary.x' cannot vary"),
    "vary seed": (axis('"particle.seed" = [1, 2]'), "particle.seed", "study.seed"),
    "particle.seed": (instead("[particle]", "[particle]\nseed = 1"), "particle.seed", "study.seed; leave it out"),
    "precision": (
        f"{FILE}\n[study.precision]\nvacances = 1\n",
        "'vacances' is not compared",
        "did you mean 'vacancies'",
    ),
    "negative precision": (f"{FILE}\n[study.precision]\nvacancies = -1\n", "line 16: study.precision.vacancies", "-1"),
    "precision 0": (f"{FILE}\n[study.precision]\nvacancies = 0\n", "line 16: study.precision.vacancies"),
    "endless precision": (f"{FILE}\n[study.precision]\nvacancies = nan\n", "line 16: study.precision.vacancies"),
    "most below least": (
        instead("replicates = 2", "replicates = 9\nmax_replicates = 8\nprecision = {vacancies = 1}"),
        "study.max_replicates: expected at least study.replicates = 9",
    ),
    "most without end": (
        instead("replicates = 2", "max_replicates = 1000000\nprecision = {vacancies = 1}"),
        "study.max_replicates",
        "at most 100000",
    ),
    "replicates 0": (instead("replicates = 2", "replicates = 0"), "line 4: study.replicates", "got 0"),
    "replicates true": (instead("replicates = 2", "replicates = true"), "line 4: study.replicates", "got True"),
    "marks beyond the end": (instead("replicates = 2", "marks = [5, 11]"), "marks: 11 lies beyond the end, 10 steps"),
    "marks of another kind": (instead("replicates = 2", "marks = ['1 nm']"), "marks: expected a time such as"),
    "marks before the begin": (instead("replicates = 2", "marks = [-1]"), "marks: expected a number of at least 0"),
    "a million cells": (instead("replicates = 2", "replicates = 500001"), "1000002 runs are more than 1000000"),
    "a sky of cells": (
        axis("\n".join(f'"mechanism.p{n}" = [1, 2, 3, 4, 5, 6, 7, 8, 9]' for n in range(20))),
        "runs are more than 1000000; leave out levels or replicates",
    ),
    "arrangement": (instead("replicates = 2", "arrangement = 'full'"), "line 4: study.arrangement"),
    "not TOML": ("[study\n", "is not TOML", "line 1"),
    "nested": ("a = " + "[" * 3000, "nested too deeply"),
    "nothing": ("", "expected one of [particle]"),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys, *arguments, code=2):
    """What a command says that refuses, and leaves everything as it was."""
    before = held(Path())
    found, out, err = told(*arguments, capsys=capsys)
    assert (found, out) == (code, "")
    said = [line for line in err.splitlines() if not line.endswith("…")]
    assert said[0].startswith("ucnp-abm: ")
    assert "Traceback" not in err
    assert len(max(said, key=len)) < 330
    assert held(Path()) == before
    assert sorted(path.name for path in Path().iterdir() if path.is_dir()) == sorted(
        {n.split("/")[0] for n in before if "/" in n}
    )
    return "\n".join(said)


@pytest.mark.parametrize("name", FILES)
def test_what_is_wrong_with_a_file_is_told(name, here, capsys):
    text, *says = FILES[name]
    (here / "s.toml").write_text(text)
    said = refused(capsys, "compare", "s.toml")
    for each in says:
        assert each in said


OPTIONS = [
    (["--set", "x"], "--set x: expected SECTION.KEY=VALUE"),
    (["--set", "particle.diametr=1 nm"], "did you mean 'diameter'?"),
    (["--set", "partcle.diameter=1 nm"], "--set partcle.diameter=1 nm: unknown section", "did you mean 'particle'?"),
    (["--set", "particle.diameter.x=1"], "'diameter' is no table"),
    (["--set", "study.replicates="], "expected SECTION.KEY=VALUE"),
    (["--vary", "x"], "--vary x: expected KEY=VALUE,VALUE,…"),
    (["--vary", "=1"], "--vary =1: expected KEY=VALUE"),
    (["--vary", "particle.thickness="], "expected KEY=VALUE"),
    (["--vary", "particle.thickness=1 nm,,2 nm"], "expected KEY=VALUE"),
    (["--vary", 'particle.core=["NaGdF4'], "expected KEY=VALUE"),
    (["--vary", "particle.thickness=[]"], "expected at least one level"),
    (["--vary", "thickness=1 nm"], "vary.thickness: expected SECTION.KEY"),
    (["--vary", "study.seed=1,2"], "'study.seed' cannot vary"),
    (["--precision", "x"], "--precision x: expected NAME=X"),
    (["--precision", "=1"], "--precision =1: expected NAME=X"),
    (["--precision", "vacancies="], "expected NAME=X"),
    (["--precision", "vacancies=-1"], "  study.precision.vacancies", "-1"),
    (["--precision", "vacancies=few"], "  study.precision.vacancies", "number"),
    (["--precision", "vacances=1"], "'vacances' is not compared", "did you mean 'vacancies'?"),
    *((["--shard", text, "--out", "s"], f"--shard {text}: expected a part and how many")
      for text in ("0/4", "5/4", "a/b", "1", "1/", "/2", "-1/4", "1/0", "1.5/2")),
    (["--shard", "1/2", "--precision", "vacancies=1"], "leave out the precision"),
    (["--jobs", "0"], "jobs: expected a whole number of at least 1"),
    (["--jobs", "-1"], "jobs: expected a whole number"),
    (["--replicates", "0"], "  study.replicates", "got 0"),
    (["--steps", "-1"], "  anneal.steps"),
    (["--steps", "nan"], "  anneal.steps"),
    (["--seed", "-1"], "--seed"),
    (["--mark", "11"], "marks: 11 lies beyond the end"),
    (["--observable", "dokced"], "did you mean 'docked'?"),
    (["--protocol", "warm"], "temperature"),
    (["--plugin", "none.py"], "none.py"),
    (["--no-plugins"], "left out by --no-plugins"),
    (["--out", "file"], "'file' exists already and is no study"),
    (["--out", "file/s"], "cannot write 'file/s'"),
    (["--out", "full"], "'full' exists already and is no study"),
    (["--out", "/proc/s"], "cannot write '/proc/s'"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "says"), [(given, says) for given, *says in OPTIONS], ids=lambda each: str(each))
def test_what_is_wrong_with_an_option_is_told(options, says, here, capsys):
    (here / "s.toml").write_text(FILE)
    (here / "file").touch()
    (here / "full").mkdir()
    (here / "full" / "mine").touch()
    said = refused(capsys, "compare", "s.toml", *options)
    for each in says:
        assert each in said
    assert "line" not in said or "--set particle.diametr" in " ".join(options)  # no line of the file is to blame


def test_a_part_needs_a_directory(here, capsys):
    assert "give --out" in refused(capsys, "compare", "no-complex", "--shard", "1/2")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.mkdir(), "cannot be read as text"),
        (lambda path: path.write_bytes(b"\xff\xfe[study]"), "cannot be read as text"),
        (lambda path: None, "no such file, and no mechanism of that name"),
    ],
    ids=["a directory", "not UTF-8", "nothing"],
)
def test_what_is_no_file_is_told(make, says, here, capsys):
    (here / "inner").mkdir()
    (here / "inner" / "x").touch()
    make(here / "inner" / "s.toml")
    if (here / "inner" / "s.toml").is_dir():
        (here / "inner" / "s.toml" / "x").touch()
    assert says in refused(capsys, "compare", "inner/s.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_place_without_permission_is_told(here, capsys):
    (here / "s.toml").write_text(FILE)
    here.chmod(0o500)
    assert "cannot write 's'" in refused(capsys, "compare", "s.toml")


def test_all_settings_that_cannot_be_built_are_told_at_once():
    vary = {"particle.thickness": ["0.8 nm", "-1 nm", "0.1 nm"], "anneal.steps": [10, 0]}
    with pytest.raises(BadInput) as error:
        load_study(tables(vary=vary))
    for said in ("particle.thickness = -1 nm", "particle.thickness = 0.1 nm", "anneal.steps = 0"):
        assert f"study at {said}: 1 problem" in str(error.value)
    vary = {"anneal.steps": [10, 20, 30], "particle.thickness": ["0.8 nm", "1 nm"]}
    with pytest.raises(BadInput) as error:
        load_study(tables(study__marks=[15, 25], vary=vary))
    lines = str(error.value).splitlines()
    assert lines[0] == "study: 4 of 6 settings cannot be built; nothing was run"
    assert lines[1] == "  steps = 10, thickness = 0.8 nm: marks: 25 lies beyond the end, 10 steps"
    assert len(lines) == 5


def test_many_settings_that_cannot_be_built_are_counted():
    with pytest.raises(BadInput) as error:
        load_study(tables(study__marks=[1000], vary={"anneal.steps": list(range(1, 31))}))
    assert str(error.value).splitlines()[-1] == "  … and 18 more"
    with pytest.raises(BadInput) as error:
        load_study(tables(vary={"anneal.steps": [-n for n in range(30)]}))
    assert str(error.value).splitlines()[-1] == "… and 18 more"


def test_executor_and_scheduler_or_parts_without_place_are_refused():
    study = load_study(tables())
    for given, says in [
        ({"executor": object(), "scheduler": "local"}, "either an executor or a scheduler"),
        ({"executor": object()}, "expected a concurrent.futures.Executor"),
        ({"shard": (1, 2)}, "give one"),
        ({"jobs": 1.5}, "jobs: expected a whole number"),
    ]:
        with pytest.raises(BadInput, match=re.escape(says)):
            run_study(study, progress=False, **given)


DAMAGED = [
    "",
    "{",
    "[]",
    "{}",
    "null",
    '{"schema": 1}',
    "[" * 100_000,
    '{"schema": 1, "study": [], "tables": {}, "engine_version": 1, "command": "x"}',
    '{"schema": 1, "study": {}, "tables": {}, "engine_version": [], "command": "x"}',
    '{"schema": 1, "study": {}, "tables": {}, "engine_version": 1}',
]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda text: text[:40] or "empty")
@pytest.mark.parametrize("command", [["report", "s"], ["compare", "s.toml"]], ids=" ".join)
def test_a_damaged_study_json_is_told(content, command, here, capsys):
    (here / "s.toml").write_text(FILE)
    (here / "s").mkdir()
    (here / "s/study.json").write_text(content)
    said = refused(capsys, *command, code=4)
    assert "study.json' is damaged" in said
    assert "remove it and compare again, the runs are kept" in said


@pytest.mark.parametrize("command", [["report", "s"], ["compare", "s.toml"]], ids=" ".join)
def test_a_study_of_another_version_is_told(command, here, capsys):
    (here / "s.toml").write_text(FILE)
    (here / "s").mkdir()
    (here / "s/study.json").write_text('{"schema": 2, "what": {}}')
    assert "has schema 2, this version reads 1; use another ucnp_abm" in refused(capsys, *command)


def test_runs_are_found_again_without_study_json(here):
    study = load_study(tables())
    run_study(study, "s", jobs=1, progress=False)
    (here / "s/study.json").unlink()
    (here / "s/index.html").touch()
    assert run_study(study, "s", jobs=1, progress=False).account.found == 4
    assert (here / "s/study.json").exists()


@pytest.mark.parametrize("name", ["full", "file", "none"])
def test_a_report_of_no_study_is_refused(name, here, capsys):
    (here / "full").mkdir()
    (here / "full/x").touch()
    (here / "file").touch()
    assert f"'{name}' is no study directory: it holds no study.json" in refused(capsys, "report", name)


def test_two_processes_do_not_run_in_one_directory(here, capsys):
    (here / "s.toml").write_text(FILE)
    with StudyDirectory.begin(here / "s", load_study(here / "s.toml")).held():
        said = refused(capsys, "compare", "s.toml", "--seed", 3)
    assert f"study: 's' is being run by process {os.getpid()}; wait for it" in said


def test_a_study_file_beside_a_mechanism_is_refused() -> None:
    with pytest.raises(BadInput, match=r"mine\.toml: a study file stands alone"):
        study_file(["mine.toml", "no-complex"])
