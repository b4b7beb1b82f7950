"""Light as text, plain data and CSV files. Every number is named with its unit; what is not defined says why."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from typing import Any

import ucnp_abm
from ucnp_abm.photons.network import CHANNELS
from ucnp_abm.photons.optics import Optics
from ucnp_abm.photons.spectrum import BANDS, LINES
from ucnp_abm.study.report.tables import Table, aligned
from ucnp_abm.study.shine.moments import DRIVES, Moment, Value, gain

_RATES = {
    "k_eff_per_s": ("quench events per excitation and second, k_eff", "1/s"),
    "k_mean_per_s": ("the same if migration mixed perfectly, <k_q>", "1/s"),
    "lifetime_yb_ms": ("an excitation lives, on average", "ms"),
    "qy_all": ("upconverted photons for each absorbed, all", ""),
    "qy_without_800": ("the same without 800 nm", ""),
}
_KINDS = {"1_e": "1/e", "integral": "integral"}


def conditions(optics: Optics) -> list[tuple[str, str]]:
    """What all numbers rest on: rate set, pump, solvent, bands, lifetimes."""
    rates, options = optics.set, optics.describe()
    named = "as given" if optics.surface_density is not None else optics.solvent
    solvent = f"{named}: surface quenchers, {optics.density * 100:.4g} per nm²"
    defaults = Optics().describe()
    others = [f"{name} = {value}" for name, value in options.items()
              if name not in ("rates", "rates_sha256", "pump", "solvent", "surface_density") and value != defaults[name]
              ]  # fmt: skip
    ends = {name: f"{low:g}-{high:g} nm" for name, (low, high) in BANDS.items()}
    return [
        ("rate set", f"{rates.name} ({rates.fingerprint[:12]})"),
        ("pump", f"{optics.intensity:.4g} W/cm² at 980 nm, {rates.pump(optics.intensity):.3g} /s for each Yb"),
        ("solvent", solvent),
        *([("besides", ", ".join(others))] if others else []),
        ("bands", f"all: {ends['all']}; without 800 nm: {ends['without-800']}; Yb's own light counts in neither"),
        ("lifetimes", "1/e: from the peak until 1/e of it is left; integral: after the peak, divided by the peak"),
        ("", "pulse: after a short, weak pulse; CW-off: after the steady pump is switched off"),
    ]


def words(seen: Moment) -> dict[str, str]:
    """What the channels are called, by name; beside Yb, Er 4I11/2 holds energy that it may give back."""
    carriers = "Yb" if seen.lacks("Er") else "Yb and Er 4I11/2"
    said = (f"radiated by {carriers}", f"lost in {carriers} alone", "dies at vacancies", "dies at the surface")
    return dict(zip(CHANNELS, (*said, "taken by activators for good"), strict=True))


def text(source: str, moments: Sequence[Moment], chosen: Moment, slopes: bool = False) -> str:
    """All that a terminal shows: warnings first.

    Parameters
    ----------
    source : str
        What was looked at.
    moments : sequence of Moment
        From the beginning.
    chosen : Moment
        The one that is told in full.
    slopes : bool
    """
    first, many = moments[0], len(chosen.stills)
    held = ", ".join(f"{n:.6g} {name}" for name, n in chosen.counts.items())
    what = f", mean of {many} crystals" if many > 1 else ""
    parts = [f"{source}, {chosen.label}{f' ({chosen.time_s:.4g} s)' if chosen.steps else ''}{what}: {held}"]
    parts += [f"warning: {sentence}" for sentence in chosen.warnings]
    width = max(len(name) for name, _ in conditions(chosen.light.optics))
    parts.append("\n".join(f"{name.ljust(width)}  {said}" for name, said in conditions(chosen.light.optics)))
    dark = chosen.lacks("Yb")
    parts.append(f"absorbed energy: none, {dark}" if dark else aligned(_energy(first, chosen)))
    parts += [_lines(first, chosen, slopes)]
    if len(moments) > 2:
        parts.append(aligned(_course(moments)))
    return "\n\n".join(parts)


def _energy(first: Moment, chosen: Moment) -> Table:
    before, after = first.energy(), chosen.energy()
    alone = first is chosen
    table = [["where absorbed energy goes", "unit", *([] if alone else [first.label]), chosen.label]]
    table[0] += [] if alone else [f"x {first.label}"]
    shares = {f"share_{name}": (said, "%") for name, said in words(chosen).items()}
    quantities = {"absorbed_per_s": ("absorbed", "photons/s"), **shares, **_RATES}
    for key, (what, unit) in quantities.items():
        factor = 100.0 if unit == "%" else 1.0
        row = [what, unit, *([] if alone else [_shown(before[key], factor)]), _shown(after[key], factor)]
        times = gain(after[key], before[key])
        table.append(row if alone else [*row, "" if isinstance(after[key], str) else _shown(times)])
    return table


def _lines(first: Moment, chosen: Moment, slopes: bool) -> str:
    lines = chosen.lines(slopes)
    if chosen.lacks("Yb") or not lines:
        return f"upconverted light: none, {chosen.lacks('Yb') or chosen.lacks('Tm', 'Er')}"
    both, alone = [(drive, kind) for drive in DRIVES for kind in _KINDS], first is chosen
    heads = [f"{DRIVES[drive].replace('cw', 'CW')} {_KINDS[kind]} / ms" for drive, kind in both]
    table = [["line", "photons/s", *([] if alone else [f"x {first.label}"]), *heads, *(["slope"] * slopes)]]
    for name, found in lines.items():
        row = [f"{name} nm  {LINES[name].ion} {LINES[name].transition}", _shown(found["per_s"])]
        row += [] if alone else [_shown(gain(found["per_s"], first.line(name)["per_s"]))]
        row += [_shown(found[f"{drive}_{kind}_ms"]) for drive, kind in both]
        table.append([*row, *([_shown(found["slope"])] if slopes else [])])
    told = aligned(table)
    for name in ("Tm", "Er"):
        if chosen.lacks(name) and name == "Tm":
            told += f"\n450 nm: none, {chosen.lacks(name)}"
    return told


def _course(moments: Sequence[Moment]) -> Table:
    main, begin = moments[-1].main, moments[0].course()
    x = f"x {moments[0].label}"
    head = ["steps", "t / s", f"{main} nm / (photons/s)", x, "photons out per photon in", x, "k_eff / (1/s)"]
    table = [[*head, f"{main} nm pulse 1/e / ms"]]
    for each in moments:
        shown, told = [f"{each.steps:.6g}", _time(each.time_s)], each.course()
        for key, value in told.items():
            shown.append(_shown(value))
            if key.startswith(("i_", "qy")):
                shown.append(_shown(gain(value, begin.get(key, "another line at the first moment"))))
        table.append(shown)
    return table


def rows(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    """The time course with its gains, one row for each moment; None where a number is not defined, with `why`."""
    begin, found = moments[0].course(), []
    for each in moments:
        told = each.course()
        told |= {f"{key.removesuffix('_per_s')}_gain": gain(value, begin.get(key, "another line at the first moment"))
                 for key, value in told.items() if key.startswith(("i_", "qy"))}  # fmt: skip
        row: dict[str, Any] = {"steps": each.steps, "t_s": each.time_s if each.time_s == each.time_s else None}
        row |= {key: None if isinstance(value, str) else value for key, value in told.items()}
        why = dict.fromkeys(value for value in told.values() if isinstance(value, str))
        found.append(row | {"why": "; ".join(why)})
    keys = dict.fromkeys(key for row in found for key in row if key != "why")
    return [{key: row.get(key) for key in (*keys, "why")} for row in found]


def data(
    source: str,
    moments: Sequence[Moment],
    chosen: Moment,
    slopes: bool = False,
    origin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All numbers as plain data, with what they rest on. A number that is not defined is None, and `why` says why.

    Parameters
    ----------
    source, moments, chosen, slopes
        As for `text`.
    origin : mapping or None
        Where the crystals come from.
    """
    optics = chosen.light.optics
    why: dict[str, str] = {}

    def plain(values: dict[str, Value], under: str = "") -> dict[str, Any]:
        why.update({under + key: value for key, value in values.items() if isinstance(value, str)})
        return {key: None if isinstance(value, str) else value for key, value in values.items()}

    here = {"steps": chosen.steps, "t_s": chosen.time_s if chosen.time_s == chosen.time_s else None}
    lines = {name: plain(found, f"lines.{name}.") for name, found in chosen.lines(slopes).items()}
    if not lines:
        why["lines"] = chosen.lacks("Tm", "Er")
    return {
        "source": source,
        "origin": dict(origin or {}),
        "crystals": len(chosen.stills),
        "warnings": list(chosen.warnings),
        "optics": optics.describe()
        | {"intensity_W_per_cm2": optics.intensity, "surface_quenchers_per_nm2": optics.density * 100},
        "definitions": {
            "intensities": "photons per second and crystal",
            "qy": "upconverted photons in the band for each photon absorbed",
            "bands_nm": {name: list(BANDS[name]) for name in ("all", "without-800")},
            "1_e_ms": "from the peak until 1/e of it is left",
            "integral_ms": "integral after the peak, divided by the peak",
            "pulse": "after a short, weak pulse",
            "cw_off": "after the steady pump is switched off",
            "slope": "d ln I / d ln P at this pump",
            "gain": "times that of the first moment",
        },
        "rate_set": {"source": optics.set.source, "notes": list(optics.set.notes)},
        "course": rows(moments),
        "state": here | {"ions": chosen.counts} | plain(chosen.energy()) | {"lines": lines},
        "why": why,
        "versions": {"ucnp-abm": ucnp_abm.__version__, "python": platform.python_version()},
    }


