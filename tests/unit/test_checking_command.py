"""`ucnp-abm plugins check`: what stands on the screen, what machines read, and the exit code."""

import json
from pathlib import Path

import pytest

from ucnp_abm.cli.main import main
from ucnp_abm.workbench.scaffold import scaffold

WRONG = Path(__file__).parents[1] / "data" / "wrong_plugins"


def exit_code(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(["plugins", "check", *map(str, arguments)])
    return ended.value.code


@pytest.mark.parametrize("file", sorted(WRONG.glob("*.py")), ids=lambda file: file.stem)
def test_findings_fit_the_screen_and_end_with_a_verdict(file, capsys):
    exit_code(file, "--events", 20)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith((file.stem, file.stem.replace("_", "-")))
    assert lines[-1].endswith(("error", "errors", "warning", "nothing wrong"))


def test_the_verdict_is_the_last_line(capsys):
    assert exit_code("y-complex+laser-thermal", "--events", 50) == 0
    assert capsys.readouterr().out == "y-complex+laser-thermal: 13 checks, 125 environments: nothing wrong\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["negative_barrier.py"], 3),
        (["broken_import.py"], 3),
        (["not_offered.py"], 3),
        (["prints.py"], 0),
        (["prints.py", "--strict"], 3),
        (["nothing.py"], 2),
        (["prints.py", "--set", "mechanism.no_such=1"], 2),
    ],
)
def test_exit_codes(arguments, code, monkeypatch):
    monkeypatch.chdir(WRONG)
    assert exit_code(*arguments, "--events", 20) == code


def test_a_file_that_offers_observables_alone_has_nothing_wrong(tmp_path, capsys):
    plugin = tmp_path / "seen.py"
    plugin.write_text(
        "from ucnp_abm import hookimpl, observable\n"
        "@observable('seen_nm', unit='nm')\ndef seen(simulation):\n    'A trial.'\n    return 1.0\n"
        "@hookimpl\ndef ucnp_observables():\n    return [seen]\n"
    )
    assert exit_code(plugin) == 0
    assert capsys.readouterr().out == "seen.py: 2 checks: nothing wrong\n"


def test_a_new_plugin_passes_strictly(tmp_path, capsys):
    scaffold("my-dock", tmp_path / "my-dock")
    assert exit_code(tmp_path / "my-dock" / "my_dock.py", "--strict") == 0
    assert capsys.readouterr().out == "my-dock: 13 checks, 125 environments: nothing wrong\n"


def test_json_holds_all_findings(capsys):
    assert exit_code(WRONG / "not_a_number.py", "--events", 20, "--json") == 3
    (report,) = json.loads(capsys.readouterr().out)["reports"]
    assert (report["mechanism"], report["ok"], report["environments"]) == ("not-a-number", False, 1805)
    (finding,) = report["findings"]
    assert set(finding) == {"check", "severity", "message", "place", "environment"}
    assert finding["place"] == "not_a_number.py, line 15"


def test_settings_reach_the_mechanism_and_the_particle(capsys):
    small = [f"particle.{one}" for one in ("diameter=2.4 nm", "thickness=0.8 nm", "lattice=alpha")]
    sets = [word for one in (*small, "mechanism.barrier=20 meV") for word in ("--set", one)]
    assert exit_code("no-complex", *sets, "--events", 20, "--strict") == 3
    assert "are 0.02 eV" in capsys.readouterr().out


def test_drives_of_a_file_are_combined_with_a_mechanism_on_which_they_act(tmp_path, capsys):
    plugin = tmp_path / "lamp.py"
    plugin.write_text(
        "from ucnp_abm import Drive, hookimpl\n"
        "lamp = Drive('lamp', summary='A lamp.', source='Assumption: a test')\n"
        "lamp.warm('20 K')\n"
        "bright = Drive('bright', summary='A lamp.', source='Assumption: a test')\n"
        "bright.multiply('dock', 3.0)\n"
        "@hookimpl\ndef ucnp_drives():\n    return [lamp, bright]\n"
    )
    assert exit_code(plugin, "--events", 20) == 0
    assert [line.partition(":")[0] for line in capsys.readouterr().out.split("\n\n")] == [
        "no-complex+lamp",
        "gd-complex+bright",
    ]
