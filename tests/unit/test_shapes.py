import math

import numpy as np
import pytest
import scipy.optimize

from ucnp_abm import CoreShell, Particle
from ucnp_abm.crystal import growth, lattice
from ucnp_abm.crystal.shapes import TOLERANCE, Ellipsoid
from ucnp_abm.errors import BadInput

GROWN = {"core": "NaGdF4: 49% Yb", "diameter": "4 nm", "shell": "NaYF4", "thickness": "1.5 nm"}
BALL = Ellipsoid((1.0, -2.0, 3.0), (20.0, 20.0, 20.0))
EGG = Ellipsoid((1.0, -2.0, 3.0), (20.0, 15.0, 30.0))


def sites_in(particle, name):
    room = particle.crystal
    return room.points[room.layer == room.layers.index(name)]


# --- ellipsoids ---


def test_distance_to_a_sphere_is_exact():
    points = np.random.default_rng(1).normal(scale=20, size=(200, 3))
    assert BALL.distance(points) == pytest.approx(np.linalg.norm(points - [1, -2, 3], axis=1) - 20, abs=1e-12)
    assert BALL.distance(np.array([[1.0, -2.0, 3.0]]))[0] == -20


def test_an_ellipsoid_holds_the_points_that_its_equation_says():
    points = np.random.default_rng(2).uniform(-40, 40, size=(20_000, 3))
    x = points - [1, -2, 3]
    inside = (x[:, 0] / 20) ** 2 + (x[:, 1] / 15) ** 2 + (x[:, 2] / 30) ** 2 <= 1
    assert (EGG.inside(points) == inside).all()
    assert inside.mean() == pytest.approx(4 / 3 * math.pi * 20 * 15 * 30 / 80**3, abs=0.01)


def test_a_point_on_the_boundary_is_inside_and_one_beyond_rounding_is_not():
    for shape in (BALL, EGG):
        end = np.array(shape.centre) + np.array([0, 0, shape.semiaxes[2]])
        beyond = np.array([[0, 0, 0], [0, 0, 0.5 * TOLERANCE], [0, 0, 3 * TOLERANCE], [0, 0, -1]])
        assert shape.inside(end + beyond).tolist() == [True, True, False, True]


def test_distance_to_an_ellipsoid_is_right_to_first_order():
    """Against the true nearest point: the error falls with the square of the distance."""

    def nearest(point):
        def gap(angles):
            u = [math.sin(angles[0]) * math.cos(angles[1]), math.sin(angles[0]) * math.sin(angles[1])]
            return np.linalg.norm(np.array(EGG.semiaxes) * [*u, math.cos(angles[0])] - point)

        start = point / np.linalg.norm(point)
        found = scipy.optimize.minimize(
            gap,
            [math.acos(start[2]), math.atan2(start[1], start[0])],
            method="Nelder-Mead",
            options={"xatol": 1e-9, "fatol": 1e-11},
        )
        return found.fun

    rng = np.random.default_rng(3)
    for u in rng.normal(size=(6, 3)):
        on = np.array(EGG.semiaxes) * u / np.linalg.norm(u)
        normal = on / np.array(EGG.semiaxes) ** 2
        normal /= np.linalg.norm(normal)
        for h in (2.0, 0.2, -0.2, -2.0):
            point = on + h * normal
            assert nearest(point) == pytest.approx(abs(h), rel=1e-3)  # the normal foot is the nearest point
            found = EGG.distance((point + EGG.centre)[None])[0]
            assert abs(found - h) < 0.06 * h * h  # 1 / (smallest radius of curvature) = 30 / 15² at most, halved


def test_distance_is_defined_at_the_very_centre():
    assert EGG.distance(np.array([EGG.centre]))[0] == -15


def test_gap_between_spheres_is_the_thin_side():
    outer = Ellipsoid((0, 0, 0), (30.0, 30.0, 30.0))
    assert outer.gap(Ellipsoid((3.0, 0, 4.0), (20.0, 20.0, 20.0))) == pytest.approx(5)
    assert outer.gap(Ellipsoid((9.0, 0, 12.0), (20.0, 20.0, 20.0))) == pytest.approx(-5)


def test_gap_between_ellipsoids_is_found_in_any_direction():
    """Two confocal shapes of one axis ratio, moved in a skew direction until they touch."""
    inner, outer = np.array([10.0, 10.0, 20.0]), np.array([20.0, 20.0, 40.0])
    u = np.array([1.0, -2.0, 0.5]) / math.sqrt(5.25)
    touching = u * (outer - inner)  # scaled to spheres of radii 10 and 20, they touch when the centres are 10 apart
    for far, pokes in ((0.97, False), (1.03, True)):
        gap = Ellipsoid((0, 0, 0), tuple(outer)).gap(Ellipsoid(tuple(far * touching), tuple(inner)))
        assert (gap < 0) == pokes
        assert abs(gap) < 1


