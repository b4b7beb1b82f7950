import json
import math

import numpy as np
import pytest

from ucnp_abm import Particle
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.lattice import LATTICES, Lattice
from ucnp_abm.errors import BadInput

# Numbers of neighbours, and how many bonds of each class, from the textbooks.
COORDINATION = {
    "beta": {"c": 2, "ab": 6},
    "alpha": {"nn": 12},
    "sc": {"nn": 6},
    "bcc": {"nn": 8},
    "fcc": {"nn": 12},
    "hcp": {"nn": 12},
    "diamond": {"nn": 4},
    "honeycomb": {"nn": 3},
    "square": {"nn": 4},
    "chain": {"nn": 2},
}
# Numbers of second neighbours (at the shortest distance that is no bond).
SECOND = {"sc": 12, "bcc": 6, "fcc": 6, "alpha": 6, "hcp": 6, "diamond": 12, "honeycomb": 6, "square": 4, "chain": 2}
DIMENSIONS = {"honeycomb": 2, "square": 2, "chain": 1}
SLAB = {"name": "slab", "cell": [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 7.0]], "basis": [[0, 0, 0]], "bonds": [["nn", 3.5]]}


def positions(kind, span=3):
    """Positions / Å of a block of cells around the origin, by brute force."""
    steps = np.stack(np.meshgrid(*[np.arange(-span, span + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    return ((steps[:, None] + np.array(kind.basis)) @ np.array(kind.cell)).reshape(-1, 3)


def test_every_lattice_is_tested():
    assert set(COORDINATION) == set(LATTICES)


@pytest.mark.parametrize("name", LATTICES)
def test_each_basis_position_has_its_bonds_at_their_lengths_and_nothing_nearer(name):
    kind = lattice.named(name)
    assert kind.name == name
    block = positions(kind)
    for b, row in enumerate(kind.neighbours):
        here = np.array(kind.basis[b]) @ np.array(kind.cell)
        distances = np.linalg.norm(block - here, axis=1)
        assert (distances[distances > 1e-6] > min(length for _, length in kind.bonds) - 1e-6).all()
        for kind_of_bond, (bond, length) in enumerate(kind.bonds):
            assert sum(k == kind_of_bond for _, _, k in row) == COORDINATION[name][bond]
            assert (abs(distances - length) < 1e-6).sum() == COORDINATION[name][bond]
        for step, other, kind_of_bond in row:
            there = (np.array(step) + kind.basis[other]) @ np.array(kind.cell)
            assert np.linalg.norm(there - here) == pytest.approx(kind.bonds[kind_of_bond][1], rel=1e-6)


@pytest.mark.parametrize("name", SECOND)
def test_second_neighbours_are_as_many_as_the_textbook_says(name):
    kind = lattice.named(name)
    distances = np.linalg.norm(positions(kind), axis=1)
    beyond = distances[distances > kind.bonds[0][1] * 1.01]
    assert (beyond < beyond.min() + 1e-6).sum() == SECOND[name]


@pytest.mark.parametrize("name", LATTICES)
def test_bonds_lead_along_as_many_axes_as_the_lattice_has_dimensions(name):
    kind = lattice.named(name)
    steps = (np.array([step for step, _, _ in kind.neighbours[0]])) @ np.array(kind.cell)
    shifts = np.array([kind.basis[other] for _, other, _ in kind.neighbours[0]]) @ np.array(kind.cell)
    assert np.linalg.matrix_rank(steps + shifts, tol=1e-6) == DIMENSIONS.get(name, 3)


@pytest.mark.parametrize("name", LATTICES)
def test_a_particle_of_each_lattice_has_mutual_bonds(name):
    room = growth.sphere(lattice.named(name), (9.0, 14.0), ("core", "shell"), 2.0)
    bonds = room.bonds
    i, d = np.nonzero(bonds >= 0)
    pairs = set(zip(i.tolist(), bonds[i, d].tolist(), strict=True))
    assert pairs
    assert len(pairs) == i.size
    assert pairs == {(b, a) for a, b in pairs}
    assert np.abs(room.points).sum(axis=1).min() < 1e-9  # a site in the middle
    if name in DIMENSIONS:
        assert np.abs(room.points[:, DIMENSIONS[name] :]).max() < 1e-9


def test_hcp_has_the_ideal_ratio_and_the_packing_of_fcc():
    kind = lattice.named("hcp")
    cell = np.array(kind.cell)
    assert cell[2, 2] / cell[0, 0] == pytest.approx(math.sqrt(8 / 3))
    diameter = kind.bonds[0][1]
    filling = 2 * math.pi / 6 * diameter**3 / np.linalg.det(cell)
    assert filling == pytest.approx(math.pi / math.sqrt(18))


def test_rare_earth_density_of_both_phases_is_that_of_their_cells():
    """β: 1.5 RE in its cell. α: four cations in a cube of 5.47 Å, every second RE, so two."""

    def density(kind, cell, order):
        particle = Particle.box(lattice=kind, cells=cell, composition="NaYF4", vacancies=0.0, order=order, seed=1)
        volume = abs(np.linalg.det(np.array(particle.crystal.lattice.cell))) * math.prod(cell) / 1000
        return particle.counts["Y"] / volume

    for order in ("disordered", "ordered"):
        beta, alpha = density("beta", (6, 6, 8), order), density("alpha", (5, 6, 4), order)
        assert beta == pytest.approx(1.5 / (5.960**2 * math.sqrt(3) / 2 * 3.530 / 1000), rel=1e-9)
        assert beta == pytest.approx(13.75, abs=0.1)
        assert alpha == pytest.approx(2 / 0.547**3, rel=1e-9)
        assert alpha == pytest.approx(12.22, abs=0.01)


def test_cubic_phase_holds_sodium_and_rare_earth_one_to_one():
    box = Particle.box(lattice="alpha", cells=(5, 5, 5), composition="NaYF4: 20% Yb", vacancies=0.0, seed=2)
    assert box.counts == {"Na": 250, "Y": 200, "Yb": 50}
    with pytest.raises(BadInput, match="no sodium sites"):
        Particle.box(lattice="fcc", cells=(5, 5, 5), composition="NaYF4")


def test_a_lattice_from_plain_data_is_that_lattice():
    made = lattice.custom(json.loads(json.dumps({**SLAB, "sodium": [0.25]})))
    assert made == Lattice(
        "slab", ((3.5, 0, 0), (0, 3.5, 0), (0, 0, 7.0)), ((0, 0, 0),), (("nn", 3.5),), sodium=(0.25,)
    )
    assert made.coordination == 4
    assert hash(made) == hash(lattice.named(made))
    box = Particle.box(lattice=SLAB, cells=(5, 5, 1), composition="Y", vacancies=1)
    assert box.crystal.lattice == lattice.named(SLAB)


def test_a_custom_lattice_with_a_basis_finds_its_bonds():
    """Fluorite's cations and anions as one lattice would not do; the anions alone are simple cubic."""
    a = 5.47
    basis = [[x, y, z] for x in (0.25, 0.75) for y in (0.25, 0.75) for z in (0.25, 0.75)]
    made = lattice.custom(
        {"name": "anions", "cell": (np.eye(3) * a).tolist(), "basis": basis, "bonds": [["nn", a / 2]]}
    )
    assert made.coordination == 6


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"bnds": 1}, "unknown key 'bnds'; did you mean 'bonds'"),
        ({"name": None}, "expected text as its name"),
        ({"name": ""}, "expected text as its name"),
        ({"cell": [[1, 0], [0, 1]]}, "three cell vectors"),
        ({"cell": [[3, 0, 0], [6, 0, 0], [0, 0, 3]]}, "independent"),
        ({"cell": [[3, 0, 0], [0, 3, 0], [0, 0, "3 Å"]]}, "numbers"),
        ({"cell": [[1e-3, 0, 0], [0, 3, 0], [0, 0, 3]]}, "in Å"),
        ({"cell": "cubic"}, "three cell vectors"),
        ({"basis": []}, "basis positions"),
        ({"basis": [[0, 0]]}, "three fractions"),
        ({"basis": [[0, 0, math.nan]]}, "three fractions"),
        ({"basis": [[0, 0, True]]}, "three fractions"),
        ({"basis": [[0, 0, 500]]}, "three fractions"),
        ({"basis": [[0, 0, 0], [1, 0, 0]]}, "positions 1 and 2 coincide"),
        ({"basis": [[0, 0, 0], [0, 0, 0.5], [0, 0.999, 1]]}, "positions 1 and 3 coincide"),
        ({"basis": [[0, 0, 0], [0.5, 0.5, 0.0], [0, 0, 0.5]]}, "have 6, 4, 6 bonds, expected the same number"),
        ({"bonds": [["nn", 3.2]]}, "no two sites are 3.2 Å apart .bond 'nn'.; the shortest distances are 3.5, 4.95, 7"),
        ({"bonds": []}, "name and a length"),
        ({"bonds": ["nn", 3.5]}, "name and a length"),
        ({"bonds": [["nn", "3.5"]]}, "name and a length"),
        ({"bonds": [["nn", -3.5]]}, "name and a length"),
        ({"bonds": [["nn", 35.0]]}, "up to 20 Å"),
        ({"bonds": [["a", 3.5], ["b", 3.501]]}, "'a' and 'b' have one length"),
        ({"bonds": [["a", 3.5], ["a", 7.0]]}, "two classes of bond are called 'a'"),
        ({"sodium": [0.5, 0.5]}, "one sodium share"),
        ({"sodium": [2]}, "one sodium share"),
        ({"sodium": "half"}, "one sodium share"),
    ],
)
def test_a_custom_lattice_that_is_none_is_one_clear_sentence(change, says):
    with pytest.raises(BadInput, match=says):
        lattice.custom({**SLAB, **change})


@pytest.mark.parametrize("key", ["name", "cell", "basis", "bonds"])
def test_a_custom_lattice_without_a_key_names_it(key):
    with pytest.raises(BadInput, match=f"the key '{key}' is missing"):
        lattice.custom({k: v for k, v in SLAB.items() if k != key})


def test_a_custom_lattice_that_left_out_its_sodium_is_told_so():
    with pytest.raises(BadInput, match="give the lattice its sodium shares"):
        Particle.box(lattice=SLAB, cells=(5, 5, 1), composition="NaYF4")


def test_too_many_bonds_are_refused():
    close = {**SLAB, "cell": [[3.5, 0, 0], [0, 3.5, 0], [0, 0, 3.5]]}
    lengths = sorted({3.5 * math.sqrt(n) for n in (1, 2, 3, 4, 5, 6)})
    with pytest.raises(BadInput, match="at most 60"):
        lattice.custom({**close, "bonds": [[f"b{n}", length] for n, length in enumerate(lengths)]})


def test_an_unknown_lattice_gets_its_nearest_name():
    with pytest.raises(BadInput, match="did you mean 'honeycomb'"):
        lattice.named("honycomb")
