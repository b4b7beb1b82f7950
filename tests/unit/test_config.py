"""Configuration: sections, settings from the command line, and what is wrong with them."""

import tomllib

import pytest

from ucnp_abm import Box, CoreShell, Population, UcnpError
from ucnp_abm.config.files import check, load, paper, read_setting
from ucnp_abm.registry import mechanism

PART = """
[[population.parts]]
share = "{share}"
core = "NaGdF4"
diameter = "3 nm"
"""
MECHANISM = "[mechanism]\nname = 'no-complex'\n"


def configured(text, *settings):
    return check(tomllib.loads(text), "trial", settings)


def test_a_particle_without_spread_is_a_core_shell_and_with_spread_a_population():
    assert isinstance(check(paper(), "paper").crystal.recipe(), CoreShell)
    spread = check(paper(), "paper", ["particle.diameter_spread=5 %"]).crystal.recipe()
    assert isinstance(spread, Population)
    assert spread.build(3).recipe.diameter != spread.build(4).recipe.diameter


def test_a_population_of_parts_is_read():
    text = MECHANISM + "[population]\nthickness_spread = 0.1\n" + PART.format(share="30 %") + PART.format(share="70 %")
    assert [share for share, _ in configured(text).crystal.recipe().mixture] == [0.3, 0.7]


def test_a_box_on_a_lattice_of_ones_own_is_read():
    text = (
        MECHANISM
        + """
[box]
cells = [4, 4, 4]
composition = "Y: 20% Gd"
vacancies = 3
[box.lattice]
name = "mine"
cell = [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 3.5]]
basis = [[0, 0, 0]]
bonds = [["nn", 3.5]]
"""
    )
    recipe = configured(text).crystal.recipe()
    assert isinstance(recipe, Box)
    assert recipe.build(1).counts["vacancy"] == 3
    assert recipe.build(1).crystal.z == 6


def test_eccentric_and_anisotropic_shells_are_read():
    config = check(paper(), "paper", ["particle.offset=[3, 0, '0.2 nm']", "particle.anisotropy=0.8"])
    assert config.crystal.recipe().layers()[0].boundary.centre == (3.0, 0.0, 2.0)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("particle.diameter=8 nm", (("particle", "diameter"), "8 nm")),
        ("run.seed=3", (("run", "seed"), 3)),
        ('mechanism.barrier="1.6 eV"', (("mechanism", "parameters", "barrier"), "1.6 eV")),
        ("mechanism.laser-thermal.rise=50 K", (("mechanism", "parameters", "laser-thermal.rise"), "50 K")),
        ("mechanism.name=y-complex", (("mechanism", "name"), "y-complex")),
        ("particle.shells=[['NaYF4', '1 nm']]", (("particle", "shells"), [["NaYF4", "1 nm"]])),
    ],
)
def test_a_setting_is_a_key_and_a_value(text, read):
    assert read_setting(text) == read


def test_settings_win_over_the_file_and_reach_mechanism_and_drive(tmp_path):
    path = tmp_path / "a.toml"
    path.write_text(
        MECHANISM.replace("no-complex", "no-complex+laser-thermal") + "[particle]\ncore='NaGdF4'\ndiameter=40\n"
    )
    config = load(path, ["particle.diameter=5 nm", "mechanism.barrier=1.5 eV", "mechanism.laser-thermal.rise=50 K"])
    assert config.crystal.recipe().diameter == "5 nm"
    chosen = mechanism(config.mechanism.name, **config.mechanism.parameters)
    assert chosen.values["barrier"] == 1.5
    assert chosen.drives[0].rise() == 50.0


BAD = {
    "no crystal": (MECHANISM, [], "expected one of [particle], [population], [box]"),
    "two crystals": (
        MECHANISM + PART.format(share=1),
        ["particle.core=NaGdF4", "particle.diameter=30"],
        "expected one of",
    ),
    "shares that do not add up": (MECHANISM + PART.format(share="30 %"), [], "add up to 0.3"),
    "part without share": (MECHANISM + "[[population.parts]]\ncore='NaGdF4'\ndiameter=30", [], "share: is missing"),
    "unknown key of a part": (MECHANISM + PART.format(share=1) + "radius = 3\n", [], "unknown key"),
    "basis that repeats a site": (
        MECHANISM + "[box]\ncells=[3,3,3]\ncomposition='Y'\nlattice={name='a', cell=[[3,0,0],[0,3,0],[0,0,3]], "
        "basis=[[0,0,0],[1,0,0]], bonds=[['nn',3]]}\n",
        [],
        "coincide",
    ),
    "unknown lattice": (
        MECHANISM + "[particle]\ncore='NaGdF4'\ndiameter=30\nlattice='betta'\n",
        [],
        "did you mean 'beta'",
    ),
    "setting without value": (MECHANISM, ["particle.core"], "expected SECTION.KEY=VALUE"),
    "setting without section": (MECHANISM, ["seed=3"], "expected SECTION.KEY=VALUE"),
    "setting of an unknown section": (MECHANISM, ["particel.core=NaGdF4"], "did you mean 'particle'"),
    "setting below a value": (MECHANISM, ["mechanism.name.x=1"], "is no table"),
    "setting of a wrong type": (MECHANISM, ["particle.core=3", "particle.diameter=30"], "expected text"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_configuration_is_refused_in_plain_words(case):
    text, settings, says = BAD[case]
    with pytest.raises(UcnpError) as refused:
        configured(text, *settings)
    assert says in str(refused.value)


def test_parameters_of_drives_are_refused_by_name():
    for parameters, says in (
        ({"laser-thermal.rise": "50 °C"}, "a temperature difference such as '50 K'"),
        ({"laser-thermal.rize": "50 K"}, "did you mean"),
        ({"laser-termal.rise": "50 K"}, "did you mean 'laser-thermal'"),
    ):
        with pytest.raises(UcnpError, match=says):
            mechanism("no-complex+laser-thermal", **parameters)