def spectrum(moments: Sequence[Moment]) -> list[dict[str, Any]]:
    """One row for each transition: photons per second and crystal at each of the moments."""
    found: dict[tuple[str, str, str, float], dict[str, Any]] = {}
    for each in moments:
        for ion, upper, lower, wavelength, photons in each.transitions():
            row = {"wavelength_nm": round(wavelength, 2), "ion": ion, "upper": upper, "lower": lower}
            column = f"{each.label.replace(' ', '_')}_per_s"
            found.setdefault((ion, upper, lower, wavelength), row)[column] = photons
    columns = dict.fromkeys(key for row in found.values() for key in row)
    return [{column: row.get(column) for column in columns} for row in found.values()]


def decays(chosen: Moment) -> list[dict[str, Any]]:
    """Curves of all lines that shine after both drives, photons per second and crystal over time / s."""
    shining = [name for name, found in chosen.lines().items() if not isinstance(found["per_s"], str) and found["per_s"]]
    curves: dict[str, Any] = {}
    for drive, asked in DRIVES.items():
        for name in shining:
            times, photons = chosen.light.curve(name, asked)
            curves["t_s"] = times.tolist()
            curves[f"{drive}_{name}_per_s"] = photons.tolist()
    return [dict(zip(curves, row, strict=True)) for row in zip(*curves.values(), strict=True)] if curves else []


def _shown(value: Value, factor: float = 1.0) -> str:
    """Four digits, without an exponent up to 1e6; a reason as it is."""
    if isinstance(value, str):
        return value
    number = value * factor
    return f"{number:.0f}" if 1e4 <= abs(number) < 1e6 else f"{number:.4g}"


def _time(seconds: float) -> str:
    return f"{seconds:.4g}" if seconds == seconds else "not recorded"
