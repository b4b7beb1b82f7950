"""Rate sets: what ships, what a file of one's own may hold, and a clear sentence for all that is wrong."""

from __future__ import annotations

import hashlib
import math
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from ucnp_abm import Particle
from ucnp_abm.errors import BadInput, NotConverged
from ucnp_abm.photons.network import network
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.rates import SHIPPED, rate_set
from ucnp_abm.photons.solve import fate

WHOLE = """
name = "mine"
source = "a test"

[units]
energy = "1/cm"
rate = "1/s"
transfer = "cm^6/s"
cross_section = "cm^2"

[absorption_980nm]
Yb = 1e-20

[levels.Yb]
"2F7/2" = { energy = 0.0 }
"2F5/2" = { energy = 10000.0, radiative = { "2F7/2" = 500.0 }, nonradiative = { "2F7/2" = 100.0 } }

[levels.Tm]
"3H6" = { energy = 0.0 }
"3F4" = { energy = 5800.0, radiative = { "3H6" = 100.0 } }
"3H5" = { energy = 8400.0, radiative = { "3H6" = 50.0 }, nonradiative = { "3F4" = 5e4 } }

[transfers]
"Yb 2F5/2 -> 2F7/2, Yb 2F7/2 -> 2F5/2" = 1e-39
"Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3H5" = 2e-40
"""
MIGRATION = '"Yb 2F5/2 -> 2F7/2, Yb 2F7/2 -> 2F5/2"'


def written(folder: Path, text: str) -> str:
    file = folder / "set.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


# What ships


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_sets_load_and_say_who_they_are(name):
    found = rate_set(name)
    assert found.name == name
    assert found.source
    assert found.notes
    assert len(found.fingerprint) == 64
    assert found.migration > 0
    assert found.ion("Yb").levels == ("2F7/2", "2F5/2")
    assert found.ion("Tm").levels == ("3H6", "3F4", "3H5", "3H4", "3F2,3", "1G4", "1D2", "1I6")
    for ion in found.ions.values():
        assert (ion.decay >= 0).all()
        assert (np.triu(ion.decay) == 0).all()  # levels are in order, and decays lead down
        assert (ion.decay[1:].sum(axis=1) > 0).all()
        assert (ion.radiative <= ion.decay.sum(axis=1) * (1 + 1e-12)).all()
        assert all(emission.wavelength_nm > 0 for emission in ion.emissions)
    assert rate_set(name) is found
    assert rate_set(found) is found


def test_shipped_sets_are_three_different_ones():
    assert len({rate_set(name).fingerprint for name in SHIPPED}) == len(SHIPPED) == 3


def test_splice_is_simetuc_but_for_migration():
    bare, splice = rate_set("simetuc"), rate_set("simetuc+npt-migration")
    assert splice.migration == pytest.approx(rate_set("npt").migration, rel=1e-12)
    assert splice.migration / bare.migration == pytest.approx(129.18, rel=1e-4)  # 5.42419349e-39 / 4.199e-41
    others = [
        {(t.donor, t.down, t.acceptor, t.up): t.constant for t in each.transfers if t.donor + t.acceptor != "YbYb"}
        for each in (bare, splice)
    ]
    assert others[0] == others[1]
    assert len(bare.transfers) == len(splice.transfers)
    assert list(bare.ions) == list(splice.ions)
    for symbol, ion in bare.ions.items():
        assert ion.levels == splice.ion(symbol).levels
        assert (ion.decay == splice.ion(symbol).decay).all()
        assert ion.emissions == splice.ion(symbol).emissions
    assert bare.cross_section_cm2 == splice.cross_section_cm2
    assert "splice" in " ".join(splice.notes)


@pytest.mark.parametrize("name", SHIPPED)
def test_pump_at_4_w_per_cm2_is_a_quarter_of_an_excitation_per_second(name):
    assert rate_set(name).pump(4.0) == pytest.approx(0.2368, abs=2e-4)  # 1.2e-20 cm² 4 W/cm² / (h c / 980 nm)


def test_lines_of_thulium_are_where_they_are_seen():
    lines = [e for e in rate_set("npt").ion("Tm").emissions if (e.upper, e.lower) in (("1D2", "3F4"), ("1G4", "3H6"))]
    assert [round(e.wavelength_nm) for e in lines] == [450, 472]


# Lumps


