"""The random words of a candidate are those of numpy's Philox4x64-10, compiled and interpreted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numba import njit

from ucnp_abm import seeds
from ucnp_abm.kernels import random_words as philox_words
from ucnp_abm.kernels.compiling import multiply

WORD = 2**64 - 1
EDGES = (
    0,
    1,
    2,
    3,
    2**31,
    2**32 - 1,
    2**32,
    2**32 + 1,
    2**63 - 1,
    2**63,
    WORD - 1,
    WORD,
    int(philox_words.M0),
    int(philox_words.M1),
)
word = st.integers(0, WORD)
candidate = st.integers(1, 2**60)


@njit
def compiled_words(n, keys):  # type: ignore[no-untyped-def]
    return philox_words.words(n, keys)


@njit
def compiled_multiply(a, b):  # type: ignore[no-untyped-def]
    return multiply(a, b)


@njit
def compiled_unit(w):  # type: ignore[no-untyped-def]
    return philox_words.unit(w)


TWINS = pytest.mark.parametrize(
    ("words", "multiply", "unit"),
    [
        pytest.param(philox_words.words, multiply, philox_words.unit, id="interpreted"),
        pytest.param(compiled_words, compiled_multiply, compiled_unit, id="compiled"),
    ],
)


def philox(n: int, low: int, high: int) -> list[int]:
    """Words of candidate n, from numpy: the counter is raised before it is used, hence n - 1."""
    return [int(w) for w in np.random.Philox(key=low + (high << 64), counter=n - 1).random_raw(4)]


def as_words(found: tuple[np.uint64, ...]) -> list[int]:
    assert all(int(w) >= 0 for w in found)
    return [int(w) for w in found]


@TWINS
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(n=candidate, low=word, high=word)
@example(n=1, low=0, high=0)
@example(n=2**60, low=WORD, high=WORD)
@example(n=1, low=WORD, high=0)
@example(n=2**32, low=0, high=WORD)
def test_words_of_a_candidate_are_those_of_numpy_philox(words, multiply, unit, n: int, low: int, high: int) -> None:
    assert as_words(words(n, philox_words.round_keys(low, high))) == philox(n, low, high)


@TWINS
def test_words_of_successive_candidates_are_one_philox_stream(words, multiply, unit) -> None:
    low, high = seeds.philox_key(7)
    keys = philox_words.round_keys(low, high)
    stream = np.random.Philox(key=low + (high << 64), counter=0).random_raw(4 * 2000).reshape(-1, 4)
    assert [as_words(words(n, keys)) for n in range(1, 2001)] == stream.tolist()


@TWINS
def test_words_do_not_depend_on_the_integer_type_of_the_candidate_number(words, multiply, unit) -> None:
    keys = philox_words.round_keys(3, 5)
    assert as_words(words(np.int64(12), keys)) == as_words(words(np.uint64(12), keys)) == philox(12, 3, 5)


@TWINS
@pytest.mark.parametrize("a", EDGES)
def test_product_of_two_words_is_exact_in_its_high_and_low_word(words, multiply, unit, a: int) -> None:
    for b in EDGES:
        high, low = multiply(np.uint64(a), np.uint64(b))
        assert (int(high) << 64) + int(low) == a * b


@TWINS
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(a=word, b=word)
def test_product_of_any_two_words_is_exact(words, multiply, unit, a: int, b: int) -> None:
    high, low = multiply(np.uint64(a), np.uint64(b))
    assert (int(high) << 64) + int(low) == a * b


@TWINS
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(w=word)
@example(w=WORD)
@example(w=0)
@example(w=2**11 - 1)
@example(w=2**11)
@example(w=WORD - 2**11)
def test_unit_is_the_upper_53_bits_of_a_word_and_below_one(words, multiply, unit, w: int) -> None:
    u = unit(np.uint64(w))
    assert 0.0 <= u < 1.0
    assert u == (w >> 11) / 2**53


@given(low=word, high=word)
@settings(max_examples=50, deadline=None, derandomize=True, database=None)
def test_round_keys_are_a_weyl_sequence_of_the_key(low: int, high: int) -> None:
    keys = philox_words.round_keys(low, high)
    assert keys.shape == (10, 2)
    assert keys.dtype == np.uint64
    assert [int(k) for k in keys[0]] == [low, high]
    steps = {tuple((int(b) - int(a)) % 2**64 for a, b in zip(keys[r], keys[r + 1], strict=True)) for r in range(9)}
    assert steps == {(0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)}


def test_seeds_give_different_keys_and_a_seed_always_the_same() -> None:
    keys = [seeds.philox_key(seed) for seed in range(1000)]
    assert len(set(keys)) == 1000
    assert len({half for key in keys for half in key}) == 2000
    assert seeds.philox_key(999) == keys[999]
