"""Compare mechanisms on the same crystals at equal steps."""

from ucnp_abm import compare, mechanism

result = compare(
    {
        "no complex": "no-complex",
        "Y-oleate": "y-complex",
        "Y-oleate, docking at the hop rate": mechanism("y-complex", dock_barrier="1.65 eV"),
        "Y-oleate under a warming laser": "y-complex+laser-thermal",
    },
    replicates=4,
    marks=(100, 500),
)
print(result.table())  # mean, 95 % interval, paired differences from the first

less = result.difference("Y-oleate, docking at the hop rate", "outside_core_pct", 100)
print(f"\nAfter 100 steps slow docking still keeps {-less.value:.1f} points of the core's ions inside.")
# result.report("out") writes one HTML page, figures and CSV files.
