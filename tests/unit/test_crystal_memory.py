"""A crystal is lean, worked out in slabs, shared between replicas, and the same as ever."""

import gc
import hashlib
import os
import weakref
from dataclasses import replace

import numpy as np
import pytest

from ucnp_abm import Simulation, mechanism, observables
from ucnp_abm.crystal import grid, growth, lattice, shared
from ucnp_abm.crystal.particle import Box, CoreShell
from ucnp_abm.engine.protocol import Protocol
from ucnp_abm.probes import census, order, profiles
from ucnp_abm.study import crew
from ucnp_abm.study.cells import Cell, run_cell, warm_up
from ucnp_abm.study.conduct import in_processes

ODD = {
    "name": "odd",
    "cell": [[5.1, 0.3, -0.2], [-2.4, 4.9, 0.1], [0.4, -0.7, 6.3]],
    "basis": [[0.1, 0.2, 0.3], [1.6, -0.4, 0.8]],
    "bonds": [["a", 5.112729], ["b", 5.457105]],
}
GROWN = {
    "eccentric": CoreShell("NaGdF4", "3 nm", shells=(("NaGdF4: 59% Yb", "1 nm"), ("NaYF4", 12.0)), offset=(0, 3, 1.5)),
    "ellipsoids": CoreShell("NaGdF4", 30.0, "NaYF4", "1 nm", elongation=1.3, anisotropy=0.7),
    "random": CoreShell("NaGdF4: 20% Yb", "4 nm", "NaYF4", "1 nm", counts="random"),
    "fcc": CoreShell("Gd: 20% Yb", "4 nm", "Y", "1 nm", lattice="fcc"),
    "ordered alpha": CoreShell("NaGdF4", "3 nm", "NaYF4", "1 nm", lattice="alpha", order="ordered"),
    "diamond": CoreShell("Gd", "4 nm", "Y", "2 nm", lattice="diamond"),
    "odd": CoreShell("Gd", "4 nm", "Y", "2 nm", lattice=ODD),
    "plane": CoreShell("Gd", "6 nm", "Y", "2 nm", lattice="honeycomb"),
    "box": Box("alpha", (6, 5, 4), "NaYF4", vacancies=20),
    "odd box": Box(ODD, (5, 4, 6), "Y: 20% Gd", vacancies="3 %"),
}
BEFORE = {  # as version 2 of the engine grew them
    "eccentric": "c499e9a5e57cc1c5",
    "ellipsoids": "b54f70419c89bc93",
    "random": "9938464e8c21fca9",
    "fcc": "d0ab2949c29a466c",
    "ordered alpha": "70f9f75db32a8895",
    "diamond": "ea7aba38c0482fea",
    "odd": "d51f70e1526e7e88",
    "plane": "5de6c154452feb66",
    "box": "195f0a179457af44",
    "odd box": "c4d38ec20b1ad435",
}


@pytest.fixture(autouse=True)
def _nothing_held():
    shared.forget()
    yield
    shared.forget()


@pytest.fixture(params=["whole", "slabs of 37"])
def slab(request, monkeypatch):
    """Work in one piece, or in many."""
    if request.param != "whole":
        monkeypatch.setattr(grid, "SLAB", 37)


def digest(*arrays):
    sha = hashlib.sha256()
    for array in arrays:
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()[:16]


@pytest.mark.parametrize("name", GROWN)
def test_particles_of_all_kinds_are_those_grown_before_whatever_the_slabs(name, slab):
    particle = GROWN[name].build(3)
    room = particle.crystal
    assert (
        digest(particle.occupants, room.place, room.sites, room.layer, room.home, room.offset, room.bond)
        == (BEFORE[name])
    )


