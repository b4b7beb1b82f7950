"""Figures of what the model's choices mean: light, phases, surface rules, initial vacancies."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from common import BLUE, INK, ORANGE, heading, looks, rate, sheet
from matplotlib.figure import Figure

from ucnp_abm import CoreShell, Particle, Simulation, mechanism, observables
from ucnp_abm.crystal.crystal import SURFACE
from ucnp_abm.units import BOLTZMANN

PAPER = {"core": "NaGdF4: 49% Yb, 1% Tm", "diameter": "6.7 nm", "shell": "NaYF4", "thickness": "1.65 nm"}
SEEDS, MANY = range(3), range(20)
CROSS_SECTION, PHOTON = 1.22e-20, 1.27 * 1.602176634e-19
"""cm² and J, of ytterbium at 976 nm."""
HOUR = 3600.0


def light() -> Figure:
    """Rates of an exposed vacancy's hop under laser-athermal, and of its way back."""
    particle = Particle.core_shell(core="NaGdF4: 20% Yb", diameter="2.4 nm", shell="NaYF4", thickness="0.8 nm", seed=1)
    truth = "laser-athermal: the engine's rates are the law's, and only exposed hops gain"
    figure, (left, right) = sheet(truth, 2, 2.8)
    watts = np.geomspace(1, 1e4, 9)
    fine = np.geomspace(1, 1e4, 50)
    for celsius, colour, marker in ((25, BLUE, "o"), (300, ORANGE, "s")):
        kelvin = celsius + 273.15
        dark, excess = rate(1.65, kelvin), math.exp(-(1.65 - 1.27) / (BOLTZMANN * kelvin))
        bright = np.array([_hop(particle, kelvin, w, exposed=True) for w in watts])
        buried = np.array([_hop(particle, kelvin, w, exposed=False) for w in watts])
        law = CROSS_SECTION * fine / PHOTON * excess
        at = CROSS_SECTION * watts / PHOTON * excess
        off = np.abs((bright - dark) / at - 1)[4:].max()
        gains = [f"{100 * CROSS_SECTION * w / PHOTON * excess / dark:.3g} %" for w in (4, 1000)]
        print(f"{celsius} °C: dark {dark:.3g} /s; gain at 4 W/cm² {gains[0]}, at 1 kW/cm² {gains[1]}")
        print(f"  engine / law - 1 at most {100 * off:.2f} % (the plugin rounds sigma / h nu to 0.06)")
        assert np.allclose(buried, dark, rtol=1e-12)
        text = f"{celsius} °C"
        left.plot(fine, law / dark, color=colour, lw=1)
        left.plot(watts, bright / dark - 1, ls="", marker=marker, color=colour)
        left.text(1.3, law[0] / dark * 6, text, color=colour, va="bottom")
        right.plot(fine, dark + law, color=colour, lw=1)
        right.plot(watts, bright, ls="", marker=marker, color=colour, label=f"{text}, exposed")
        right.plot(watts, buried, ls="", marker=marker, mfc="white", mec=colour, label=f"{text}, buried")
    left.plot([], [], color=INK, lw=1, label="law: (σI/hν) / ν exp(E_R / kT)")
    left.plot([], [], ls="", marker="o", color=INK, label="engine")
    left.set(xscale="log", yscale="log", xlabel="intensity / (W/cm²)", ylabel="gain of an exposed hop, k / k(dark) - 1")
    left.set(ylim=(1e-4, 1e17))
    left.legend(loc="upper right")
    heading(left, "relative to the dark: huge when cold …")
    right.axhline(1 / HOUR, color=INK, lw=0.6, ls=(0, (1, 2)))
    right.text(1, 1.6 / HOUR, "one hop an hour", va="bottom")
    right.set(
        xscale="log", yscale="log", xlabel="intensity / (W/cm²)", ylabel="rate of one hop / s⁻¹", ylim=(1e-19, 1e2)
    )
    right.legend(loc="center right", ncols=2, bbox_to_anchor=(1.0, 0.36))
    heading(right, "… but when cold still less than a hop an hour")
    return figure


