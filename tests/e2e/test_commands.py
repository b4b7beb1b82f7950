"""The command line as a user meets it: what it writes, what it says, and how it refuses."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import SMALL

EXAMPLE = Path(__file__).parents[2] / "examples" / "y_complex.toml"


def ucnp_abm(*arguments, cwd):
    command = [sys.executable, "-m", "ucnp_abm.cli.main", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8")


def test_demo_writes_figures_table_and_a_directory_for_each_run(tmp_path):
    done = ucnp_abm("demo", "--seeds", 2, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    out = tmp_path / "ucnp-demo"
    for name in ("figures/panels.png", "figures/panels.svg", "figures/time_courses.pdf", "table.csv", "index.html"):
        assert (out / name).stat().st_size > 100
    for mechanism in ("no-complex", "y-complex"):
        for seed in (0, 1):
            assert json.loads((out / mechanism / f"seed-{seed}" / "done.json").read_text())["events"] > 1000
    rows = list(csv.DictReader((out / "table.csv").read_text().splitlines()))
    final = {r["mechanism"]: float(r["outside_core_pct"]) for r in rows if r["steps"] == "1000"}
    assert final["no-complex"] > 45 > 15 > final["y-complex"]
    assert "Wrote ucnp-demo/" in done.stdout
    assert "Next:" in done.stdout


def test_run_directory_says_where_it_comes_from(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL + "parameters = { dock_barrier = '1.3 eV' }\n")
    done = ucnp_abm("run", "small.toml", "--steps", 50, "--seed", 5, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    run = json.loads((tmp_path / "small" / "run.json").read_text())
    assert run["seed"] == 5
    assert run["mechanism"]["parameters"]["dock_barrier"] == 1.3
    assert run["mechanism"]["irreversible"] == ["dock Y"]
    assert len(run["mechanism"]["table_fingerprint"]) == 64
    assert run["config"]["particle"]["diameter"] == "2.4 nm"
    assert set(run["versions"]) >= {"ucnp-abm", "numpy", "numba", "mesa"}
    assert run["plan"]["marks"][:3] == [0.0, 0.5, 1.0]
    steps = [float(np.load(tmp_path / "small" / "snapshots" / f"{n:04d}.npz")["step"]) for n in range(11)]
    assert steps == run["plan"]["snapshots"]


def test_same_seed_same_bytes(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    for out in ("a", "b"):
        assert ucnp_abm("run", "small.toml", "--steps", 50, "--out", out, cwd=tmp_path).returncode == 0
    names = ["observables.csv", "done.json", "run.json", "snapshots/sites.npz", "snapshots/0010.npz", "final.npz"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert set(names) < {*json.loads((tmp_path / "a" / "done.json").read_text())["sha256"], "done.json"}


def test_the_example_configuration_is_valid():
    from ucnp_abm.config.files import load

    assert load(EXAMPLE).mechanism.name == "y-complex"


def test_plugins_list_names_every_mechanism(tmp_path):
    done = ucnp_abm("plugins", "list", cwd=tmp_path)
    assert "no-complex:" in done.stdout
    assert "chemical_potential = unset" in done.stdout
    listed = json.loads(ucnp_abm("plugins", "list", "--json", cwd=tmp_path).stdout)
    assert {m["name"] for m in listed["offered"] if m["kind"] == "mechanism"} >= {"no-complex", "y-complex"}
    assert {m["name"] for m in listed["offered"] if m["kind"] == "drive"} >= {"laser-thermal", "laser-strip"}


def test_version_and_help(tmp_path):
    assert "0.1.0" in ucnp_abm("--version", cwd=tmp_path).stdout
    assert "demo" in ucnp_abm("--help", cwd=tmp_path).stdout


def changed(old, new):
    return SMALL.replace(old, new)


BAD = {
    "two problems at once": (changed("thickness", "thicknes").replace("2.4 nm", "2.4 mm"), 2, ["2 problems", "line 6"]),
    "unknown key": (changed("thickness", "thicknes"), 2, ["line 6", "did you mean 'thickness'?"]),
    "unknown section": (changed("[mechanism]", "[mechanisms]"), 2, ["did you mean 'mechanism'?"]),
    "unknown mechanism": (changed("y-complex", "y-complx"), 2, ["did you mean 'y-complex'?"]),
    "unknown species": (changed("Yb", "Yp"), 2, ["line 3", "did you mean 'Yb'?"]),
    "too much dopant": (changed("49% Yb", "99% Yb, 3% Tm"), 2, ["add up to 102 %"]),
    "negative share": (changed("49%", "-4%"), 2, ["expected 0 to 100 %"]),
    "thin shell": (changed("0.8 nm", "0.1 nm"), 2, ["thinner than a lattice spacing"]),
    "negative barrier": (SMALL + "parameters = { barrier = -1 }", 2, ["expected 0 to 10 eV, got -1"]),
    "nan barrier": (SMALL + "parameters = { barrier = nan }", 2, ["finite"]),
    "infinite barrier": (SMALL + "parameters = { barrier = inf }", 2, ["finite"]),
    "wrong unit": (SMALL + "parameters = { barrier = '1 h' }", 2, ["an energy such as '1.65 eV'"]),
    "unknown parameter": (SMALL + "parameters = { barier = 1.6 }", 2, ["did you mean 'barrier'?"]),
    "zero kelvin": (SMALL + "[anneal]\nprotocol = '0 K'", 2, ["line 11", "above zero"]),
    "zero steps": (SMALL + "[anneal]\nsteps = 0", 2, ["greater than 0"]),
    "steps and duration": (SMALL + "[anneal]\nsteps = 1\nduration = '1 h'", 2, ["not both"]),
    "negative seed": (SMALL + "[run]\nseed = -1", 2, ["greater than or equal to 0"]),
    "wrong type": (SMALL + "[run]\nsamples = 'many'", 2, ["samples", "many"]),
    "unknown scheduler": (SMALL + "[run]\nscheduler = 'tree'", 2, ["rejection", "linear-scan"]),
    "no sodium sites": (changed("[mechanism]", "lattice = 'fcc'\n[mechanism]"), 2, ["no sodium sites"]),
    "no vacancies": (
        changed("[mechanism]", "surface_vacancies = 0\ninterface_vacancies = 0\nbulk_vacancies = 0\n[mechanism]"),
        2,
        ["no vacancies"],
    ),
    "not TOML": (changed("[mechanism]", "[mechanism"), 2, ["is not TOML", "line 8"]),
    "empty": ("", 2, ["expected one of [particle]", "mechanism: is missing"]),
    "binary": ("\x00\x01", 2, ["is not TOML"]),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_configuration_is_refused_in_plain_words(case, tmp_path, monkeypatch, capsys):
    from ucnp_abm.cli.main import main

    text, code, says = BAD[case]
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text(text)
    with pytest.raises(SystemExit) as ended:
        main(["run", "bad.toml"])
    err = capsys.readouterr().err
    assert ended.value.code == code
    for part in says:
        assert part in err
    assert "Traceback" not in err
    assert [p.name for p in tmp_path.iterdir()] == ["bad.toml"]


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run", "y-complx"], 2, "did you mean 'y-complex'?"),
        (["run", "missing.toml"], 2, "no such file"),
        (["run", "y-complex", "--steps", "nan"], 2, "above zero"),
        (["run", "y-complex", "--steps", "-1"], 2, "above zero"),
        (["rnu"], 2, "did you mean 'run'?"),
        (["demo", "--seeds", "0"], 2, "not in the range"),
        (["demo", "--out", "taken"], 2, "exists already"),
        (["run", "y-complex", "--out", "taken"], 2, "exists already"),
        (["run", "y-complex", "--out", "file/run"], 2, "cannot write"),
    ],
)
def test_bad_call_is_refused_in_plain_words(arguments, code, says, tmp_path, monkeypatch, capsys):
    from ucnp_abm.cli.main import main

    monkeypatch.chdir(tmp_path)
    Path("taken").mkdir()
    Path("file").write_text("")
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    err = capsys.readouterr().err
    assert ended.value.code == code
    assert says in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "taken"]


def test_a_plugin_that_raises_on_import_exits_with_3(tmp_path, monkeypatch, capsys):
    from ucnp_abm import registry
    from ucnp_abm.cli.main import main

    class Broken:
        name, value = "broken", "broken_module"

        def load(self):
            raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr(registry, "installed", lambda: registry.Registry({"broken": Broken()}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "broken"])
    assert ended.value.code == 3
    assert "plugin 'broken' failed: ModuleNotFoundError" in capsys.readouterr().err


def test_run_json_tells_what_the_options_changed(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL)
    done = ucnp_abm("run", "small.toml", "--steps", 3, "--seed", 42, "--out", "a", cwd=tmp_path)
    assert done.returncode == 0
    resolved = json.loads((tmp_path / "a" / "run.json").read_text())["config_resolved"]
    assert resolved["anneal"]["steps"] == 3
    assert "duration" not in resolved["anneal"]
    assert resolved["particle"]["seed"] == resolved["run"]["seed"] == 42


def test_a_cold_phase_lasts_as_long_as_it_says(tmp_path):
    (tmp_path / "small.toml").write_text(SMALL + "[anneal]\nprotocol = '300 °C for 10 min, -50 °C for 1 h'")
    assert ucnp_abm("run", "small.toml", "--out", "a", cwd=tmp_path).returncode == 0
    rows = (tmp_path / "a" / "observables.csv").read_text().splitlines()
    assert float(rows[-1].split(",")[0]) == 4200.0


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Runs a command here; gives its exit code, stdout and stderr."""
    from ucnp_abm.cli.main import main

    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SMALL + "[anneal]\nsteps = 10\n[run]\nsamples = 5\nsnapshots = 1\n")

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return ended.value.code, said.out, said.err

    return call