@pytest.mark.parametrize("name", GROWN)
def test_positions_on_demand_are_cell_and_basis_to_the_last_bit(name, slab):
    """Against one product of whole arrays, for all sites, for some in any order, and for one."""
    room = GROWN[name].build(3).crystal
    rest, cells = room.sites.astype(np.int64), []
    for stride, halo in zip(room.strides, room.halo, strict=True):
        cells.append(rest // stride - halo)
        rest = rest % stride
    basis, cell = np.array(room.lattice.basis), np.array(room.lattice.cell)
    wanted = (np.stack(cells, axis=1) + basis[rest]) @ cell
    if not room.periodic:
        wanted = wanted - (room.cells[None] // 2 + basis[:1]) @ cell
    assert room.points.tobytes() == wanted.tobytes()
    some = np.random.default_rng(1).permutation(room.n_sites)[:200]
    assert room.positions(some).tobytes() == wanted[some].tobytes()
    assert all(room.position(int(n)).tobytes() == wanted[n].tobytes() for n in some)
    assert room.positions(some[0]).shape == (1, 3)
    assert room.positions(some[:0]).shape == (0, 3)


@pytest.mark.parametrize("name", GROWN)
def test_site_numbers_are_found_from_grid_points_alone(name, slab):
    room = GROWN[name].build(3).crystal
    every = np.arange(room.place.size)
    wanted = np.full(every.size, -1)
    wanted[room.sites] = np.arange(room.n_sites)
    assert (room.number == wanted).all()
    assert (room.numbers(every.reshape(1, -1)) == wanted.reshape(1, -1)).all()
    assert [room.number_of(n) for n in every[:: every.size // 100]] == wanted[:: every.size // 100].tolist()
    assert room.number_of(room.sites[-1]) == room.n_sites - 1


@pytest.mark.parametrize("name", ["eccentric", "odd", "odd box"])
def test_bonds_and_zones_are_those_of_each_site(name, slab):
    room = GROWN[name].build(3).crystal
    bonds, zones = room.bonds, room.site_zone
    assert [room.neighbours(n) for n in range(room.n_sites)] == bonds.tolist()
    assert [room.zone_of(n) for n in range(room.n_sites)] == [room.zones[z] for z in zones]
    seen = {
        (int(room.bond[room.place[room.sites[n]], d]), int(zones[n]), int(zones[bonds[n, d]]))
        for n, d in np.argwhere(bonds >= 0)
    }
    assert room.bond_regions == sorted(seen)


@pytest.mark.parametrize("name", ["eccentric", "box"])
def test_probes_read_the_same_in_slabs_as_in_one_piece(name, monkeypatch):
    simulation = Simulation(GROWN[name].build(3), mechanism("no-complex"), seed=2)
    simulation.run(events=3000)
    room, state = simulation.crystal, simulation.state

    def seen():
        held = census.occupants(room, state)
        pairs = order.warren_cowley(room, held, ("Y", "Na"), room.lattice.bonds[-1][0])
        distance = b"" if room.periodic else profiles.distances_nm(room).tobytes()
        return (
            *(held.tobytes(), census.origins(room, state).tobytes(), distance),
            *(pairs.alpha.tobytes(), pairs.neighbours.tobytes()),
            *(census.rms_displacement(room, state), census.outside_by_layer(room, state)),
            census.composition_by_zone(room, held),
        )

    whole = seen()
    monkeypatch.setattr(grid, "SLAB", 37)
    assert seen() == whole
    assert whole[5] > 0


# --- memory ---


@pytest.fixture(scope="module")
def medium():
    """100 000 sites on beta, annealed and asked for everything."""
    recipe = CoreShell("NaGdF4: 49% Yb, 1% Tm", "14.8 nm", "NaYF4", "3.65 nm")
    simulation = Simulation(recipe.build(1), mechanism("y-complex"), seed=2)
    simulation.run(events=1000)
    observables.read(simulation, [*observables.DEFAULT, "warren_cowley", "vacancies_by_zone", "rms_displacement_nm"])
    room = simulation.crystal
    assert (room.points.size, room.number.size, room.bonds.size) == (
        3 * room.n_sites,
        room.place.size,
        8 * room.n_sites,
    )
    simulation.options(0)
    room.neighbours(0)
    return simulation


def test_a_crystal_keeps_two_entries_for_each_site_and_one_for_each_grid_point(medium):
    room = medium.crystal
    large = {name: a.size for name, a in vars(room).items() if isinstance(a, np.ndarray) and a.size > room.n_sites / 5}
    assert large == {"sites": room.n_sites, "layer": room.n_sites, "place": room.place.size}
    assert room.nbytes == pytest.approx(5 * room.n_sites + room.place.size + 4 * room.exposed_sites.size, abs=2000)


def test_a_site_of_a_medium_particle_has_less_than_nine_bytes_of_crystal_and_46_in_all(medium):
    """In larger particles less: halo and surface shrink against the inside."""
    room, state = medium.crystal, medium.state
    assert 95_000 < room.n_sites < 105_000
    assert room.nbytes < 9 * room.n_sites
    assert medium.particle.occupants.nbytes == room.n_sites
    kept = sum(array.nbytes for array in vars(state).values() if isinstance(array, np.ndarray))
    rates = sum(array.nbytes for array in medium._loop.rates if isinstance(array, np.ndarray))
    assert room.nbytes + medium.particle.occupants.nbytes + kept + rates < 46 * room.n_sites


def test_a_run_writes_nothing_into_its_crystal():
    particle = GROWN["random"].build(1)
    room = particle.crystal
    before = {name: array.tobytes() for name, array in vars(room).items() if isinstance(array, np.ndarray)}
    simulation = Simulation(particle, mechanism("y-complex"), seed=2)
    simulation.run(events=2000)
    assert simulation.state.events == 2000
    assert all(getattr(room, name).tobytes() == held for name, held in before.items())


# --- sharing ---


def test_particles_of_all_seeds_and_fillings_share_one_crystal():
    recipe = GROWN["eccentric"]
    first, other = recipe.build(1), recipe.build(2)
    assert first.crystal is other.crystal is recipe.geometry()
    assert (first.occupants != other.occupants).any()
    assert replace(recipe, core="NaYF4", bulk_vacancies=0.1, counts="random").build(1).crystal is first.crystal
    assert GROWN["box"].build(1).crystal is GROWN["box"].build(2).crystal is GROWN["box"].geometry()


@pytest.mark.parametrize(
    "change",
    [
        {"diameter": "4.1 nm"},
        {"thickness": "1.01 nm"},
        {"interface_width": "0.31 nm"},
        {"lattice": lattice.beta(5.97)},
        {"offset": ("0.1 nm", 0, 0)},
        {"elongation": 1.01},
        {"anisotropy": 1.01},
        {"shell": None, "thickness": None, "shells": (("NaYF4", "0.5 nm"), ("NaYF4", "0.5 nm"))},
    ],
)
def test_another_geometry_is_another_crystal(change):
    recipe = GROWN["random"]
    assert replace(recipe, **change).geometry() is not recipe.geometry()


def test_another_box_is_another_crystal():
    box = GROWN["box"]
    assert replace(box, cells=(6, 4, 5)).geometry() is not box.geometry()
    assert replace(box, lattice="fcc", composition="Y").geometry() is not box.geometry()


def test_crystals_that_nobody_uses_are_held_up_to_a_number_of_bytes(monkeypatch):
    size = GROWN["fcc"].geometry().nbytes
    monkeypatch.setattr(shared, "KEPT_BYTES", 2.5 * size)
    kept = [weakref.ref(replace(GROWN["fcc"], interface_width=width).geometry()) for width in (1.0, 1.5, 2.0)]
    gc.collect()
    assert [room() is None for room in kept] == [True, False, False]
    monkeypatch.setattr(shared, "KEPT_BYTES", 0.5 * size)
    held = GROWN["fcc"].geometry()
    gc.collect()
    assert [room() is None for room in kept] == [True, True, True]
    assert GROWN["fcc"].geometry() is held  # because somebody uses it


def test_no_more_crystals_are_held_than_a_few(monkeypatch):
    monkeypatch.setattr(shared, "KEPT_CRYSTALS", 2)
    kept = [weakref.ref(shared.shared(growth.box, lattice.named("sc"), (3, 3, n))) for n in (3, 4, 3, 5)]
    gc.collect()
    assert [room() is None for room in kept] == [False, True, False, False]  # the first was asked for again


@pytest.mark.skipif(crew._START != "fork", reason="other workers share no memory")
def test_a_forked_worker_grows_no_crystal_that_its_parent_has_grown(monkeypatch, tmp_path):
    """And the results are those of one process."""
    recipe = replace(GROWN["random"], diameter="4.2 nm")  # nobody else's
    grow, log = growth.sites_within, tmp_path / "grown"

    def noted(*options):
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return grow(*options)

    protocol = Protocol.parse("300 °C")
    marks = (0.0, 0.5)
    cells = [
        Cell("a", mechanism("no-complex"), recipe, protocol, n, n, marks, marks, (), ("vacancies",)) for n in range(3)
    ]

    def digests(jobs):
        done = in_processes(run_cell, cells, jobs, False, "run", first=lambda: warm_up(cells[0]))
        return [result.digest for result in done]

    alone = digests(1)
    monkeypatch.setattr(growth, "sites_within", noted)
    shared.forget()
    gc.collect()
    assert digests(2) == alone
    assert set(log.read_text().split()) == {str(os.getpid())}