def _hop(particle: Particle, kelvin: float, watts: float, *, exposed: bool) -> float:
    """Rate / s⁻¹ that the engine gives a hop of the first vacancy of a kind."""
    driven = mechanism("no-complex+laser-athermal", intensity=f"{watts} W/cm²")
    simulation = Simulation(particle, driven, kelvin)
    zone = simulation.crystal.zones.index(SURFACE)
    vacant = simulation.crystal.number[simulation.state.vacancies[: simulation.state.n_vacancies]]
    of = [int(n) for n in vacant if (simulation.crystal.site_zone[n] == zone) == exposed]
    return simulation.options(of[0])[0].rate


def phases() -> Figure:
    """Share of core ions outside the core after an hour, cubic and hexagonal, against temperature."""
    figure, axes = sheet("The cubic phase mixes at 200 °C, the hexagonal one does not", 1, 2.8)
    ends = {"alpha": 275, "beta": 350}
    names = {"alpha": "cubic (α), 1.40 eV, z = 12", "beta": "hexagonal (β), 1.65 eV, z = 8"}
    for (lattice, last), look in zip(ends.items(), (ORANGE, BLUE), strict=True):
        celsius = np.arange(100, last + 1, 25)
        share = np.empty((len(SEEDS), celsius.size))
        for seed in SEEDS:
            particle = CoreShell(**PAPER, lattice=lattice).build(seed)
            for k, t in enumerate(celsius):
                simulation = Simulation(particle, mechanism("no-complex"), t + 273.15, seed=seed)
                simulation.run_to(time=HOUR)
                share[seed, k] = observables.read(simulation, ["outside_core_pct"])["outside_core_pct"]
        core = (particle.crystal.layer == 0).mean()
        print(f"{lattice}: {dict(zip(celsius.tolist(), share.mean(axis=0).round(1).tolist(), strict=True))}, "
              f"complete mixing {100 * (1 - core):.1f} %")  # fmt: skip
        marker = "^" if lattice == "alpha" else "s"
        axes.fill_between(celsius, share.min(axis=0), share.max(axis=0), color=look, alpha=0.25, lw=0)
        axes.plot(celsius, share.mean(axis=0), color=look, marker=marker, label=names[lattice], clip_on=False)
    axes.axhline(100 * (1 - core), color=INK, lw=0.6, ls=(0, (1, 2)))
    axes.text(100, 100 * (1 - core) + 1, "complete mixing")
    axes.set(xlabel="temperature / °C, 1 h without complex", ylabel="core ions outside the core / %")
    axes.set(xlim=(95, 355), ylim=(0, 76))
    axes.legend(loc="center left", bbox_to_anchor=(0.0, 0.7))
    heading(axes, f"the paper's particle, mean and range of {len(SEEDS)} seeds; the barriers are assumptions")
    return figure


def surface() -> Figure:
    """What a bare surface may do with vacancies, beside docking."""
    truth = "What the surface does decides: a sink purifies as docking does"
    figure, (left, right) = sheet(truth, 2, 2.8)
    kinds = {
        "no-complex, reflecting": mechanism("no-complex"),
        "y-complex": mechanism("y-complex"),
        "no-complex, sink": mechanism("no-complex", surface="sink"),
        "no-complex, etch": mechanism("no-complex", surface="etch"),
    }
    marks = np.arange(0, 1001, 50)
    styles = looks(["no-complex", "y-complex", "sink", "etch"])
    for (label, kind), look in zip(kinds.items(), styles, strict=True):
        seen = np.array([_course(kind, seed, marks) for seed in MANY])
        for axes, values in ((left, seen[:, :, 0]), (right, seen[:, :, 1])):
            axes.fill_between(marks, values.min(axis=0), values.max(axis=0), color=look["color"], alpha=0.2, lw=0)
            axes.plot(marks, values.mean(axis=0), label=label, markevery=4, clip_on=False, **look)
        found = seen.mean(axis=0)[[2, 10, 20]]
        print(f"{label}: vacancies {found[:, 0].round(1).tolist()}, outside {found[:, 1].round(1).tolist()} %")
    left.set(xlabel="steps (mean hops of a bulk vacancy)", ylabel="vacancies", xlim=(0, 1000), ylim=(0, None))
    right.set(xlabel="steps (mean hops of a bulk vacancy)", ylabel="core ions outside the core / %", xlim=(0, 1000))
    right.set_ylim(0, None)
    left.legend(loc="center right", bbox_to_anchor=(1.0, 0.32), handlelength=3.5)
    heading(left, f"300 °C, mean and range of {len(MANY)} particles")
    heading(right, "reflecting: conserved; etch: exposed ions leave")
    return figure