def test_a_finished_run_stays_as_it_is(command):
    assert command("run", "small.toml")[0] == 0
    before = {file: file.read_bytes() for file in Path("small").rglob("*.*")}
    assert command("run", "--resume", "small") == (0, "small/ is finished; nothing to do\n", "")
    assert {file: file.read_bytes() for file in Path("small").rglob("*.*")} == before


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["run"], 2, "expected a CONFIG or a MECHANISM, or --resume DIR"),
        (["run", "small.toml", "--resume", "small"], 2, "give no other option with it"),
        (["run", "--resume", "small", "--seed", "1"], 2, "give no other option with it"),
        (["run", "--resume", "nowhere"], 2, "'nowhere' is no directory"),
        (["run", "--resume", "empty"], 4, "holds no run.json"),
        (["run", "--resume", "half"], 4, "run.json' is damaged"),
        (["run", "small.toml", "--checkpoint-every", "-1 s"], 2, "--checkpoint-every"),
        (["run", "small.toml", "--checkpoint-every", "5 eV"], 2, "--checkpoint-every"),
        (["check", "nowhere"], 2, "'nowhere' is no directory"),
        (["check", "half"], 4, "run.json' is damaged"),
        (["diff", "small", "half"], 4, "run.json' is damaged"),
        (["diff", "small"], 2, "Missing argument"),
        (["export", "small", "--to", "csv"], 2, "run again with --events"),
        (["export", "empty"], 4, "holds no run.json"),
    ],
)
def test_a_bad_call_on_a_run_directory_is_refused_in_plain_words(arguments, code, says, command):
    Path("empty").mkdir()
    Path("half").mkdir()
    Path("half/run.json").write_text('{"schema": 3, "con')
    if "small" in arguments:
        command("run", "small.toml")
    ended, _, err = command(*arguments)
    assert (ended, says in err) == (code, True), err