def test_lump_decays_with_its_members_rates_times_their_boltzmann_shares():
    """Er 4S3/2 (J = 3/2) and 2H(2)11/2 (J = 11/2), 754 1/cm above it, at 300 K."""
    er = rate_set("npt").ion("Er")
    kt = 1.380649e-23 * 300 / (6.62607015e-34 * 2.99792458e10)  # 1/cm
    lower, upper = 4.0, 12.0 * math.exp(-754.0 / kt)
    s, h = lower / (lower + upper), upper / (lower + upper)
    lump = er.number("4S3/2")
    assert h == pytest.approx(0.0747, abs=1e-4)
    to_ground = s * 906.4470085 + h * 2762.051778
    assert er.decay[lump, er.number("4I15/2")] == pytest.approx(to_ground, rel=1e-8)
    radiative_s = 906.4470085 + 383.2352104 + 29.07829248 + 48.65868632 + 0.5414781569
    radiative_h = 2762.051778 + 125.6772014 + 47.80686919 + 49.21977567 + 8.58822646  # that to 4S3/2 stays inside
    assert er.radiative[lump] == pytest.approx(s * radiative_s + h * radiative_h, rel=1e-8)
    total = s * (radiative_s + 6940.267872) + h * radiative_h  # so does the fast decay of 2H(2)11/2 to 4S3/2
    assert er.decay[lump].sum() == pytest.approx(total, rel=1e-8)


def test_transfer_from_a_lump_counts_the_share_of_its_member():
    npt = rate_set("npt")
    er = npt.ion("Er")
    kt = 1.380649e-23 * 300 / (6.62607015e-34 * 2.99792458e10)
    h = 12 * math.exp(-754.0 / kt) / (4 + 12 * math.exp(-754.0 / kt))
    lump, down = er.number("4S3/2"), er.number("4I13/2")
    found = [t.constant for t in npt.between("Er", "Yb") if t.down == (lump, down)]
    assert found == [pytest.approx(((1 - h) * 1.552532923e-40 + h * 5.501644041e-42) * 1e48, rel=1e-8)]
    into = [t.constant for t in npt.between("Yb", "Er") if t.up == (er.number("4I11/2"), lump)]
    assert into == [pytest.approx((1.030895114e-40 + 7.269341289e-42) * 1e48, rel=1e-8)]  # entries are not weighted


# Files of one's own


def test_whole_file_is_read(tmp_path):
    found = rate_set(written(tmp_path, WHOLE))
    assert found.name == "mine"
    assert found.migration == pytest.approx(1e9)
    assert found.ion("Yb").decay.tolist() == [[0, 0], [600, 0]]
    assert found.ion("Yb").radiative.tolist() == [0, 500]
    assert found.ion("Tm").decay[2].tolist() == [50, 5e4, 0]
    assert found.ion("Yb").emissions[0].wavelength_nm == 1000
    assert found.pump(1.0) == pytest.approx(1e-20 / (6.62607015e-34 * 2.99792458e8 / 980e-9))
    assert Optics(rates=written(tmp_path, WHOLE)).set.name == "mine"


def test_file_with_a_base_changes_what_it_names_and_nothing_else(tmp_path):
    text = f'name = "faster"\nbase = "simetuc"\n[transfers]\n{MIGRATION} = 1e-40\n'
    found, base = rate_set(written(tmp_path, text)), rate_set("simetuc")
    assert found.name == "faster"
    assert found.migration == pytest.approx(1e8)
    assert found.source == base.source
    assert found.fingerprint != base.fingerprint
    assert len(found.transfers) == len(base.transfers)
    assert all((found.ion(s).decay == base.ion(s).decay).all() for s in base.ions)


def test_base_may_be_the_splice(tmp_path):
    text = 'name = "other"\nbase = "simetuc+npt-migration"\n[absorption_980nm]\nYb = 2e-20\n'
    found = rate_set(written(tmp_path, text))
    assert found.migration == rate_set("simetuc+npt-migration").migration
    assert found.cross_section_cm2 == 2e-20


def test_fingerprint_of_a_changed_base_is_that_of_both_texts(tmp_path):
    texts = [f'name = "x"\nbase = "{base}"\n[transfers]\n{MIGRATION} = 1e-40\n' for base in ("simetuc", "npt")]
    first, other = (rate_set(written(tmp_path, text)).fingerprint for text in texts)
    assert first != other
    assert rate_set(written(tmp_path, texts[0])).fingerprint == first
    below = resources.files("ucnp_abm.photons").joinpath("sets", "simetuc.toml").read_text(encoding="utf-8")
    assert first == hashlib.sha256((below + texts[0]).encode()).hexdigest()


