"""`ucnp-abm compare` and the report as a user meets them."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from matplotlib.backends.backend_agg import FigureCanvasAgg
from processes import alive, children, waited

from ucnp_abm import CoreShell, mechanism
from ucnp_abm.errors import BadInput
from ucnp_abm.study.compare import compare
from ucnp_abm.study.report.pictures import panels

SMALL = CoreShell(core="NaGdF4: 49% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm")
MANY = {
    "no-complex": "no-complex",
    "y-complex": mechanism("y-complex", dock_barrier="1.3 eV"),
    "gd-complex": "gd-complex",
    "y-complex+laser-thermal": "y-complex+laser-thermal",
    "y-complex+laser-athermal+laser-dock at a name that is very long indeed": "y-complex+laser-athermal+laser-dock",
    "six": mechanism("gd-complex", why="weaker-binding"),
}


@pytest.fixture(scope="module")
def many():
    return compare(MANY, particle=SMALL, replicates=4, marks=[50], jobs=1)


@pytest.fixture(scope="module")
def written(many, tmp_path_factory):
    return many.report(tmp_path_factory.mktemp("report") / "out")


@pytest.fixture
def coarse(monkeypatch):
    """Figures as small PNG files: quick, where only the rest of a report is looked at."""
    monkeypatch.setattr("ucnp_abm.viz.figures.save", lambda figure, path: figure.savefig(f"{path}.png", dpi=20))


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_no_text_of_the_figure_is_clipped_or_overlaps_another(many):
    for labels in (list(MANY), list(MANY)[:2], list(MANY)[4:5]):
        part = compare({n: MANY[n] for n in labels}, particle=SMALL, replicates=2, steps=20, jobs=1)
        figure = part.figure()
        assert figure.get_figwidth() == 7.0
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = figure.get_tightbbox(canvas.get_renderer())  # of everything, in inches
        assert min(drawn.x0, drawn.y0) >= 0
        assert drawn.x1 <= figure.get_figwidth()
        assert drawn.y1 <= figure.get_figheight()
        legend = [t.get_window_extent() for t in figure.legends[0].get_texts()]
        assert len(legend) == len(labels)
        assert not any(a.overlaps(b) for n, a in enumerate(legend) for b in legend[:n])


def test_mechanisms_differ_in_look(many):
    lines = many.figure().axes[0].lines
    assert len(lines) == len(MANY) == len({(line.get_color(), line.get_marker()) for line in lines})


def test_report_holds_page_figures_and_tables(written):
    names = {"index.html", "table.csv", "runs.csv", "methods.md", "references.bib", "provenance.json"}
    names |= {f"figures/{figure}.{kind}" for figure in ("time_courses", "panels") for kind in ("png", "svg", "pdf")}
    names.add("figures/time_courses.csv")
    there = {file.relative_to(written).as_posix(): file for file in written.rglob("*") if file.is_file()}
    assert {name for name in there if not name.endswith(".parquet")} == names
    assert all(file.stat().st_size > 100 for file in there.values())


def test_page_says_what_it_rests_on_before_any_figure(written):
    page = (written / "index.html").read_text(encoding="utf-8")
    before = page[: page.index("<img")]
    for said in ("irreversible by declaration", "dock Y", "driven by laser-thermal", "why = weaker-binding"):
        assert said.lower() in before.lower()
    assert "dock_barrier = 1.3 eV (default 1.2 eV)" in before
    assert "Assumption" in before
    assert page.count("<img") == page.count('src="data:image/png;base64,') == 2
    assert not re.search(r"\bnan\b", re.sub(r'src="[^"]*"', "", page))


def test_tables_hold_what_the_comparison_found(many, written):
    table = rows(written / "table.csv")
    assert len(table) == 6 * 2
    last = table[-1]
    assert float(last["vacancies"]) == many.mean("six", "vacancies").value
    assert float(last["vacancies_difference_low"]) == many.difference("six", "vacancies").low
    cells = rows(written / "runs.csv")
    assert len(cells) == 6 * 4 * 2
    ours = [float(r["outside_core_pct"]) for r in cells if r["mechanism"] == "gd-complex" and r["steps"] == "50"]
    assert ours == many.values("gd-complex", "outside_core_pct").tolist()


def test_plotted_points_are_those_of_the_figure(many, written):
    points = rows(written / "figures/time_courses.csv")
    panel = panels(many)[1]
    ours = [
        [float(r[k]) for k in ("mean", "low", "high")]
        for r in points
        if (r["panel"], r["observable"], r["mechanism"]) == ("course", "outside_core_pct", "six")
    ]
    assert np.array_equal(np.array(ours).T, panel.courses["six"])
    line = many.figure().axes[1].lines[list(MANY).index("six")]
    assert np.array_equal(line.get_ydata(), panel.courses["six"][0])
    assert sum(r["panel"] == "difference" for r in points) == 2 * 5


def test_provenance_names_seeds_versions_and_tables(many, written):
    found = json.loads((written / "provenance.json").read_text(encoding="utf-8"))
    assert found["seeds"] == list(many.design.seeds)
    assert set(found["mechanisms"]) == set(MANY)
    assert len(found["mechanisms"]["six"]["mechanism"]["table_fingerprint"]) == 64
    assert [run["digest"] for run in found["runs"]] == [cell.digest for cell in many.found.values()]


def test_report_does_not_overwrite_and_leaves_nothing_half_written(many, written, tmp_path, monkeypatch):
    with pytest.raises(BadInput, match="exists already"):
        many.report(written)
    monkeypatch.setattr("ucnp_abm.viz.figures.save", lambda *a, **k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        many.report(tmp_path / "half")
    assert list(tmp_path.iterdir()) == []


def test_one_particle_has_a_report_without_intervals(coarse, tmp_path):
    found = compare(["no-complex"], particle=SMALL, replicates=1, steps=10, jobs=1)
    page = (found.report(tmp_path / "one") / "index.html").read_text(encoding="utf-8")
    assert "No interval can be given" in page
    assert "Difference from" not in page


# --- the command ---


def run(*arguments):
    from ucnp_abm.cli.compare import compare as command

    return CliRunner().invoke(command, [str(a) for a in arguments])


def test_command_prints_results_on_stdout_and_talk_on_stderr(coarse, tmp_path):
    done = run("no-complex", "y-complex", "--replicates", 2, "--steps", 10, "--jobs", 1, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.exception
    assert "Difference from no-complex" in done.stdout
    assert "On the same 2 particles" in done.stdout
    assert "4 runs: 2 mechanisms x 2 crystals of 9629 sites, 10 steps" in done.stderr
    assert "wrote" not in done.stdout
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "ucnp-abm compare no-complex y-complex --replicates 2 --steps 10" in page


def test_command_gives_json():
    done = run("no-complex", "y-complex", "--replicates", 2, "--steps", 10, "--jobs", 1, "--json")
    found = json.loads(done.stdout)
    assert found["rows"][-1]["mechanism"] == "y-complex"
    assert found["rows"][0]["docked_difference"] is None
    assert len(found["provenance"]["seeds"]) == 2


def test_dry_run_counts_and_runs_nothing(tmp_path):
    done = run("no-complex", "y-complex", "--steps", 10, "--jobs", 2, "-n", "--out", tmp_path / "out")
    assert "16 runs: 2 mechanisms x 8 crystals of 9629 sites" in done.stdout
    assert list(tmp_path.iterdir()) == []
    plan = json.loads(run("no-complex", "--steps", 10, "--jobs", 2, "-n", "--json").stdout)
    assert (plan["runs"], plan["jobs"], plan["marks"]) == (8, 2, [0, 1, 5, 10])
    assert plan["estimated_s"] >= 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "expected at least one"),
        (["y-complx"], "did you mean 'y-complex'"),
        (["y-complex", "y-complex"], "given twice"),
        (["laser-thermal"], "is a drive, not a mechanism"),
        (["y-complex", "--replicates", "0"], "study.replicates: input should be greater than or equal to 1, got 0"),
        (["y-complex", "--jobs", "0"], "jobs: expected a whole number"),
        (["y-complex", "--steps", "-1"], "anneal.steps: input should be greater than 0, got -1.0"),
        (["y-complex", "--steps", "nan"], "anneal.steps: input should be a finite number"),
        (["y-complex", "--observable", "dokced"], "did you mean 'docked'"),
        (["y-complex", "--protocol", "warm"], "expected a temperature"),
        (["y-complex", "--out", "tests"], "exists already and is no study"),
        (["y-complex", "--set", "particle.diametr=8 nm"], "did you mean 'diameter'"),
        (["y-complex", "--set", "mechanism.barier=1"], "did you mean 'barrier'"),
        (["y-complex", "--set", "mechanism.barrier=1 nm"], "an energy such as"),
        (["y-complex", "--set", "run.seed=1"], "unknown section 'run'"),
        (["y-complex", "--set", "mechanism.name=a"], "mechanism.name: unknown key"),
    ],
)
def test_command_refuses_in_a_sentence(arguments, says):
    done = run(*arguments)
    assert isinstance(done.exception, BadInput)
    assert says in str(done.exception)


def test_settings_change_particle_and_parameters():
    settings = ["--set", "particle.diameter=3 nm", "--set", "mechanism.dock_barrier=1.4 eV"]
    done = run("no-complex", "y-complex", *settings, "--replicates", 1, "--steps", 5, "--json")
    found = json.loads(done.stdout)["provenance"]
    assert "diameter='3 nm'" in found["particle"]
    assert found["mechanisms"]["y-complex"]["mechanism"]["parameters"]["dock_barrier"] == 1.4
    assert "dock_barrier" not in found["mechanisms"]["no-complex"]["mechanism"]["parameters"]
    assert "--set 'mechanism.dock_barrier=1.4 eV'" in found["command"]


def test_a_parameter_goes_to_the_mechanisms_that_have_it():
    from ucnp_abm.config.studies import with_parameters

    given = {name: mechanism(name) for name in ("no-complex", "y-complex", "y-complex+laser-thermal")}
    found = with_parameters(given, {"dock_barrier": "1.3 eV", "barrier": "1.6 eV", "laser-thermal.rise": "5 K"})
    assert [m.values["barrier"] for m in found.values()] == [1.6, 1.6, 1.6]
    assert found["y-complex"].values["dock_barrier"] == 1.3
    assert found["y-complex+laser-thermal"].all_values()["laser-thermal.rise"] == 5.0
    with pytest.raises(BadInput, match=r"none of .* has the parameter 'dock_barier'; did you mean 'dock_barrier'"):
        with_parameters(given, {"dock_barier": 1.3})


# --- interrupted ---

ENDLESS = """
from ucnp_abm.study.compare import compare
print("begin", flush=True)
compare(["no-complex", "y-complex"], replicates=1, steps=1e8, jobs=2)
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="reads children from /proc")
@pytest.mark.parametrize("sent", [signal.SIGINT, pytest.param(signal.SIGKILL, marks=pytest.mark.slow)])
def test_no_worker_outlives_an_interrupted_comparison(sent, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    workers = []
    try:
        assert process.stdout.readline() == "begin\n"
        assert waited(lambda: len(children(process.pid)) == 2, 120)
        workers = children(process.pid)
        time.sleep(1)  # until one is in the loop, and the other has nothing left to do
        if sent == signal.SIGINT:
            os.killpg(process.pid, sent)  # as Ctrl-C does; it reaches the workers as well
        else:
            process.send_signal(sent)
        _, err = process.communicate(timeout=20)
        assert waited(lambda: not any(alive(w) for w in workers), 20)
        assert process.returncode == -sent
        if sent == signal.SIGINT:
            assert err.strip().splitlines()[-1] == "KeyboardInterrupt"
            assert err.count("Traceback") == 1
    finally:
        process.kill()
        for worker in workers:
            if alive(worker):
                os.kill(worker, signal.SIGKILL)
