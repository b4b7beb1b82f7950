import hashlib
import json

import numpy as np
import pytest
import scipy.stats

from ucnp_abm import Particle
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.particle import Box, CoreShell, Given, describe, recipe_from
from ucnp_abm.crystal.species import SPECIES, SYMBOLS
from ucnp_abm.errors import BadInput

PAPER = {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": "6.7 nm", "shell": "NaYF4", "thickness": "1.65 nm"}


def test_the_papers_particle_has_the_known_numbers_of_sites(paper_particle):
    crystal = paper_particle.crystal
    assert crystal.n_sites == 9629
    assert (crystal.layer == 0).sum() == 2929
    assert paper_particle.counts["vacancy"] / crystal.n_sites == pytest.approx(0.066, abs=0.001)


def digest(particle):
    """SHA-256 of the crystal's numbers and its occupants, its first 16 digits."""
    room = particle.crystal
    sha = hashlib.sha256()
    for array in (room.sites, room.layer, room.site_zone, room.strides, room.exposed_sites, particle.occupants):
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()[:16]


@pytest.mark.parametrize(
    ("options", "digests"),
    [
        ({}, ["e25d38dd22866187", "21e2551ccae7d5b6", "d8a28c432a12d3fa", "2982a9826ef17ee3"]),
        ({"order": "ordered"}, ["c2381327e7df8ffe", "efcdfa9567faed7d", "e2833c3405e204aa", "49297167548296c6"]),
    ],
)
def test_the_papers_particles_are_those_of_the_first_release(options, digests):
    """The same sites, zones and occupants for the same seed, since results are compared by seed."""
    assert [digest(Particle.core_shell(**PAPER, **options, seed=seed)) for seed in range(4)] == digests


def test_neighbours_are_mutual_and_at_bond_length(paper_particle):
    crystal = paper_particle.crystal
    bonds = crystal.bonds
    lengths = [length for _, length in crystal.lattice.bonds]
    for i in range(0, crystal.n_sites, 97):
        for j in bonds[i]:
            if j >= 0:
                assert i in bonds[j]
                distance = np.linalg.norm(crystal.points[i] - crystal.points[j])
                assert min(abs(distance - length) for length in lengths) < 1e-9


def test_a_site_is_exposed_exactly_when_a_neighbour_is_missing(paper_particle):
    crystal = paper_particle.crystal
    missing = (crystal.bonds < 0).any(axis=1)
    zone = np.array(crystal.zones)[crystal.site_zone]
    assert ((zone == "surface") == missing).all()
    assert set(crystal.sites[missing]) == set(crystal.exposed_sites)


def test_zones_follow_surface_then_interface_then_layer(paper_particle):
    crystal = paper_particle.crystal
    distance = np.linalg.norm(crystal.points, axis=1)
    zone = np.array(crystal.zones)[crystal.site_zone]
    near = np.abs(distance - 33.5) <= 3.0
    assert ((zone == "interface") == (near & (zone != "surface"))).all()
    assert (distance[zone == "core"] < 33.5).all()


def test_counts_are_exact_in_each_layer_and_zone():
    particle = Particle.core_shell(**PAPER, seed=5)
    crystal = particle.crystal
    zone = np.array(crystal.zones)[crystal.site_zone]
    for name, share in (("surface", 0.15), ("interface", 0.15), ("core", 0.02), ("shell", 0.02)):
        for layer in (0, 1):
            here = (zone == name) & (crystal.layer == layer)
            assert abs((particle.occupants[here] == 0).sum() - share * here.sum()) <= 0.5
    core = particle.occupants[(crystal.layer == 0) & (particle.occupants != 0)]
    sodium = (core == SPECIES["Na"].code).sum()
    assert abs(sodium - core.size / 4) <= 0.5
    for symbol, share in (("Gd", 0.50), ("Yb", 0.49), ("Tm", 0.01)):
        assert abs((core == SPECIES[symbol].code).sum() - share * (core.size - sodium)) < 1


def test_random_counts_are_binomial():
    """By chi-square over many seeds: Tm of a core, vacancies of a box; and neither is what exact counts would be."""
    bins = np.arange(0, 60)
    box = {"lattice": "sc", "cells": (10, 10, 10), "composition": "Y: 1% Tm", "vacancies": 0.02, "counts": "random"}
    boxes = [Particle.box(**box, seed=s).counts for s in range(400)]
    for symbol, n, p in (("vacancy", 1000, 0.02), ("Tm", 1000, 0.98 * 0.01)):
        seen = np.bincount([c.get(symbol, 0) for c in boxes], minlength=bins.size)
        expected = scipy.stats.binom(n, p).pmf(bins) * 400
        large = expected >= 5
        observed, wanted = [*seen[large], seen[~large].sum()], [*expected[large], 400 - expected[large].sum()]
        assert scipy.stats.chisquare(observed, wanted).pvalue > 1e-4
    exact = [Particle.box(**{**box, "counts": "exact"}, seed=s).counts for s in range(5)]
    assert all(c == {"vacancy": 20, "Y": 970, "Tm": 10} for c in exact)


def test_ordered_sodium_sits_on_half_of_the_1f_sites_and_cannot_move():
    particle = Particle.core_shell(**PAPER, order="ordered", seed=2)
    crystal = particle.crystal
    sodium = particle.occupants == SPECIES["Na"].code
    basis = crystal.basis[crystal.place[crystal.sites]]
    assert not sodium[basis == 0].any()
    filled = (basis == 1) & (particle.occupants != 0)
    assert sodium[filled].mean() == pytest.approx(0.5, abs=0.01)
    assert particle.immobile == ("Na",)


def test_same_seed_same_particle_and_another_seed_another():
    first, again, other = (Particle.core_shell(**PAPER, seed=s).occupants for s in (3, 3, 4))
    assert (first == again).all()
    assert (first != other).any()


def test_layers_can_be_stacked():
    particle = Particle.core_shell(
        core="NaGdF4", diameter="3 nm", shells=(("NaGdF4: 59% Yb, 1% Tm", "1 nm"), ("NaYF4", "1 nm")), seed=1
    )
    assert particle.crystal.layers == ("core", "shell 1", "shell 2")
    assert particle.counts["Yb"] > 0


@pytest.mark.parametrize("counts", ["exact", "random"])
@pytest.mark.parametrize("ytterbium", [19, 59, 99])
def test_the_papers_multilayers_hold_what_they_are_said_to_hold(ytterbium, counts):
    """NaGdF4 @ NaGdF4:Yb,Tm(1) @ NaYF4; with 99 % Yb the host's share is 0."""
    middle = f"NaGdF4: {ytterbium}% Yb, 1% Tm"
    particle = Particle.core_shell(
        core="NaGdF4", diameter="5 nm", shells=((middle, "1.5 nm"), ("NaYF4", "1.5 nm")), counts=counts, seed=1
    )
    held = [
        {
            s: int((particle.occupants[particle.crystal.layer == n] == SPECIES[s].code).sum())
            for s in ("Gd", "Yb", "Tm", "Y")
        }
        for n in range(3)
    ]
    assert [{s for s, n in layer.items() if n} for layer in (held[0], held[2])] == [{"Gd"}, {"Y"}]
    total = sum(held[1].values())
    assert held[1]["Y"] == 0
    for symbol, share in (("Gd", 0.99 - ytterbium / 100), ("Yb", ytterbium / 100), ("Tm", 0.01)):
        wide = 1.0 if counts == "exact" else 4.5 * np.sqrt(total * share * (1 - share)) + 1e-9
        assert abs(held[1][symbol] - share * total) <= wide
    if ytterbium == 99:
        assert held[1]["Gd"] == 0
    zones = np.array(particle.crystal.zones)[particle.crystal.site_zone]
    distance = np.linalg.norm(particle.crystal.points, axis=1)
    assert (
        (zones == "interface") == ((abs(distance - 25) <= 3) | (abs(distance - 40) <= 3)) & (zones != "surface")
    ).all()


@pytest.mark.parametrize("name", ["sc", "bcc", "fcc", "beta", "alpha", "hcp", "diamond"])
def test_every_site_of_a_box_has_all_its_neighbours(name):
    crystal = Particle.box(lattice=name, cells=(4, 5, 6), composition="Y", vacancies=1).crystal
    assert (crystal.bonds >= 0).all()
    assert crystal.exposed_sites.size == 0


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"thickness": "0.1 nm"}, "thinner than a lattice spacing"),
        ({"diameter": "0.1 nm"}, "smaller than one coordination shell"),
        ({"diameter": "-1 nm"}, "above zero"),
        ({"thickness": None}, "give both"),
        ({"surface_vacancies": 1.2}, "from 0 to 1"),
        ({"lattice": "hpc"}, "unknown lattice"),
        ({"lattice": "fcc"}, "has no sodium sites"),
        ({"order": "orderd"}, "did you mean 'ordered'"),
        ({"seed": -1}, "from 0 to"),
    ],
)
def test_bad_particle_is_one_clear_sentence(change, says):
    with pytest.raises(BadInput, match=says):
        Particle.core_shell(**{**PAPER, **change})


