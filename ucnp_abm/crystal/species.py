"""Species: one fixed code each, so that states, hashes and files of all particles are comparable."""

from __future__ import annotations

from dataclasses import dataclass

from ucnp_abm.errors import BadInput, nearest


@dataclass(frozen=True)
class Species:
    """An occupant of a lattice site.

    Attributes
    ----------
    symbol : str
    code : int
        Number in the state arrays.
    charge : int
        Formal charge / e. A vacancy is a neutral cluster here (assumption).
    radius_viii, radius_ix : float
        Shannon radius / Å for coordination 8 and 9 (Shannon 1976, doi:10.1107/S0567739476001551); 0 for no ion.
    """

    symbol: str
    code: int
    charge: int = 0
    radius_viii: float = 0.0
    radius_ix: float = 0.0


_IONS = (
    ("Na", 1, 1.18, 1.24),
    ("Ca", 2, 1.12, 1.18),
    ("Y", 3, 1.019, 1.075),
    ("La", 3, 1.160, 1.216),
    ("Ce", 3, 1.143, 1.196),
    ("Pr", 3, 1.126, 1.179),
    ("Nd", 3, 1.109, 1.163),
    ("Sm", 3, 1.079, 1.132),
    ("Eu", 3, 1.066, 1.120),
    ("Gd", 3, 1.053, 1.107),
    ("Tb", 3, 1.040, 1.095),
    ("Dy", 3, 1.027, 1.083),
    ("Ho", 3, 1.015, 1.072),
    ("Er", 3, 1.004, 1.062),
    ("Tm", 3, 0.994, 1.052),
    ("Yb", 3, 0.985, 1.042),
    ("Lu", 3, 0.977, 1.032),
)
VACANCY, VOID, HALO, OUTSIDE = 0, 29, 30, 31
N_CODES = 32

SPECIES: dict[str, Species] = {"vacancy": Species("vacancy", VACANCY)}
SPECIES.update({s: Species(s, 1 + n, q, r8, r9) for n, (s, q, r8, r9) in enumerate(_IONS)})
SPECIES["void"] = Species("void", VOID)
SYMBOLS: dict[int, str] = {species.code: symbol for symbol, species in SPECIES.items()}

RE: tuple[str, ...] = tuple(symbol for symbol, charge, _, _ in _IONS if charge == 3)
"""Symbols of all rare-earth ions (yttrium and the lanthanides)."""
IONS: tuple[str, ...] = tuple(symbol for symbol, *_ in _IONS)
"""Symbols of all ions."""


def code(symbol: str, what: str = "species", among: tuple[str, ...] = tuple(SPECIES)) -> int:
    """Code of a species.

    Raises
    ------
    BadInput
        If there is no such species, with the nearest one.
    """
    if symbol not in among:
        raise BadInput(f"{what}: unknown species '{symbol}'{nearest(str(symbol), among)}")
    return SPECIES[symbol].code
