"""Extended XYZ: ASE reads back what was written."""

import re

import numpy as np
import pytest

from ucnp_abm import Box, Simulation, mechanism, observables
from ucnp_abm.crystal.species import SPECIES, SYMBOLS, VACANCY, VOID
from ucnp_abm.errors import BadInput
from ucnp_abm.runs import trajectory
from ucnp_abm.viz import style
from ucnp_abm.viz.extxyz import Frame, frames_in, frames_of, write_extxyz


@pytest.fixture(scope="module")
def annealed(small_particle):
    simulation = Simulation(small_particle, mechanism("y-complex"), "300 °C", seed=2)
    return trajectory.record(simulation, observables.read, [0, 5, 10], [0, 10, 20])


@pytest.fixture
def ase_frames(tmp_path):
    io = pytest.importorskip("ase.io")

    def read(crystal, frames):
        return io.read(write_extxyz(tmp_path / "out.extxyz", crystal, frames), index=":")

    return read


def test_ase_reads_positions_symbols_and_places(annealed, ase_frames):
    crystal = annealed.simulation.crystal
    seen = ase_frames(crystal, frames_of(annealed))
    assert len(seen) == 3
    for atoms, held in zip(seen, annealed.snapshots.values(), strict=True):
        assert np.allclose(atoms.positions, crystal.points, rtol=0, atol=1e-6)
        assert atoms.get_chemical_symbols() == ["X" if n == VACANCY else SYMBOLS[n] for n in held.tolist()]
        assert (atoms.arrays["layer"] == crystal.layer).all()
        assert (atoms.arrays["zone"] == crystal.site_zone).all()


def test_ase_reads_colours_and_shannon_radii(annealed, ase_frames):
    atoms = ase_frames(annealed.simulation.crystal, frames_of(annealed))[1]
    symbols = np.array(atoms.get_chemical_symbols())
    for symbol, radius, colour in [("Y", 1.019, "#71CBFF"), ("Gd", 1.053, "#2D1078"), ("X", 0.3, "#000000")]:
        shares = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        assert (symbols == symbol).any()
        assert np.allclose(atoms.arrays["radius"][symbols == symbol], radius, rtol=0, atol=1e-9)
        assert np.allclose(atoms.arrays["color"][symbols == symbol], shares, rtol=0, atol=1e-6)


def test_ase_reads_step_time_and_names(annealed, ase_frames):
    simulation = annealed.simulation
    for atoms, step in zip(ase_frames(simulation.crystal, frames_of(annealed)), (0, 10, 20), strict=True):
        assert atoms.info["step"] == step
        assert atoms.info["t_s"] == pytest.approx(simulation.protocol.time(step, simulation.crystal.z), rel=1e-12)
        assert atoms.info["layers"].split(", ") == list(simulation.crystal.layers)
        assert atoms.info["zones"].split(", ") == list(simulation.crystal.zones)


def test_particle_is_not_periodic_and_has_no_cell(annealed, ase_frames):
    atoms = ase_frames(annealed.simulation.crystal, frames_of(annealed))[0]
    assert not atoms.pbc.any()
    assert not atoms.cell.any()


def test_box_has_its_cell_in_which_neighbours_wrap(ase_frames):
    grown = Box(lattice="beta", cells=(4, 5, 6), composition="NaYF4").build(1)
    (atoms,) = ase_frames(grown.crystal, [Frame(0.0, float("nan"), grown.occupants)])
    assert atoms.pbc.all()
    assert np.allclose(atoms.cell, np.diag([4, 5, 6]) @ np.array(grown.crystal.lattice.cell), rtol=0, atol=1e-6)
    assert "t_s" not in atoms.info
    steps = atoms.positions[grown.crystal.bonds] - atoms.positions[:, None]
    steps -= np.rint(steps @ np.linalg.inv(atoms.cell)) @ np.array(atoms.cell)
    assert np.unique(np.linalg.norm(steps, axis=2).round(3)).tolist() == [3.53, 3.867]