def test_a_box_that_meets_itself_is_refused():
    with pytest.raises(BadInput, match="too small"):
        Particle.box(lattice="sc", cells=(2, 5, 5), composition="Y")


def test_any_cell_and_basis_is_a_lattice():
    square = Lattice("square", ((3.0, 0, 0), (0, 3.0, 0), (0, 0, 9.0)), ((0, 0, 0),), (("nn", 3.0),))
    particle = Particle.box(lattice=square, cells=(5, 5, 1), composition="Y", vacancies=2)
    assert particle.crystal.z == 4
    with pytest.raises(BadInput, match="independent"):
        Lattice("flat", ((1, 0, 0), (2, 0, 0), (0, 0, 1)), ((0, 0, 0),), (("nn", 1.0),))


# --- chosen configurations, and recipes as plain data ---

CUSTOM = {"name": "slab", "cell": [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 7.0]], "basis": [[0, 0, 0]], "bonds": [["nn", 3.5]]}
RECIPES = [
    CoreShell(**PAPER),
    CoreShell("Gd", "2 nm", lattice=CUSTOM, order="ordered", counts="random"),
    CoreShell("NaGdF4", "3 nm", shells=(("NaGdF4: 59% Yb", "1 nm"), ("NaYF4", 12.0)), offset=(0, "0.3 nm", 1.5)),
    CoreShell("NaGdF4", 30.0, "NaYF4", "1 nm", elongation=1.3, anisotropy=0.7, lattice=lattice.beta(6.02, 3.601)),
    Box("alpha", (4, 4, 4), "NaYF4", vacancies=2),
    Box(lattice.hcp(), (4, 4, 4), "Y", vacancies="3 %"),
]


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_described_recipe_comes_back_from_json(recipe):
    particle = recipe.build(3)
    description = json.loads(json.dumps(describe(particle)))
    again = recipe_from(description)
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert digest(again.build(description["seed"])) == digest(particle)