# What is wrong

WRONG = {
    "missing level": (
        WHOLE.replace('"3H5" = 2e-40', "").replace("Tm 3H6 -> 3H5", "Tm 3H6 -> 3H4"),
        "no level '3H4' of Tm",
    ),
    "decay to a level that is missing": (
        WHOLE.replace('{ "3F4" = 5e4 }', '{ "3F5" = 5e4 }'),
        r"levels\.Tm\.3H5: decays to '3F5', no level of Tm; did you mean '3F4'",
    ),
    "decay upwards": (
        WHOLE.replace('radiative = { "3H6" = 100.0 }', 'radiative = { "3H5" = 100.0 }'),
        "decays to '3H5', which is not below it",
    ),
    "negative rate": (WHOLE.replace('"2F7/2" = 500.0', '"2F7/2" = -500.0'), r"greater than or equal to 0, got -500\.0"),
    "rate that is no number": (WHOLE.replace("500.0", "nan"), "should be (a finite number|greater).*got nan"),
    "infinite rate": (WHOLE.replace("500.0", "inf"), "finite number, got inf"),
    "rate that is text": (WHOLE.replace("500.0", '"fast"'), "valid number.*got 'fast'"),
    "infinite energy": (WHOLE.replace("energy = 5800.0", "energy = inf"), "finite number, got inf"),
    "negative constant": (WHOLE.replace("= 2e-40", "= -2e-40"), "greater than or equal to 0, got -2e-40"),
    "constant that is no number": (WHOLE.replace("= 2e-40", "= nan"), "got nan"),
    "no transfers": (WHOLE[: WHOLE.index("[transfers]")], "transfers: is missing"),
    "no energy": (WHOLE.replace("energy = 5800.0, ", ""), r"levels\.Tm\.3F4\.energy: is missing"),
    "no name": (WHOLE.replace('name = "mine"', ""), "name: is missing"),
    "no source": (WHOLE.replace('source = "a test"', ""), "source: is missing"),
    "malformed transfer": (
        WHOLE.replace("Yb 2F5/2 -> 2F7/2, Tm 3H6", "Yb 2F5/2 > 2F7/2; Tm 3H6"),
        "expected a key such",
    ),
    "transfer of an unknown ion": (WHOLE.replace("Tm 3H6 -> 3H5", "Ho 3H6 -> 3H5"), "no levels of Ho"),
    "first ion goes up": (
        WHOLE.replace("Yb 2F5/2 -> 2F7/2, Tm 3H6 -> 3H5", "Yb 2F7/2 -> 2F5/2, Tm 3H5 -> 3H6"),
        "the first ion must go down, 2F5/2 is not below 2F7/2",
    ),
    "level that never decays": (
        WHOLE.replace(', radiative = { "3H6" = 100.0 }', ""),
        r"levels\.Tm\.3F4: never decays; every excited level needs a rate above zero",
    ),
    "level whose rates are zero": (WHOLE.replace('"3H6" = 100.0', '"3H6" = 0.0'), r"levels\.Tm\.3F4: never decays"),
    "no ytterbium": (WHOLE.replace("[levels.Yb]", "[levels.Ho]"), "levels.Yb: expected the two levels of Yb, got 0"),
    "no absorption": (WHOLE.replace("Yb = 1e-20", "Tm = 1e-20"), r"absorption_980nm\.Yb: is missing"),
    "absorption of zero": (WHOLE.replace("Yb = 1e-20", "Yb = 0"), "greater than 0, got 0"),
    "third level of ytterbium": (
        WHOLE.replace("[levels.Tm]", '"2X" = { energy = 2e4, radiative = { "2F7/2" = 1.0 } }\n[levels.Tm]'),
        "expected the two levels of Yb, got 3",
    ),
    "wrong units": (
        WHOLE.replace('transfer = "cm^6/s"', 'transfer = "nm^6/s"'),
        "should be 'cm\\^6/s', got 'nm\\^6/s'",
    ),
    "units in wavelengths": (WHOLE.replace('energy = "1/cm"', 'energy = "nm"'), "should be '1/cm', got 'nm'"),
    "unknown key": (WHOLE.replace('source = "a test"', 'source = "a test"\nnote = ["x"]'), "did you mean 'notes'"),
    "unknown key of a level": (WHOLE.replace("nonradiative = { ", "phonons = { "), "phonons: unknown key"),
    "lump of a missing level": (WHOLE + '[lumps.Tm]\n"3F" = ["3F4", "3F3"]\n', "no level '3F3' of Tm; did you mean"),
    "level in two lumps": (WHOLE + '[lumps.Tm]\n"A" = ["3F4"]\n"B" = ["3F4"]\n', "'3F4' is in two lumps"),
    "empty lump": (WHOLE + '[lumps.Tm]\n"A" = []\n', "expected at least one level"),
    "ion without levels": (WHOLE + "[levels.Er]\n", r"levels\.Er: expected at least a ground state"),
    "not TOML": ("name = \n", "is not TOML"),
    "deeply nested": ("x = " + "[" * 5000, "is not TOML"),
    "unknown base": ('name = "x"\nbase = "simetux"\n', "unknown base 'simetux'; did you mean 'simetuc'"),
    "name of its base": ('name = "simetuc"\nbase = "simetuc"\n', "give it a name of its own"),
    "name of another that ships": ('name = "npt"\nbase = "simetuc"\n', "give it a name of its own"),
    "whole file under a name that ships": (WHOLE.replace('"mine"', '"npt"'), "'npt' ships"),
    "base without a name": (f'base = "simetuc"\n[transfers]\n{MIGRATION} = 1e-40\n', "'simetuc' ships"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_file_is_refused_with_a_sentence(tmp_path, case):
    text, sentence = WRONG[case]
    assert text != WHOLE
    with pytest.raises(BadInput, match=sentence) as refused:
        rate_set(written(tmp_path, text))
    assert str(refused.value).startswith("rate set '")


def test_all_problems_of_a_file_are_told_at_once(tmp_path):
    text = WHOLE.replace("500.0", "-1.0").replace('source = "a test"', "").replace("5e4", "nan")
    with pytest.raises(BadInput) as refused:
        rate_set(written(tmp_path, text))
    assert "3 problems" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 4


def test_unknown_set_is_refused_with_the_nearest_name(tmp_path):
    with pytest.raises(BadInput, match=r"unknown rate set .simetux.*did you mean .simetuc"):
        rate_set("simetux")
    with pytest.raises(BadInput, match="npt, simetuc"):
        rate_set("zzz")
    with pytest.raises(BadInput, match="cannot be read"):
        rate_set(str(tmp_path / "nowhere.toml"))
    (tmp_path / "latin.toml").write_bytes(b"name = '\xe9'")
    with pytest.raises(BadInput, match="cannot be read"):
        rate_set(str(tmp_path / "latin.toml"))
    with pytest.raises(BadInput, match="expected the name of a rate set"):
        rate_set(5)


def test_unknown_level_and_ion_are_refused_with_a_sentence():
    with pytest.raises(BadInput, match="Tm: no level '1G5'; did you mean '1G4'"):
        rate_set("npt").ion("Tm").number("1G5")
    with pytest.raises(BadInput, match="rate set 'simetuc' has no levels of Er; it has those of Yb, Tm"):
        rate_set("simetuc").ion("Er")


# What a network cannot be made of


def test_crystal_without_ytterbium_is_refused():
    p = Particle.box(lattice="beta", cells=(4, 4, 6), composition="NaYF4: 5% Tm", vacancies=0.0, seed=1)
    with pytest.raises(BadInput, match="the crystal holds no Yb"):
        network(p.crystal, p.occupants, Optics())


def test_erbium_in_the_crystal_needs_levels_in_the_set():
    p = Particle.box(lattice="beta", cells=(4, 4, 6), composition="NaYF4: 20% Yb, 5% Er", vacancies=0.0, seed=1)
    with pytest.raises(BadInput, match="rate set 'simetuc' has no levels of Er"):
        network(p.crystal, p.occupants, Optics(rates="simetuc"))


def test_excitation_that_never_ends_is_no_result():
    from lights import by_hand

    with pytest.raises(NotConverged, match="would never end"):
        fate(by_hand(np.zeros((2, 2)), radiated=0.0))
    with pytest.raises(NotConverged, match=r"2 carriers did not converge in 20000 iterations \(relative residual"):
        fate(by_hand([[0, 1e3], [1e3, 0]], radiated=0.0))