def _course(kind: Any, seed: int, marks: np.ndarray) -> list[tuple[float, float]]:
    """Vacancies and share outside the core / % at each mark."""
    simulation = Simulation(CoreShell(**PAPER).build(seed), kind, "300 °C", seed=seed)
    found = []
    for mark in marks:
        simulation.run_to(steps=float(mark))
        now = observables.read(simulation, ["vacancies", "outside_core_pct"])
        found.append((now["vacancies"], now["outside_core_pct"]))
    return found


def residual() -> Figure:
    """Residual mixing under docking against the initial vacancy content."""
    figure, (left, right) = sheet(
        "Residual mixing grows with the vacancies at the start, less than in proportion", 2, 2.7
    )
    shares = (0.03, 0.06, 0.10, 0.15, 0.22, 0.30)
    content, mixed = np.empty((2, len(shares), len(MANY)))
    for k, share in enumerate(shares):
        for seed in MANY:
            recipe = CoreShell(
                **PAPER, surface_vacancies=share, interface_vacancies=share, bulk_vacancies=share * 2 / 15
            )
            particle = recipe.build(seed)
            simulation = Simulation(particle, mechanism("y-complex"), "300 °C", seed=seed)
            simulation.run_to(steps=1000)
            content[k, seed] = 100 * particle.counts["vacancy"] / particle.crystal.n_sites
            mixed[k, seed] = observables.read(simulation, ["outside_core_pct"])["outside_core_pct"]
        print(f"{content[k].mean():.2f} % vacancies: {mixed[k].mean():.2f} ± {mixed[k].std(ddof=1):.2f} % outside")
    (slope, intercept), covariance = np.polyfit(np.log(content.ravel()), np.log(mixed.ravel()), 1, cov=True)
    print(f"power {slope:.3f} ± {math.sqrt(covariance[0, 0]):.3f}")
    fine = np.linspace(0.2, 1.08 * content.max(), 100)
    for axes in (left, right):
        axes.plot(fine, np.exp(intercept) * fine**slope, color=INK, lw=0.9, label=f"fit: c to the power {slope:.2f}")
        axes.plot(
            content.ravel(),
            mixed.ravel(),
            ls="",
            marker="s",
            ms=2,
            mew=0,
            color=BLUE,
            label="y-complex, one mark a particle",
        )
        axes.set(xlabel="vacancies at the start, c / % of all sites")
    default = content[shares.index(0.15)].mean()
    left.plot([default] * 2, [0, 9.5], color=INK, lw=0.6, ls=(0, (1, 2)))
    left.text(default + 0.15, 0.6, "default", va="bottom")
    left.set(ylabel="core ions outside the core / %", xlim=(0, fine[-1]), ylim=(0, 20))
    left.legend(loc="upper left")
    heading(left, "after 1000 steps; same share at surface and interface")
    right.plot(fine, mixed[0].mean() * fine / content[0].mean(), color=ORANGE, lw=0.9, ls="--", label="in proportion")
    right.set(xscale="log", yscale="log", xlim=(1, 16), ylim=(2, 40))
    right.set_xticks((1, 2, 5, 10), (1, 2, 5, 10))
    right.set_yticks((2, 5, 10, 20, 40), (2, 5, 10, 20, 40))
    right.minorticks_off()
    right.legend(loc="upper left")
    heading(right, "the same on logarithmic axes")
    return figure
