import numpy as np
import pytest

from ucnp_abm import Particle
from ucnp_abm.crystal import lattice
from ucnp_abm.crystal.lattice import Lattice
from ucnp_abm.crystal.species import SPECIES
from ucnp_abm.errors import BadInput

PAPER = {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": "6.7 nm", "shell": "NaYF4", "thickness": "1.65 nm"}


@pytest.mark.parametrize(("name", "z", "bonds"), [("sc", 6, 1), ("bcc", 8, 1), ("fcc", 12, 1), ("beta", 8, 2)])
def test_coordination_of_each_lattice(name, z, bonds):
    kind = lattice.named(name)
    assert kind.coordination == z
    assert len(kind.bonds) == bonds


def test_beta_has_two_bonds_along_c_and_six_between_columns():
    kinds = [kind for _, _, kind in lattice.beta().neighbours[0]]
    assert kinds.count(0) == 2
    assert kinds.count(1) == 6
    assert lattice.beta().bonds[0][1] == pytest.approx(3.53)
    assert lattice.beta().bonds[1][1] == pytest.approx(3.87, abs=0.005)


def test_the_papers_particle_has_the_known_numbers_of_sites(paper_particle):
    crystal = paper_particle.crystal
    assert crystal.n_sites == 9629
    assert (crystal.layer == 0).sum() == 2929
    assert paper_particle.counts["vacancy"] / crystal.n_sites == pytest.approx(0.066, abs=0.001)


def test_rare_earth_density_is_that_of_the_crystal():
    volume = abs(np.linalg.det(np.array(lattice.beta().cell))) / 1000
    assert 2 * 0.75 / volume == pytest.approx(13.75, abs=0.1)


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


def test_random_counts_scatter_about_the_exact_ones():
    numbers = [Particle.core_shell(**PAPER, counts="random", seed=s).counts["Tm"] for s in range(30)]
    assert 0.5 < np.var(numbers) / np.mean(numbers) < 2.0


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


@pytest.mark.parametrize("name", ["sc", "bcc", "fcc", "beta"])
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
        ({"seed": -1}, "at least 0"),
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