# --- crystals ---


def test_layers_are_what_each_boundary_holds_and_the_next_inner_does_not():
    boundaries = (
        Ellipsoid((3.0, -2.0, 5.0), (12.0, 12.0, 18.0)),
        Ellipsoid((1.0, 0.0, 2.0), (22.0, 22.0, 30.0)),
        Ellipsoid((0.0, 0.0, 0.0), (30.0, 30.0, 40.0)),
    )
    room = growth.layered(lattice.named("beta"), boundaries, ("core", "inner", "outer"), 2.5)
    held = np.array([b.inside(room.points) for b in boundaries])
    assert held[2].all()
    assert (room.layer == np.where(held[0], 0, np.where(held[1], 1, 2))).all()
    near = np.any([np.abs(b.distance(room.points)) <= 2.5 for b in boundaries[:2]], axis=0)
    zones = np.array(room.zones)[room.site_zone]
    assert ((zones == "interface") == near & (zones != "surface")).all()
    assert room.boundaries == boundaries


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (7.3, -11.1, 4.4)])
def test_a_crystal_holds_every_site_inside_its_outer_boundary(centre):
    """Sites counted by brute force over a block of cells that is large enough."""
    kind = lattice.named("beta")
    outer = Ellipsoid(centre, (11.0, 17.0, 23.0))
    room = growth.layered(kind, (outer,), ("core",), 1.0)
    steps = np.stack(np.meshgrid(*[np.arange(-15, 16)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    block = ((steps[:, None] + np.array(kind.basis)) @ np.array(kind.cell)).reshape(-1, 3)
    wanted = block[outer.inside(block)]
    assert len(wanted) == room.n_sites
    order = [np.lexsort(p.round(3).T) for p in (wanted, room.points)]
    assert wanted[order[0]] == pytest.approx(room.points[order[1]], abs=1e-9)


def test_an_eccentric_core_sits_where_it_was_put():
    particle = Particle.core_shell(**GROWN, offset=("0.8 nm", 0, "-0.5 nm"), seed=1)
    core = sites_in(particle, "core")
    assert core.mean(axis=0) == pytest.approx([8, 0, -5], abs=0.5)
    assert np.linalg.norm(core - [8, 0, -5], axis=1).max() <= 20 + 1e-5
    whole = particle.crystal.points
    assert whole.mean(axis=0) == pytest.approx(0, abs=0.5)
    centred = Particle.core_shell(**GROWN, seed=1)
    assert (whole == centred.crystal.points).all()
    assert len(core) == pytest.approx(len(sites_in(centred, "core")), rel=0.03)


def test_a_core_may_touch_its_shell_from_inside_but_not_poke_out():
    touching = Particle.core_shell(**GROWN, offset=(0, 0, "1.5 nm"), seed=1)
    assert touching.crystal.n_sites == Particle.core_shell(**GROWN, seed=1).crystal.n_sites
    with pytest.raises(BadInput, match=r"core pokes 0\.1 Å out of the shell"):
        Particle.core_shell(**GROWN, offset=(0, 0, "1.51 nm"))


def test_all_shells_stay_centred_when_the_core_does_not():
    shells = (("NaGdF4: 59% Yb", "1 nm"), ("NaYF4", "1 nm"))
    layers = CoreShell("NaGdF4", "4 nm", shells=shells, offset=(5.0, 0.0, 0.0)).layers()
    assert [layer.boundary.centre for layer in layers] == [(5.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)]


def test_an_elongated_core_and_an_anisotropic_shell_have_their_half_axes():
    layers = CoreShell(**GROWN, elongation=1.5, anisotropy=0.4).layers()
    assert [layer.boundary.semiaxes for layer in layers] == [(20.0, 20.0, 30.0), (35.0, 35.0, 36.0)]
    particle = Particle.core_shell(**GROWN, elongation=1.5, anisotropy=0.4, seed=1)
    core, whole = sites_in(particle, "core"), particle.crystal.points
    assert np.ptp(core[:, 2]) == pytest.approx(60, abs=4)
    assert np.ptp(core[:, 0]) == pytest.approx(40, abs=6)  # columns are 5 Å apart
    assert np.ptp(whole[:, 2]) == pytest.approx(72, abs=4)
    per_volume = 2 / abs(np.linalg.det(np.array(particle.crystal.lattice.cell)))
    assert len(core) == pytest.approx(4 / 3 * math.pi * 20 * 20 * 30 * per_volume, rel=0.03)
    assert len(whole) == pytest.approx(4 / 3 * math.pi * 35 * 35 * 36 * per_volume, rel=0.03)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"anisotropy": 0.25}, "3.75 Å along c is thinner than a lattice spacing"),
        ({"thickness": "0.3 nm", "anisotropy": 4.0}, "3 Å is thinner than a lattice spacing"),
        ({"diameter": "1 nm", "elongation": 0.5}, "smaller than one coordination shell"),
        ({"elongation": 0.1}, "elongation: expected a ratio from 0.2 to 5"),
        ({"elongation": 5.1}, "elongation: expected a ratio from 0.2 to 5"),
        ({"elongation": math.nan}, "elongation: expected a ratio"),
        ({"anisotropy": "2"}, "anisotropy: expected a ratio"),
        ({"anisotropy": True}, "anisotropy: expected a ratio"),
        ({"offset": "1 nm"}, "three lengths"),
        ({"offset": (0, 0)}, "three lengths"),
        ({"offset": (0, 0, "1 eV")}, "expected a length"),
        ({"offset": (0, 0, math.inf)}, "finite"),
        ({"offset": ("3 nm", 0, 0)}, "pokes 15 Å out of the shell"),
        ({"offset": (0, "1.2 nm", "0.6 nm"), "elongation": 1.2, "anisotropy": 0.5}, "pokes"),  # askew only
        ({"shell": None, "thickness": None, "offset": (1, 0, 0)}, "this core has none"),
        ({"shell": None, "thickness": None, "anisotropy": 2.0}, "this core has none"),
    ],
)
def test_a_shape_that_cannot_be_grown_is_one_clear_sentence(change, says):
    with pytest.raises(BadInput, match=says):
        Particle.core_shell(**{**GROWN, **change})