def test_voids_are_left_out(small_particle, ase_frames):
    held = small_particle.occupants.copy()
    held[::7] = VOID
    (atoms,) = ase_frames(small_particle.crystal, [Frame(3.0, 1.0, held)])
    assert np.allclose(atoms.positions, small_particle.crystal.points[held != VOID], rtol=0, atol=1e-6)


def test_every_species_has_a_look(small_particle, ase_frames):
    held = small_particle.occupants.copy()
    codes = [species.code for species in SPECIES.values() if species.code != VOID]
    held[: len(codes)] = codes
    (atoms,) = ase_frames(small_particle.crystal, [Frame(0.0, 0.0, held)])
    assert (atoms.arrays["radius"] > 0).all()
    lutetium = atoms.get_chemical_symbols().index("Lu")
    expected = [int(style.OTHER_SPECIES[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    assert atoms.arrays["color"][lutetium] == pytest.approx(expected, abs=1e-6)


def test_run_directory_gives_the_frames_of_its_trajectory(annealed, tmp_path):
    crystal = annealed.simulation.crystal
    directory = trajectory.write(annealed, tmp_path / "run")
    here = write_extxyz(tmp_path / "here", crystal, frames_of(annealed))
    there = write_extxyz(tmp_path / "there", crystal, frames_in(directory, crystal))
    assert here.read_bytes() == there.read_bytes()


def test_frames_of_a_run_directory_are_read_one_by_one(annealed, tmp_path):
    directory = trajectory.write(annealed, tmp_path / "run")
    frames = frames_in(directory, annealed.simulation.crystal)
    assert next(frames).step == 0
    (directory / "snapshots" / "0002.npz").unlink()
    assert [frame.step for frame in frames] == [10]


def test_run_directory_of_another_crystal_is_refused(annealed, paper_particle, tmp_path):
    directory = trajectory.write(annealed, tmp_path / "run")
    with pytest.raises(BadInput, match="of another crystal"):
        frames_in(directory, paper_particle.crystal)


def test_run_directory_that_cannot_be_read_is_refused(annealed, tmp_path):
    crystal = annealed.simulation.crystal
    with pytest.raises(BadInput, match="holds no snapshots"):
        frames_in(tmp_path, crystal)
    directory = trajectory.write(annealed, tmp_path / "run")
    for name in ("0001", "sites"):
        (directory / "snapshots" / f"{name}.npz").write_bytes(b"PK\x03\x04 cut off")
        with pytest.raises(BadInput, match=f"cannot read.*{name}"):
            list(frames_in(directory, crystal))


def test_nothing_half_written_is_left(annealed, small_particle, tmp_path):
    target = tmp_path / "out.extxyz"
    target.write_text("old")
    good = frames_of(annealed)[0]

    def broken():
        yield good
        assert target.read_text() == "old"
        yield Frame(1.0, 1.0, good.occupants[:-1])

    with pytest.raises(BadInput, match=f"step 1: expected {small_particle.crystal.n_sites} species codes"):
        write_extxyz(target, small_particle.crystal, broken())
    assert [path.name for path in tmp_path.iterdir()] == ["out.extxyz"]
    assert target.read_text() == "old"
    write_extxyz(target, small_particle.crystal, [good])
    assert target.read_text().startswith(f"{small_particle.crystal.n_sites}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out.extxyz"]


def test_what_cannot_be_written_is_refused(small_particle, tmp_path):
    crystal, held = small_particle.crystal, small_particle.occupants
    with pytest.raises(BadInput, match="no snapshots"):
        write_extxyz(tmp_path / "a", crystal, [])
    with pytest.raises(BadInput, match=re.escape(f"cannot write '{tmp_path / 'no' / 'a'}'")):
        write_extxyz(tmp_path / "no" / "a", crystal, [Frame(0.0, 0.0, held)])
    with pytest.raises(BadInput, match="species codes"):
        write_extxyz(tmp_path / "a", crystal, [Frame(0.0, 0.0, np.full(crystal.n_sites, 31, dtype=np.uint8))])
    assert not list(tmp_path.iterdir())
