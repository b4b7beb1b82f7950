import io
import json
import os
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from ucnp_abm import IONS, Mechanism, Model, Particle, Simulation, mechanism
from ucnp_abm.errors import BadInput, DamagedData
from ucnp_abm.runs import checkpoint


@pytest.fixture
def saved(small_particle, tmp_path):
    """A file, and the simulation in it."""
    simulation = Simulation(small_particle, mechanism("y-complex", barrier="1.6 eV"), seed=5)
    simulation.run(events=300)
    checkpoint.save(simulation, tmp_path / "run.npz")
    return tmp_path / "run.npz", simulation


def changed(path, about=None, **arrays):
    """The file with other content in it: values of its text, and arrays (None: left out)."""
    with np.load(path) as file:
        held = {name: file[name] for name in file.files} | arrays
    text = json.loads(held["about"].tobytes()) | (about or {})
    text = {key: value for key, value in text.items() if value is not ...}
    held["about"] = np.frombuffer(json.dumps(text).encode(), dtype=np.uint8)
    np.savez(path, **{name: array for name, array in held.items() if array is not None})
    return path


@pytest.mark.parametrize("scheduler", ["rejection", "linear-scan"])
@pytest.mark.parametrize("name", ["no-complex", "y-complex"])
def test_a_loaded_run_goes_on_as_the_saved_one(name, scheduler, small_particle, tmp_path):
    whole, saved = (
        Simulation(small_particle, mechanism(name), "250 °C for 2 h, 300 °C", seed=5, scheduler=scheduler)
        for _ in range(2)
    )
    for stop, heat in (({"events": 30}, None), ({"steps": 0.7}, "350 °C"), ({"time": "1 min"}, None)):
        for simulation in (whole, saved):
            simulation.run(**stop)
        checkpoint.save(saved, tmp_path / "run.npz")
        saved = checkpoint.load(tmp_path / "run.npz", resolve=mechanism)
        assert saved.digest() == whole.digest()
        assert saved.steps == whole.steps
        for simulation in (whole, saved):
            if heat:
                simulation.set_temperature(heat)
            simulation.run(events=20)
        assert saved.digest() == whole.digest()


