"""Single files as plugins: loaded by path, loaded again after an edit, refused with file and line."""

import inspect
import json
import linecache
import os
import subprocess
import sys
import time
import traceback
import types

import pytest

from ucnp_abm import Simulation, registry
from ucnp_abm.cli.main import main
from ucnp_abm.errors import BadInput, BadPlugin
from ucnp_abm.observables import OBSERVABLES

TEXT = """
from ucnp_abm import IONS, Drive, Mechanism, hookimpl, observable

NAME = Mechanism("NAME", summary="A trial.", source="Assumption: a test")


@NAME.hop(mover=IONS)
def law(env):
    return 1.65


@hookimpl
def ucnp_mechanisms():
    return [NAME]
"""
MORE = """

lamp = Drive("lamp", summary="A lamp.", source="Assumption: a test")
lamp.warm("20 K")


@observable("trial_nm", unit="nm")
def trial(simulation):
    '''A trial.'''
    return 1.0


@hookimpl
def ucnp_drives():
    return [lamp]


@hookimpl
def ucnp_observables():
    return [trial]
"""


@pytest.fixture(autouse=True)
def no_files_are_left():
    yield
    for name in ours():
        del sys.modules[name]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A registry for one test; what it loads is forgotten."""
    monkeypatch.chdir(tmp_path)
    with registry.beside([]) as found:
        yield found


def put(path, text=TEXT, name="dock"):
    path.parent.mkdir(exist_ok=True)
    path.write_text(text.replace("NAME", name), encoding="utf-8")
    return path


def ours():
    return sorted(name for name in sys.modules if name.startswith("ucnp_abm_file_"))


def test_a_file_offers_mechanisms_drives_and_observables(here, tmp_path):
    offered = registry.load_file(put(tmp_path / "dock.py", TEXT + MORE))
    assert [one.name for one in offered] == ["dock", "lamp", "trial_nm"]
    assert here.get("dock+lamp").name == "dock+lamp"
    assert here.origins["dock"] == str(tmp_path / "dock.py")
    assert "trial_nm" in OBSERVABLES


def test_what_a_block_loaded_is_gone_after_it(tmp_path):
    with registry.beside([put(tmp_path / "dock.py", TEXT + MORE)]) as found:
        assert registry.mechanism("dock") is found.mechanisms["dock"]
    assert "trial_nm" not in OBSERVABLES
    with pytest.raises(BadInput, match="unknown mechanism 'dock'"):
        registry.mechanism("dock")


def test_two_files_of_one_name_do_not_meet(here, tmp_path):
    (one,) = registry.load_file(put(tmp_path / "a" / "dock.py", name="one"))
    (two,) = registry.load_file(put(tmp_path / "b" / "dock.py", name="two"))
    assert one.hops[0].law.__module__ != two.hops[0].law.__module__
    assert here.get("one") is one
    assert here.get("two") is two


def test_nothing_is_written_beside_a_file_and_the_path_of_imports_stays(here, tmp_path):
    path = list(sys.path)
    registry.load_file(put(tmp_path / "dock.py"))
    assert [file.name for file in tmp_path.iterdir()] == ["dock.py"]
    assert sys.path == path


def test_an_edited_file_replaces_all_that_it_offered(here, tmp_path):
    file = put(tmp_path / "dock.py", TEXT + MORE)
    registry.load_file(file)
    put(file, name="port")
    (port,) = registry.load_file("dock.py")  # another spelling of the same path
    assert here.get("port") is port
    assert not {"dock", "lamp"} & set(here.origins)
    assert "trial_nm" not in OBSERVABLES
    assert len(ours()) == 1


@pytest.mark.parametrize(
    "edit", ["def", "1 / 0", "NAME.name = 'y-complex'", "trial = observable('x_nm', unit='s')(law)"]
)
def test_a_file_that_fails_leaves_its_earlier_version_in_use(here, tmp_path, edit):
    file = put(tmp_path / "dock.py", TEXT + MORE)
    registry.load_file(file)
    dock, module, lines = here.get("dock"), sys.modules[ours()[0]], linecache.getlines(str(file))
    put(file, TEXT + MORE.replace("@hookimpl", f"{edit}\n\n\n@hookimpl", 1))
    with pytest.raises(BadPlugin, match="what it offered before stays in use") as refused:
        registry.load_file(file)
    assert f"{file}" in str(refused.value)
    assert here.get("dock") is dock
    assert "trial_nm" in OBSERVABLES
    assert sys.modules[ours()[0]] is module
    assert linecache.getlines(str(file)) == lines
    assert str(file) in here.failures
    registry.load_file(put(file))
    assert str(file) not in here.failures


def test_a_file_that_fails_leaves_no_module(here, tmp_path):
    before = ours()
    for text in ("1 / 0", "def", "import sys\nsys.exit(1)"):
        with pytest.raises(BadPlugin):
            registry.load_file(put(tmp_path / "dock.py", text))
    put(tmp_path / "dock.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        registry.load_file(tmp_path / "dock.py")
    assert ours() == before
    assert str(tmp_path / "dock.py") not in linecache.cache


def test_a_traceback_shows_the_lines_that_were_loaded_last(here, tmp_path):
    file = put(tmp_path / "dock.py")
    for law in ("undefined_one", "undefined_two"):  # of one length, within one tick of the clock
        registry.load_file(put(file, TEXT.replace("1.65", law)))
        with pytest.raises(NameError) as failed:
            here.get("dock").hops[0].law(None)
        assert f"return {law}\n" in "".join(traceback.format_exception(failed.value))
        assert law in inspect.getsource(here.get("dock").hops[0].law)


def test_a_traceback_shows_the_lines_that_were_loaded_though_the_file_was_edited_since(here, tmp_path):
    file = put(tmp_path / "dock.py", TEXT.replace("1.65", "undefined"))
    registry.load_file(file)
    put(file, "# another text\n" * 30)
    linecache.checkcache()
    with pytest.raises(NameError) as failed:
        here.get("dock").hops[0].law(None)
    assert "return undefined\n" in "".join(traceback.format_exception(failed.value))


def test_first_event_of_an_edited_file_comes_within_half_a_second(here, tmp_path, small_particle):
    file = put(tmp_path / "dock.py")
    registry.load_file(file)
    Simulation(small_particle, here.get("dock"), seed=1).run(events=1)
    put(file, TEXT.replace("1.65", "1.55"))
    began = time.process_time()
    registry.load_file(file)
    simulation = Simulation(small_particle, here.get("dock"), seed=1)
    simulation.run(events=1)
    assert time.process_time() - began < 0.5
    assert simulation.state.events == 1


def test_a_file_that_an_installed_plugin_came_from_takes_its_place(here, tmp_path):
    class Entry:
        name, value = "bundle", "dock"

        def load(self):
            module = types.ModuleType("dock")
            module.__file__ = str(tmp_path / "dock.py")
            exec((tmp_path / "dock.py").read_text(), vars(module))
            return module

    put(tmp_path / "dock.py")
    here.entries = {"bundle": Entry()}
    first = here.get("dock")
    (second,) = registry.load_file(tmp_path / "dock.py")
    assert here.get("dock") is second
    assert "bundle" not in here.plugins
    assert second is not first


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("x = 1\ndef f(:\n", 2, "SyntaxError: invalid syntax"),
        ("\n\nimport nothing_here", 3, "ModuleNotFoundError: No module named 'nothing_here'"),
        ("import beside", 1, "a plugin file is one file"),
        ("from . import beside", 1, "a plugin file is one file"),
        (
            "from ucnp_abm import Mechanism\nMechanism('a', summary='', source='').hop('Yp')",
            2,
            "failed: a: hop: unknown species 'Yp'; did you mean 'Yb'",
        ),
        ("class Stop(BaseException): ...\nraise Stop('enough')", 2, "Stop: enough"),
        ("import sys\n\nsys.exit(3)", 3, "it ends the program (SystemExit: 3)"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_line(here, tmp_path, text, line, says):
    put(tmp_path / "beside.py", "")
    file = put(tmp_path / "dock.py", text)
    with pytest.raises(BadPlugin) as refused:
        registry.load_file(file)
    assert says in str(refused.value)
    assert f"({file}, line {line})" in str(refused.value)


def test_a_name_that_is_installed_is_refused_with_plugin_and_both_files(here, tmp_path):
    here.plugins, here._loaded = {}, set()  # nothing has asked for the laser yet
    text = TEXT.replace('"NAME"', '"laser-thermal"')
    with pytest.raises(
        BadPlugin, match=r"the name 'laser-thermal' is taken by plugin 'laser' \(.*laser.py\)"
    ) as refused:
        registry.load_file(put(tmp_path / "dock.py", text))
    assert f"({tmp_path / 'dock.py'}, line 12)" in str(refused.value)
    assert "--no-plugins" in str(refused.value)


@pytest.mark.parametrize(("content", "line"), [(b"a = 1\nb = 2\n# \xe9\n", 3), (b"# \xe9\n", 1)])
def test_a_file_that_is_not_utf8_is_refused_with_its_line(here, tmp_path, content, line):
    (tmp_path / "dock.py").write_bytes(content)
    with pytest.raises(BadPlugin, match=rf"it is not UTF-8 text.*dock.py, line {line}\)"):
        registry.load_file(tmp_path / "dock.py")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("dok.py", "there is no 'dok.py'; did you mean 'dock.py'?"),
        ("no/dock.py", "there is no directory 'no'"),
        ("folder", "'folder' is a directory; did you mean 'folder/inner.py'?"),
        ("notes.txt", "does not end with '.py'"),
    ],
)
def test_a_path_that_is_no_file_of_python_is_refused(here, tmp_path, path, says):
    put(tmp_path / "dock.py")
    put(tmp_path / "folder" / "inner.py")
    (tmp_path / "notes.txt").touch()
    with pytest.raises(BadInput) as refused:
        registry.load_file(path)
    assert says in str(refused.value)


def test_what_a_plugin_prints_is_talk(here, tmp_path, capsys):
    registry.load_file(
        put(tmp_path / "dock.py", "print('loading')" + TEXT.replace("    return [", "    print('hook')\n    return ["))
    )
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == "loading\nhook\n"


# --- on the command line ---


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return ended.value.code, said.out, said.err

    return call


def test_list_shows_the_file_of_a_mechanism_and_why_another_failed(command, tmp_path):
    put(tmp_path / "dock.py", "print('loading')" + TEXT + MORE)
    put(tmp_path / "broken.py", "\n1 / 0")
    options = ("--plugin", "dock.py", "--plugin", "broken.py", "--no-plugins")
    code, out, _ = command("plugins", "list", *options)
    assert code == 0
    assert "dock: A trial.\n      from the file dock.py" in out
    assert "trial_nm: A trial." in out
    assert f"broken.py: ZeroDivisionError: division by zero\n      at {tmp_path / 'broken.py'}, line 2" in out
    assert "y-complex:" not in out
    listed = json.loads(command("plugins", "list", "--json", *options)[1])
    assert [one["name"] for one in listed["offered"]] == ["dock", "lamp", "trial_nm"]
    assert listed["failures"][0]["why"] == "ZeroDivisionError: division by zero"


def test_a_file_counts_for_one_command_only(command, tmp_path):
    put(tmp_path / "dock.py")
    assert command("compare", "dock", "-n", "--replicates", 1, "--plugin", "dock.py")[0] == 0
    code, _, err = command("compare", "dock", "-n")
    assert (code, "unknown mechanism 'dock'" in err) == (2, True)


def test_exit_code_of_a_broken_file_is_3_and_of_a_missing_one_2(command, tmp_path):
    put(tmp_path / "dock.py", "1 / 0")
    assert command("run", "dock", "--plugin", "dock.py")[0] == 3
    assert command("run", "dock", "--plugin", "dok.py")[0] == 2


def test_without_plugins_an_installed_mechanism_is_said_to_be_left_out(command):
    code, _, err = command("run", "y-complex", "--no-plugins")
    assert code == 2
    assert "its plugin is installed, but left out by --no-plugins" in err


@pytest.mark.parametrize("what", ["run", "compare"])
def test_a_file_in_the_place_of_a_mechanism_is_said_to_be_one(command, tmp_path, what):
    put(tmp_path / "dock.py")
    code, _, err = command(what, "dock.py")
    assert (code, err) == (
        2,
        "ucnp-abm: 'dock.py' is a file: give the name of its mechanism, and the file by --plugin\n",
    )


def test_environment_variable_names_the_installed_plugins_to_load(monkeypatch):
    monkeypatch.setenv("UCNP_ABM_PLUGINS", " y-complex,laser,")
    found = registry.Registry.installed()
    assert list(found.entries) == ["y-complex", "laser"]
    assert "gd-complex" in found.left_out
    monkeypatch.setenv("UCNP_ABM_PLUGINS", "")
    assert not registry.Registry.installed().entries
    monkeypatch.setenv("UCNP_ABM_PLUGINS", "y-complx")
    with pytest.raises(BadInput, match="UCNP_ABM_PLUGINS: no plugin 'y-complx' is installed; did you mean 'y-complex'"):
        registry.Registry.installed()


SMALL = """
[particle]
core = "NaGdF4: 49% Yb"
diameter = "1.6 nm"
shell = "NaYF4"
thickness = "0.5 nm"
[mechanism]
name = "dock"
[anneal]
steps = 2
[run]
samples = 2
snapshots = 1
"""


def test_a_run_with_a_file_needs_it_again_and_says_so(command, tmp_path):
    put(tmp_path / "dock.py")
    (tmp_path / "small.toml").write_text(SMALL)
    assert command("run", "small.toml", "--plugin", "dock.py", "--out", "a")[0] == 0
    for arguments in (["check", "a"], ["diff", "a", "a"]):
        code, _, err = command(*arguments)
        assert code == 2
        assert "its laws came from dock.py: if it is a file of yours, add --plugin FILE" in err
        assert command(*arguments, "--plugin", "dock.py")[0] == 0
    put(tmp_path / "dock.py", TEXT.replace("1.65", "1.6"))
    code, _, err = command("diff", "a", "a", "--plugin", "dock.py")
    assert code == 2
    assert "was run with other rates than 'dock' gives now" in err


def test_resume_line_names_the_file(command, tmp_path):
    put(tmp_path / "my dock.py")
    (tmp_path / "small.toml").write_text(SMALL)
    assert command("run", "small.toml", "--plugin", "my dock.py", "--out", "a")[0] == 0
    (tmp_path / "a" / "done.json").unlink()
    code, _, err = command("run", "small.toml", "--plugin", "my dock.py", "--out", "a")
    assert code == 2
    assert "ucnp-abm run --resume a --plugin 'my dock.py'" in err
    assert "its laws came from my dock.py" in command("run", "--resume", "a")[2]
    assert command("run", "--resume", "a", "--plugin", "my dock.py")[0] == 0


def test_workers_know_the_laws_of_a_file_and_its_observables(command, tmp_path):
    put(tmp_path / "dock.py", TEXT + MORE)
    sizes = [f"particle.{key}" for key in ("diameter=1.6 nm", "thickness=0.5 nm")]
    options = [
        "--plugin",
        "dock.py",
        "--replicates",
        2,
        "--jobs",
        2,
        "--steps",
        1,
        "--observable",
        "trial_nm",
        "--json",
    ]
    code, out, err = command("compare", "dock", "no-complex", *options, "--set", sizes[0], "--set", sizes[1])
    assert code == 0, err
    assert {row["mechanism"] for row in json.loads(out)["rows"]} == {"dock", "no-complex"}


@pytest.mark.parametrize("arguments", [["plugins", "--help"], ["plugins"], ["plugins", "new", "--help"]])
def test_help_about_plugins_imports_nothing_heavy(arguments):
    code = (
        "import sys\nfrom ucnp_abm.cli.main import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: sys.exit('numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_an_unknown_command_about_plugins_names_the_nearest(command):
    code, _, err = command("plugins", "lst")
    assert (code, err) == (2, "ucnp-abm: no command 'lst'; did you mean 'list'?\n")


def test_what_is_no_ordinary_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "circle.py").symlink_to("circle.py")
    (tmp_path / "nowhere.py").symlink_to("gone.py")
    for name, says in (
        ("pipe", "is no ordinary file"),
        ("circle", "cannot read|leads nowhere"),
        ("nowhere", "leads nowhere"),
    ):
        with pytest.raises(BadInput, match=says):
            registry.load_file(tmp_path / f"{name}.py")