@pytest.mark.parametrize(
    ("centre", "semiaxes", "says"),
    [
        ((0, 0, 0), (1, 0, 1), "semiaxes: expected three numbers / Å above zero"),
        ((0, 0, 0), (1, math.inf, 1), "semiaxes: expected"),
        ((0, 0, 0), (1, True, 1), "semiaxes: expected"),
        ((0, 0), (1, 1, 1), "centre: expected three numbers"),
        ((0, 0, math.nan), (1, 1, 1), "centre: expected"),
        ("abc", (1, 1, 1), "centre: expected"),
        (3, (1, 1, 1), "centre: expected"),
    ],
)
def test_an_ellipsoid_that_is_none_is_refused(centre, semiaxes, says):
    with pytest.raises(BadInput, match=says):
        Ellipsoid(centre, semiaxes)


def test_a_core_without_shell_may_be_elongated():
    particle = Particle.core_shell(core="NaGdF4", diameter="3 nm", elongation=2.0, seed=1)
    assert np.ptp(particle.crystal.points[:, 2]) == pytest.approx(60, abs=4)


def test_figures_draw_each_inner_boundary_around_its_own_centre():
    from ucnp_abm.viz.figures import Slab, slab_panels

    particle = Particle.core_shell(**GROWN, offset=("0.8 nm", "0.6 nm", "-0.5 nm"), elongation=0.8, seed=1)
    figure = slab_panels(particle.crystal, {"none": [Slab("as grown", "", particle.occupants)]})
    (axes,) = figure.axes
    (line,) = [line for line in axes.lines if len(line.get_xdata()) > 2]
    x, z = np.array(line.get_data())
    cut = math.sqrt(1 - (0.6 / 2.0) ** 2)
    assert (x.min(), x.max()) == pytest.approx((0.8 - 2 * cut, 0.8 + 2 * cut), abs=1e-3)
    assert (z.min(), z.max()) == pytest.approx((-0.5 - 1.6 * cut, -0.5 + 1.6 * cut), abs=1e-3)
    assert axes.get_xlim()[1] == pytest.approx(1.06 * 3.5)


@pytest.mark.parametrize("semiaxes", [(30.0, 30.0, 30.0), (20.0, 20.0, 60.0), (40.0, 25.0, 10.0)])
def test_depth_is_the_distance_to_the_nearest_point_of_the_boundary(semiaxes):
    """Against 400 000 points of the boundary, which are at most some 0.3 Å apart."""
    boundary = Ellipsoid((1.0, -2.0, 3.0), semiaxes)
    draw = np.random.default_rng(4)
    directions = draw.normal(size=(400_000, 3))
    ends = np.array(boundary.centre) + directions / np.linalg.norm(directions, axis=1)[:, None] * np.array(semiaxes)
    inside = np.array(boundary.centre) + draw.uniform(-0.55, 0.55, size=(200, 3)) * np.array(semiaxes)
    above = np.add(boundary.centre, (0.0, 0.0, 0.4 * semiaxes[2]))
    inside = np.concatenate([inside, [boundary.centre, above]])
    nearest = np.array([np.linalg.norm(ends - point, axis=1).min() for point in inside])
    depth = boundary.depth(inside)
    assert (depth <= nearest + 1e-9).all()
    assert (nearest - depth).max() < 0.1
    assert depth[-2] == pytest.approx(min(semiaxes), abs=1e-6)
    assert (boundary.depth(ends[:100] + 2 * (ends[:100] - np.array(boundary.centre))) == 0).all()