@pytest.mark.parametrize(
    "grown",
    [
        lambda: growth.sphere(lattice.named("beta"), (8.0, 14.0), ("core", "shell"), 2.0),
        lambda: growth.box(lattice.named("diamond"), (3, 2, 2), "gem"),
    ],
)
def test_a_chosen_configuration_is_kept_and_comes_back_from_json(grown):
    room = grown()
    rng = np.random.default_rng(1)
    symbols = [str(s) for s in rng.choice(["Yb", "Na", "vacancy", "void"], size=room.n_sites)]
    particle = Particle.of(room, symbols, immobile=("Na",), seed=9)
    assert [SYMBOLS[c] for c in particle.occupants] == symbols
    assert particle.immobile == ("Na",)
    assert isinstance(particle.recipe, Given)
    description = json.loads(json.dumps(describe(particle)))
    assert recipe_from(description) == particle.recipe
    again = recipe_from(description).build(description["seed"])
    assert digest(again) == digest(particle)
    assert (again.immobile, again.seed) == (("Na",), 9)
    assert (again.crystal.zones, again.crystal.layers) == (room.zones, room.layers)
    by_code = Particle.of(room, particle.occupants, immobile=["Na"])
    assert by_code.recipe == particle.recipe


@pytest.mark.parametrize(
    ("occupants", "says"),
    [
        (["Y", "Y"], "one for each of 3 sites, got 2"),
        ("YYY", "one for each of 3 sites"),
        (["Y", "Yp", "Gd"], "unknown species 'Yp'"),
        ([1, 2, 30], "30 is no species code"),
        ([1, 2, None], "None is no species code"),
        ([1, 2, True], "True is no species code"),
        ([1, 2, ["Y"]], "is no species code"),
    ],
)
def test_a_bad_configuration_is_one_clear_sentence(occupants, says):
    room = growth.box(lattice.named("chain"), (3, 1, 1))
    with pytest.raises(BadInput, match=says):
        Particle.of(room, occupants)
    with pytest.raises(BadInput, match="immobile: unknown species"):
        Particle.of(room, ["Y", "Y", "Gd"], immobile=("vacancy",))


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({"kind": "CoreShel", "core": "Gd"}, "did you mean 'CoreShell'"),
        ({"core": "Gd"}, "kind None"),
        ([], "kind None"),
        ({"kind": ["Box"]}, "did you mean 'Box'"),
        ({"kind": "Given", "lattice": "sc", "occupants": [], "layers": [], "boundaries": [3]}, "got 3"),
        ({"kind": "CoreShell", "core": "NaGdF4", "diametre": 3}, "did you mean 'diameter'"),
        ({"kind": "Box", "cells": [3, 3, 3]}, "'lattice' is missing"),
        ({"kind": "Box", "cells": [3, 3, 3], "composition": "Y", "lattice": {"name": "x"}}, "'cell' is missing"),
        ({"kind": "Given", "lattice": "sc", "occupants": [], "layers": [], "boundaries": [{"centre": 1}]}, "semiaxes"),
    ],
)
def test_a_bad_description_is_one_clear_sentence(description, says):
    with pytest.raises(BadInput, match=says):
        recipe_from(description)


def test_a_chosen_configuration_needs_a_crystal():
    with pytest.raises(BadInput, match="one name for each boundary, got 1 for 0"):
        Given("sc", ("Y",), ("core",)).build()
