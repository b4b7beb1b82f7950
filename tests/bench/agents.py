"""What agents cost: registration, memory, Mesa's questions, history, and a million sites.

python tests/bench/agents.py
"""

import gc
import platform
import resource
import statistics
import sys
import time
import tracemalloc

from ucnp_abm import Model, Particle, Simulation, mechanism
from ucnp_abm.agents import model as model_module
from ucnp_abm.agents._mesa import mesa
from ucnp_abm.agents.agents import Ion, Vacancy
from ucnp_abm.agents.roster import Roster
from ucnp_abm.study.cells import PAPER_PARTICLE

SIZES = {"10k": ("6.7 nm", "1.65 nm"), "100k": ("18.5 nm", "2 nm"), "1M": ("42.5 nm", "4 nm")}


class Measured(Roster):
    """A roster that says what it cost."""

    def __init__(self, model, register_ions):
        begin, cpu, held = time.perf_counter(), time.process_time(), tracemalloc.get_traced_memory()[0]
        super().__init__(model, register_ions)
        Measured.wall, Measured.cpu = time.perf_counter() - begin, time.process_time() - cpu
        Measured.held = tracemalloc.get_traced_memory()[0] - held


def spent(act):
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def memory(particle):
    """MB that the agents of a model hold."""
    gc.collect()
    tracemalloc.start()
    model = Model(particle, "y-complex", seed=1)
    tracemalloc.stop()
    del model
    return Measured.held / 1e6


def registration(name, particle):
    held = memory(particle)
    wall, cpu = [], []
    for _ in range(7):
        model = Model(particle, "y-complex", seed=1)
        wall.append(Measured.wall)
        cpu.append(Measured.cpu)
    print(
        f"{name}: {len(model.agents)} agents registered in {statistics.median(wall):.3f} s "
        f"(slowest of 7: {max(wall):.3f} s; processor {statistics.median(cpu):.3f} s), {held:.2f} MB, "
        f"{1e6 * held / len(model.agents):.0f} B an agent"
    )
    return model


def questions(name, model):
    """Seconds that each question of a Mesa user takes."""
    model.step()
    agents = model.agents
    asked = {
        "agents.get('site')": lambda: agents.get("site"),
        "agents.select(a.zone == 'surface')": lambda: agents.select(lambda a: a.zone == "surface"),
        "agents.groupby('species').count()": lambda: agents.groupby("species").count(),
        "agents.agg('age', max)": lambda: agents.agg("age", max),
        "agents.shuffle()": lambda: agents.shuffle(),
        "DataCollector, 3 attributes": lambda: mesa.DataCollector(
            agent_reporters={"species": "species", "zone": "zone", "age": "age"}
        ).collect(model),
        "DataCollector, vacancies and kmc_time": lambda: mesa.DataCollector(
            model_reporters={"vacancies": lambda m: len(m.vacancies), "time": "kmc_time"}
        ).collect(model),
        "step()": model.step,
    }
    for what, act in asked.items():
        print(f"{name}, {len(agents)} agents: {what:<40} {1e3 * min(spent(act) for _ in range(3)):8.1f} ms")


def history(particle):
    model = Model(particle, "y-complex", seed=1, history=True)
    gc.collect()
    tracemalloc.start()
    model.run(events=2000)
    held = tracemalloc.get_traced_memory()[0] / 2000
    tracemalloc.stop()
    rate = 2000 / spent(lambda: model.run(events=2000))
    print(f"history: {rate:.0f} events/s, {held / 1e3:.1f} kB for each of the first 2000 events")


def million(particle):
    gc.collect()
    tracemalloc.start()
    model = Model(particle, "y-complex", seed=1)
    held = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    agents = Measured.held / 1e6
    built = spent(lambda: Model(particle, "y-complex", seed=1))
    print(
        f"1M: {model.crystal.n_sites} sites, model in {built:.2f} s, {held:.0f} MB beyond the particle, "
        f"{agents:.0f} of them for agents; {len(model.agents_by_type[Vacancy])} vacancies registered"
    )
    engine = Simulation(particle, mechanism("y-complex"), seed=1)
    engine.run(steps=1)
    print(f"1M: step() {spent(model.step):.2f} s, first fire() {1e3 * spent(model.fire):.1f} ms, ", end="")
    print(f"the next {1e3 * statistics.median(spent(model.fire) for _ in range(50)):.1f} ms each, of which ", end="")
    print(f"Simulation.fire() {1e3 * statistics.median(spent(engine.fire) for _ in range(50)):.1f} ms")
    before = resident()
    taken = spent(lambda: [type(model.agent(slot)) is Ion for slot in range(100_000)])
    print(f"1M: 100 000 ions on access in {taken:.2f} s, +{resident() - before:.0f} MB after they are gone")
    print(f"1M: a cell's neighbourhood {1e6 * spent(lambda: model.space[500_000].neighborhood.cells):.0f} µs")


def resident():
    """MB of this process that lie in memory now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def main():
    model_module.Roster = Measured
    print(f"{platform.platform()}, {platform.machine()}, Python {platform.python_version()}, Mesa {mesa.__version__}")
    registration("first time", PAPER_PARTICLE.build(1))  # which also imports and compiles
    small, large, largest = (
        Particle.core_shell(core="NaGdF4: 49% Yb, 1% Tm", shell="NaYF4", diameter=d, thickness=t, seed=1)
        for d, t in SIZES.values()
    )
    for name, particle in (("10k", small), ("100k", large)):
        questions(name, registration(name, particle))
    model_module.MAX_REGISTERED_IONS = 10**9
    questions("100k, all registered", registration("100k, all registered", large))
    model_module.MAX_REGISTERED_IONS = 50_000
    history(small)
    million(largest)


if __name__ == "__main__":
    sys.exit(main())
