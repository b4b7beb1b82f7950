"""Compare mechanisms on the same crystals at equal steps."""

from ucnp_abm import Protocol, mechanism
from ucnp_abm.study.replicas import PAPER_PARTICLE, anneal
from ucnp_abm.study.statistics import mean

mechanisms = [mechanism("no-complex"), mechanism("y-complex"), mechanism("y-complex", dock_barrier="1.65 eV")]
mechanisms[2].name = "y-complex, docking at the hop rate"
runs = anneal(mechanisms, PAPER_PARTICLE, Protocol.parse("300 °C"), seeds=range(4), marks=(0, 100, 500))

for name, trajectories in runs.items():
    outside = [str(mean([t.at(step, "outside_core_pct") for t in trajectories])) for step in (100, 500)]
    print(f"{name:<36} {outside[0]:>12} % after 100 steps {outside[1]:>12} % after 500")
