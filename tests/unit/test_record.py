"""A finished cell as bytes: what was written is read, bit for bit, or it is refused."""

import io
import json
import random
import time

import numpy as np
import pytest

from ucnp_abm.errors import DamagedData
from ucnp_abm.study import record
from ucnp_abm.study.cells import CellResult
from ucnp_abm.study.record import pack, unpack

NAME = "ab" * 32
TINY = np.nextafter(0.0, 1.0)
QUIET = np.array([0x7FF8000000000123], dtype=np.uint64).view(np.float64)[0]  # a NaN that says something


def result(**changes):
    given = {
        "seed": 2**48 - 1,
        "columns": ("t_s", "docked", "outside_core_pct"),
        "values": np.array([[0.0, np.nan, -0.0], [TINY, 1 / 3, QUIET], [1e300, 7.0, 33.1]]),
        "snapshots": {0.0: np.arange(40, dtype=np.uint8), 1 / 3: np.full(40, 255, np.uint8)},
        "digest": "d" * 64,
        "fingerprint": "f" * 64,
        "mixed_pct": 0.1 + 0.2,
    }
    return CellResult(**{**given, **changes})


def bits(found):
    """All of a result, so that NaN is NaN and -0.0 is not 0.0."""
    shots = [(step, held.dtype.str, held.shape, held.tobytes()) for step, held in found.snapshots.items()]
    array = (found.values.dtype.str, found.values.shape, found.values.tobytes())
    said = (found.seed, found.columns, found.digest, found.fingerprint, repr(found.mixed_pct))
    return said, array, shots


@pytest.fixture(scope="module")
def content():
    return pack(NAME, result())


@pytest.mark.parametrize(
    "changes",
    [{}, {"snapshots": {}}, {"mixed_pct": 0.0}, {"values": np.full((1, 3), np.nan)}, {"seed": 0}],
    ids=["usual", "no snapshots", "nothing mixes", "undefined", "seed 0"],
)
def test_what_was_packed_is_read_bit_for_bit(changes):
    given = result(**changes)
    assert bits(unpack(pack(NAME, given), NAME)) == bits(given)


def test_the_same_result_gives_the_same_bytes_at_any_time(content, monkeypatch):
    later = time.time() + 4e8
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(later))
    assert pack(NAME, result()) == content


def test_another_result_gives_other_bytes(content):
    values = result().values.copy()
    values[2, 1] = np.nextafter(7.0, 8.0)
    assert pack(NAME, result(values=values)) != content


def test_a_changed_bit_is_refused_or_harmless_and_never_another_number(content):
    rng, expected, refused = random.Random(1), bits(result()), 0
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << rng.randrange(8)
        try:
            found = unpack(bytes(changed), NAME)
        except DamagedData:
            refused += 1
        else:
            assert bits(found) == expected, position
    assert refused > len(content) / 2  # the rest says twice, or nothing that is read


def test_a_changed_byte_is_refused_or_harmless_and_never_another_number(content):
    expected, refused = bits(result()), 0
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 0xFF
        try:
            assert bits(unpack(bytes(changed), NAME)) == expected, position
        except DamagedData:
            refused += 1
    assert refused > len(content) / 2  # the rest says twice, or nothing that is read


def test_what_is_cut_or_longer_is_refused_or_harmless(content):
    for length in range(0, len(content), 13):
        with pytest.raises(DamagedData):
            unpack(content[:length], NAME)
    for there in (b"\0" * 512, b"\0" * len(content), b"PK\x03\x04", b"\x93NUMPY", b"{}", content[::-1]):
        with pytest.raises(DamagedData):
            unpack(there, NAME)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize(
    "arrays",
    [
        {"values": np.zeros(3)},
        {"about": np.zeros(3)},
        {"about": np.frombuffer(b"[]", np.uint8)},
        {"about": np.frombuffer(b"{}", np.uint8)},
        {"about": np.frombuffer(b"[" * 100_000, np.uint8)},
        {"about": np.frombuffer(b'{"sha256": "00"}', np.uint8), "values": np.zeros(3)},
        {"about": np.array([{"sha256": "00"}], dtype=object)},
    ],
    ids=["no about", "zeros", "a list", "empty", "deep", "a wrong sum", "pickled"],
)
def test_the_npz_of_somebody_else_is_refused(arrays):
    with pytest.raises(DamagedData):
        unpack(npz(**arrays), NAME)


def test_the_record_of_another_cell_or_version_is_refused(content, monkeypatch):
    with pytest.raises(DamagedData, match="another cell"):
        unpack(content, "cd" * 32)
    monkeypatch.setattr(record, "SCHEMA", record.SCHEMA + 1)
    with pytest.raises(DamagedData):
        unpack(content, NAME)


def test_a_number_that_was_edited_with_its_sum_left_is_refused(content):
    with np.load(io.BytesIO(content)) as file:
        arrays = {name: file[name] for name in file.files}
    arrays["values"][2, 2] += 1.0
    with pytest.raises(DamagedData, match="not what was written"):
        unpack(npz(**arrays), NAME)
    about = json.loads(arrays["about"].tobytes())
    arrays["values"][2, 2] -= 1.0
    about["seed"] += 1
    with pytest.raises(DamagedData, match="not what was written"):
        unpack(npz(**{**arrays, "about": np.frombuffer(json.dumps(about).encode(), np.uint8)}), NAME)
