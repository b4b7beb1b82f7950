"""Nothing that users can type is undocumented: hooks, observables, parameters, commands, what laws may ask."""

import doctest
import importlib.util
import inspect
import re
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

import ucnp_abm
from ucnp_abm import hookspecs, observables
from ucnp_abm.cli.main import cli
from ucnp_abm.photons import optics, rates, spectrum
from ucnp_abm.registry import HOOKS, installed
from ucnp_abm.rules.env import Counts, HopEnv, Site
from ucnp_abm.rules.mechanism import Mechanism

ROOT = Path(__file__).parents[2]
PAGES = {
    page.name: page.read_text(encoding="utf-8") for page in [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"]
}
PROSE = "\n".join(PAGES.values())
installed().load_all()
RULESETS = {**installed().mechanisms, **installed().drives}
PARAMETERS = [(name, parameter) for name, one in RULESETS.items() for parameter in one.parameters.values()]


def commands(group=cli, path=("ucnp-abm",)):
    """Every command by its words, groups among them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


COMMANDS = dict(commands())


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The tables that the documentation reads off the program, as a build writes them."""
    spec = importlib.util.spec_from_file_location("docs_conf", ROOT / "docs" / "conf.py")
    conf = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(conf)
    out = tmp_path_factory.mktemp("docs")
    conf._generate(SimpleNamespace(srcdir=str(out)))
    return {file.name: file.read_text(encoding="utf-8") for file in (out / "_generated").iterdir()}


def sentence(text):
    return bool(text) and text.strip()[:1] == text.strip()[:1].upper() and text.strip().endswith(".")


# --- hooks ---


def test_every_hook_that_is_asked_is_specified_and_the_other_way_round():
    specified = {name for name in vars(hookspecs) if name.startswith("ucnp_")}
    assert specified == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_sentence_an_example_and_a_place_in_the_documentation(hook):
    function = getattr(hookspecs, hook)
    assert sentence(inspect.getdoc(function).partition("\n\n")[0])
    assert doctest.DocTestFinder().find(function, hook, module=hookspecs)[0].examples
    assert hook in PROSE


# --- observables ---


def test_every_observable_stands_in_its_table_with_unit_and_meaning(generated):
    rows = {name: (unit, doc) for name, unit, doc in observables.describe()}
    assert set(rows) == set(observables.OBSERVABLES)
    for name, (unit, doc) in rows.items():
        assert sentence(doc), name
        assert f"| `{name}` | {unit} | " in generated["observables.md"]
    assert "_generated/observables.md" in PAGES["observables.md"]


# --- light ---


@pytest.mark.parametrize("name", [field.name for field in fields(ucnp_abm.Optics)])
def test_every_field_of_optics_stands_in_its_table(name, generated):
    assert re.search(rf"^\| `{name}` \| .* \| \S.* \|$", generated["optics.md"], re.MULTILINE)
    assert "_generated/optics.md" in PAGES["light.md"]


def test_rate_sets_solvents_lines_and_bands_stand_on_the_page_of_light_as_they_are():
    page = PAGES["light.md"]
    for name in (*rates.SHIPPED, *optics.METHODS[1:], *optics.SOLVENTS):
        assert re.search(rf"\b{re.escape(name)}\b", page), name
    for name, (low, high) in spectrum.BANDS.items():
        assert f"`{name}`" in page
        assert f"{low:g}-{high:g}" in page
    for name, line in spectrum.LINES.items():
        upper = line.uppers[0].replace("(2)", "")
        assert f"| {name} | {line.ion} {upper} → {line.lower} | {line.photons} |" in page
    row = next(text for text in page.splitlines() if text.startswith("| quenchers / nm²"))
    assert [float(cell) for cell in row.split("|")[2:-1]] == list(optics.SOLVENTS.values())


# --- parameters ---


@pytest.mark.parametrize(("owner", "parameter"), PARAMETERS, ids=[f"{name}.{p.name}" for name, p in PARAMETERS])
def test_every_parameter_has_a_sentence_and_stands_in_its_table(owner, parameter, generated):
    assert sentence(parameter.doc)
    part = generated["parameters.md"].partition(f"**{owner}**")[2].partition("\n**")[0]
    assert re.search(rf"^\| `{parameter.name}` \|.*{re.escape(parameter.doc)} \|$", part, flags=re.MULTILINE)
    assert "_generated/parameters.md" in PAGES["mechanisms.md"]


@pytest.mark.parametrize("name", RULESETS)
def test_every_mechanism_and_drive_has_a_paragraph_and_a_source(name):
    assert f"**{name}.**" in PAGES["mechanisms.md"]
    assert sentence(RULESETS[name].summary)
    assert RULESETS[name].source


# --- commands ---


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does_and_what_each_option_is(path):
    command = COMMANDS[path]
    assert sentence(command.get_short_help_str(200).replace("...", ".")), path
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts[0]}"
        else:
            shown = parameter.make_metavar(click.Context(command)).strip("[].")
            assert any(re.search(rf"\b{word}\b", command.help) for word in re.findall(r"[A-Z]+", shown)), (
                f"{' '.join(path)} {shown}"
            )


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_shown_at_work(path):
    assert re.search(rf"{re.escape(' '.join(path))}\b", PROSE), f"no page shows `{' '.join(path)}`"
    assert ":nested: full" in PAGES["commands.md"]  # the reference below, which is read off the program


# --- Python ---


@pytest.mark.parametrize("name", sorted(set(ucnp_abm.__all__) - {"__version__", "Env", "IONS", "RE"}))
def test_every_public_name_has_a_docstring_and_a_place_in_the_documentation(name):
    assert inspect.getdoc(getattr(ucnp_abm, name))
    assert re.search(rf"\b{name}\b", PAGES["api.md"])


@pytest.mark.parametrize(
    "name", [n for n, f in inspect.getmembers(Mechanism, inspect.isfunction) if not n.startswith("_")]
)
def test_every_word_of_a_mechanism_is_documented(name):
    assert inspect.getdoc(getattr(Mechanism, name))


def test_what_a_law_may_ask_stands_on_the_page_that_says_how_it_works():
    page = PAGES["how_it_works.md"]
    asked = re.findall(
        r"^    (\w+(?:, \w+)*) :", inspect.cleandoc(HopEnv.__doc__).replace("\n", "\n    "), re.MULTILINE
    )
    names = {name for line in asked for name in line.split(", ")}
    assert names >= {"mover", "bond", "zones", "levels", "n", "p", "start", "end", "start_level", "end_level"}
    for name in names:
        assert f"`env.{name}" in page, name
    for name in ("zone", "coordination", "level", "n"):
        assert name in inspect.getdoc(Site)
        assert f"`env.site.{name}" in page, name
    methods = [name for name, _ in inspect.getmembers(Counts, inspect.isfunction) if not name.startswith("_")]
    for name in set(methods) - {"unseen", "said"}:
        assert f"env.n.{name}" in page, name