def test_check_says_what_is_as_written_and_what_is_not(command):
    command("run", "small.toml", "--events")
    code, out, err = command("check", "small")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "7 files: as written"
    assert "the same state and files" in out
    rows = Path("small/observables.csv")
    rows.write_bytes(rows.read_bytes().replace(b"0", b"1", 1))
    code, out, err = command("check", "small", "--no-replay")
    assert code == 4
    assert "observables.csv: is not as it was written" in out
    assert "run again" not in out
    assert "check: 'small' differs" in err


def test_diff_says_where_and_why(command):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        command("run", "small.toml", "--out", name, "--set", f"run.seed={seed}")
    assert command("diff", "a", "b")[1].startswith("run.json: the same\nequal: all ")
    out = command("diff", "a", "c")[1]
    assert "  seed        1 | 2\n" in out
    assert "0 events are the same; then they part:" in out
    assert "c: #1 at " in out
    assert "because the random words differ: seeds 1 and 2" in out
    told = json.loads(command("diff", "a", "c", "--json")[1])
    assert (told["equal"], told["common_events"], told["configuration"]["seed"]) == (False, 0, [1, 2])
    assert [event["number"] for event in told["first"]] == [1, 1]


def test_a_configuration_can_log_events(command):
    Path("small.toml").write_text(Path("small.toml").read_text() + "events = true\n")
    command("run", "small.toml")
    log = json.loads(Path("small/run.json").read_text())["event_log"]
    dtype = np.dtype([tuple(field) for field in log["dtype"]])
    events = np.fromfile("small/events.bin", dtype=dtype)
    assert len(events) == json.loads(Path("small/done.json").read_text())["events"]
    assert log["channels"] == ["hop", "dock Y"]
    code, out, _ = command("export", "small", "--to", "csv")
    assert (code, f"{len(events)} events" in out) == (0, True)
    assert Path("small.csv").read_text().startswith("t_s,verb,species,site,to_site\n")
    assert command("export", "small")[1].endswith("small.xyz: 2 frames of 611 sites\n")