def test_every_kind_of_run_comes_back(tmp_path):
    kinds = [
        (Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", order="ordered", seed=2), "y-complex"),
        (Particle.box(lattice="fcc", cells=(4, 4, 4), composition="Gd: 20% Yb", vacancies="3 %"), "no-complex"),
        (Particle.core_shell(core="NaGdF4: 49% Yb", diameter="2 nm", seed=2), "y-complex+laser-thermal"),
    ]
    one = kinds[1][0]
    kinds.append((replace(one, occupants=np.roll(one.occupants, 3)), "no-complex"))
    kinds.append((Particle.of(one.crystal, np.roll(one.occupants, 1).tolist(), immobile=("Yb",)), "no-complex"))
    for particle, name in kinds:
        whole = Simulation(particle, mechanism(name), seed=2)
        whole.run(events=50)
        checkpoint.save(whole, tmp_path / "run.npz")
        loaded = checkpoint.load(tmp_path / "run.npz", resolve=mechanism)
        assert loaded.particle.occupants.tolist() == particle.occupants.tolist()
        assert loaded.particle.immobile == particle.immobile
        for simulation in (whole, loaded):
            simulation.run(events=50)
        assert loaded.digest() == whole.digest()


def test_a_finite_bath_and_room_for_new_vacancies_come_back(small_particle, tmp_path):
    made = Mechanism("etching", summary="Ions leave.", source="Assumption: a test")
    made.hop(mover=IONS)(lambda env: 1.65)
    made.etch("Y", irreversible=True)(lambda env: 1.5)
    made.dock("Gd", chemical_potential=0.0)(lambda env: 1.5)
    made.reservoir("Gd", size=40)
    whole = Simulation(small_particle, made, seed=2)
    whole.run(events=150)
    assert whole.state.vacancies.size > small_particle.state().vacancies.size
    checkpoint.save(whole, tmp_path / "run.npz")
    loaded = checkpoint.load(tmp_path / "run.npz", made)
    for simulation in (whole, loaded):
        simulation.run(events=50)
    assert loaded.digest() == whole.digest()


def test_a_model_comes_back_with_its_agents(small_particle, tmp_path):
    model = Model(small_particle, "y-complex", seed=5)
    model.run(events=150)
    model.save(tmp_path / "run.npz")
    loaded = Model.load(tmp_path / "run.npz", history=True)
    seen = ("slot", "site", "species", "origin", "age", "generation")
    assert sorted(loaded.space.agents.get(seen)) == sorted(model.space.agents.get(seen))
    assert loaded.complex("Y").n_docked == model.complex("Y").n_docked > 0
    for one in (model, loaded):
        one.run(events=40)
    assert loaded.digest() == model.digest()
    assert max(len(a.history) for a in loaded.space.agents) > 0


def test_saving_replaces_the_file_at_once_or_leaves_it(saved, monkeypatch):
    path, simulation = saved
    before = path.read_bytes()
    simulation.run(events=10)

    def full(*_):
        raise OSError(28, "No space left on device")

    for call in ("write", "fsync", "replace"):
        with monkeypatch.context() as patched:
            patched.setattr(os, call, full)
            with pytest.raises(BadInput, match="No space left"):
                checkpoint.save(simulation, path)
        assert path.read_bytes() == before
        assert [p.name for p in path.parent.iterdir()] == [path.name]
    checkpoint.save(simulation, path)
    assert checkpoint.load(path, resolve=mechanism).digest() == simulation.digest()
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("compressed", [True, False])
def test_the_same_run_gives_the_same_bytes(compressed, saved):
    loaded = checkpoint.load(saved[0], resolve=mechanism)
    content = checkpoint.content(saved[1], compressed=compressed)
    assert checkpoint.content(loaded, compressed=compressed) == content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_file_holds_no_pickle(saved):
    with np.load(saved[0], allow_pickle=False) as file:
        assert all(not file[name].dtype.hasobject for name in file.files)


def test_code_in_a_file_never_runs(saved, tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    with pytest.raises(DamagedData, match="damaged"):
        checkpoint.load(changed(saved[0], occupants=np.array([Trap()], dtype=object)), resolve=mechanism)
    assert not (tmp_path / "sprung").exists()


def test_any_damaged_byte_is_noticed(saved):
    path, simulation = saved
    whole, rng = path.read_bytes(), np.random.default_rng(1)
    refused = 0
    for position in rng.integers(2, len(whole), 60):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :])
        try:
            assert checkpoint.load(path, resolve=mechanism).digest() == simulation.digest()
        except DamagedData:
            refused += 1
    assert refused > 40  # the rest are dates and the like
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DamagedData, match="is damaged"):
        checkpoint.load(path, resolve=mechanism)


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        ({"state.slot": None}, "'state.slot' is missing"),
        ({"occupants": None}, "'occupants' is missing"),
        ({"occupants": np.zeros(3, dtype=np.uint8)}, "'occupants' has"),
        ({"state.clock": np.zeros(9)}, "'clock' has"),
        ({"state.tally": np.zeros(7, dtype=np.int32)}, "'tally' has"),
        ({"state.vacancies": np.zeros((4, 4), dtype=np.uint32)}, "'vacancies' has"),
        ({"state.came_from": np.zeros(1, dtype=np.uint32)}, "'came_from' has"),
        (
            {
                "state.born": ...,
            },
            "not those that were saved",
        ),
    ],
)
def test_other_arrays_are_refused(arrays, text, saved):
    arrays = {name: saved[1].state.born + 1.0 if array is ... else array for name, array in arrays.items()}
    with pytest.raises(DamagedData, match=text):
        checkpoint.load(changed(saved[0], **arrays), resolve=mechanism)


def test_more_vacancies_than_room_are_refused(saved):
    path, simulation = saved
    tally = simulation.state.tally.copy()
    tally[0] = 10**6
    with pytest.raises(DamagedData, match="not those that were saved"):
        checkpoint.load(changed(path, **{"state.tally": tally}), resolve=mechanism)


