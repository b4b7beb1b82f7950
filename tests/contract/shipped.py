"""The mechanisms and drives that ship, and their variants."""

from ucnp_abm import mechanism
from ucnp_abm.registry import installed

installed().load_all()
NAMES = sorted(installed().mechanisms)
DRIVES = sorted(installed().drives)


def fits(name, drive):
    """Whether a drive has something to act on in a mechanism."""
    return set(installed().drives[drive].factors) <= {rule.verb for rule in mechanism(name).site_rules}


def variants():
    """Every mechanism with every word of its choices, reversible where it can be, and with every drive it takes."""
    for name in NAMES:
        kind = mechanism(name)
        yield name, {}
        for parameter in kind.parameters.values():
            yield from ((name, {parameter.name: word}) for word in parameter.choices if word != parameter.default)
            if parameter.kind == "energy" and parameter.default is None:
                yield name, {parameter.name: "0.1 eV"}
            if parameter.kind == "count" and parameter.default is None:
                yield name, {parameter.name: 20}
        for drive in DRIVES:
            if fits(name, drive):
                yield f"{name}+{drive}", {}
    yield "y-complex+laser-thermal+laser-strip", {"rise": "50 K"}
