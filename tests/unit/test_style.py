"""Looks of mechanisms: each tells itself apart in colour, line or marker."""

from ucnp_abm.viz.style import MECHANISM_STYLES, mechanism_style


def looks(names):
    taken = []
    for name in names:
        taken.append(mechanism_style(name, taken))
    return taken


def test_shipped_mechanisms_keep_their_looks_in_any_order():
    for names in (list(MECHANISM_STYLES), ["a", "b", *reversed(MECHANISM_STYLES)]):
        assert [look for name, look in zip(names, looks(names), strict=True) if name in MECHANISM_STYLES] == [
            MECHANISM_STYLES[name] for name in names if name in MECHANISM_STYLES
        ]


def test_laser_look_is_for_what_a_laser_drives():
    assert mechanism_style("y-complex+laser-thermal") == MECHANISM_STYLES["laser"]
    assert mechanism_style("no-complex+laser-strip") == {"color": "#7A1F5C", "linestyle": ":", "marker": "D"}
    assert mechanism_style("my-laser") != MECHANISM_STYLES["laser"]


def test_hundred_mechanisms_look_different():
    names = [*MECHANISM_STYLES, *(f"y-complex+laser-{n}" for n in range(20)), *(f"m{n}" for n in range(100))]
    seen = looks(names)
    assert len({(look["color"], look["linestyle"], look["marker"]) for look in seen}) == len(names)


def test_first_others_differ_in_colour_and_in_line_and_in_marker():
    seen = looks([*MECHANISM_STYLES, "a", "b", "c", "d"])
    for part in ("color", "linestyle", "marker"):
        assert len({look[part] for look in seen}) == 8


def test_same_order_gives_the_same_looks():
    assert looks(["x", "y", "y-complex"]) == looks(["q", "r", "y-complex"])


def test_when_all_looks_are_taken_there_still_is_one():
    taken = looks([f"m{n}" for n in range(140)])
    assert mechanism_style("one more", taken) in taken