@pytest.mark.parametrize(
    ("about", "text"),
    [
        ({"schema": 99}, "schema 99.*a newer"),
        ({"schema": 1}, "schema 1.*an older"),
        ({"engine_version": 0}, "engine version 0"),
        ({"format": "other"}, "no file that Model.save wrote"),
        ({"table_fingerprint": "other"}, "other rates"),
        ({"geometry": "other"}, "would build otherwise"),
        ({"mechanism": {"name": "y-complx", "parameters": {}}}, r"did you mean 'y-complex'.*mechanism="),
        ({"mechanism": {"name": "y-complex", "parameters": {"wall": 1.0}}}, "unknown parameter 'wall'"),
        ({"mechanism": {"name": "y-complex", "parameters": {}}}, "other rates"),
    ],
)
def test_a_file_of_other_circumstances_is_refused(about, text, saved):
    with pytest.raises(BadInput, match=text):
        checkpoint.load(changed(saved[0], about), resolve=mechanism)


@pytest.mark.parametrize("key", ["seed", "digest", "geometry", "protocol", "schema"])
def test_a_text_with_a_gap_is_refused(key, saved):
    with pytest.raises(DamagedData, match="damaged"):
        checkpoint.load(changed(saved[0], {key: ...}), resolve=mechanism)


def test_a_mechanism_that_is_not_installed_must_be_given(small_particle, tmp_path):
    own = Mechanism("own", summary="Mine.", source="Assumption: a test")
    own.hop(mover=IONS)(lambda env: 1.65)
    simulation = Simulation(small_particle, own, seed=1)
    simulation.run(events=20)
    checkpoint.save(simulation, tmp_path / "run.npz")
    for resolve in (None, mechanism):
        with pytest.raises(BadInput, match="mechanism="):
            checkpoint.load(tmp_path / "run.npz", resolve=resolve)
    assert checkpoint.load(tmp_path / "run.npz", own).digest() == simulation.digest()


def test_other_files_are_refused(tmp_path):
    with pytest.raises(BadInput, match="cannot read"):
        Model.load(tmp_path / "nothing.npz")
    with pytest.raises(BadInput, match="cannot read"):
        Model.load(tmp_path)
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").touch()
    np.savez(tmp_path / "foreign.npz", a=np.zeros(3))
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("about.npy", "no array")
    (tmp_path / "book.docx").write_bytes(content.getvalue())
    for name in ("text", "empty", "foreign.npz", "book.docx"):
        with pytest.raises(BadInput, match=r"no file that Model\.save wrote"):
            Model.load(tmp_path / name)


def test_saving_where_nothing_can_be_written_is_refused(saved, tmp_path):
    with pytest.raises(BadInput, match="cannot write"):
        checkpoint.save(saved[1], tmp_path / "nowhere" / "run.npz")


def test_damaged_data_has_its_own_exit_code():
    assert DamagedData.exit_code == 4


def test_a_branch_comes_back_as_a_branch(small_particle, tmp_path):
    parent = Simulation(small_particle, mechanism("y-complex"), seed=5)
    parent.run(events=150)
    branch = parent.branch(seed=8, mechanism=mechanism("gd-complex"))
    branch.run(events=20)
    checkpoint.save(branch, tmp_path / "run.npz")
    loaded = checkpoint.load(tmp_path / "run.npz", resolve=mechanism)
    assert (loaded.digest(), loaded.present) == (branch.digest(), branch.present)
    with pytest.raises(BadInput, match="this run has had 0 since event 170, where"):
        loaded.back()
    for simulation in (branch, loaded):
        simulation.run(events=20)
    assert loaded.digest() == branch.digest()


def test_a_loaded_run_goes_back_to_its_start(small_particle, tmp_path):
    whole = Simulation(small_particle, mechanism("y-complex"), seed=5)
    start = whole.digest()
    whole.run(events=150)
    then = whole.digest()
    checkpoint.save(whole, tmp_path / "run.npz")
    loaded = checkpoint.load(tmp_path / "run.npz", resolve=mechanism)
    loaded.goto(event=0)
    assert loaded.digest() == start
    loaded.goto(event=150)
    assert loaded.digest() == then
