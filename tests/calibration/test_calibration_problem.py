"""What candidates are worth: every one as a run by itself, in few calls of the kernel."""

import numpy as np
import pytest

from xdpl import engines
from xdpl.calibration import problem as module
from xdpl.calibration.cube import Cube
from xdpl.calibration.objectives import Objective
from xdpl.calibration.problem import Problem
from xdpl.calibration.slopes import Slopes
from xdpl.models.hbv import HBV

STEPS, SITES, WARMUP = 80, 5, 20
MODEL = HBV(snow_range=1.0)
RNG = np.random.default_rng(3)
FORCINGS = {
    "precipitation": RNG.gamma(0.4, 10.0, (STEPS, SITES)),
    "air_temperature": RNG.normal(4.0, 6.0, (STEPS, SITES)),
    "potential_evapotranspiration": RNG.uniform(0.5, 3.0, (STEPS, SITES)),
}
OBSERVED = RNG.gamma(1.0, 2.0, (STEPS - WARMUP, SITES))
FREE = tuple(p for p in MODEL.parameters if p.name not in ("route_a", "cwh"))
FIXED = {"route_a": np.linspace(0.5, 1.5, SITES), "cwh": np.full(SITES, 0.1)}


def make(objective="nse", **options):
    return Problem(MODEL, "streamflow", Cube(FREE), FORCINGS, FIXED, OBSERVED, WARMUP, objective, **options)


def alone(points, site, objective="nse"):
    """One run of one site by the readable engine."""
    values = {k: np.array([v]) for k, v in Cube(FREE).values(points).items()}
    values |= {k: v[site : site + 1] for k, v in FIXED.items()}
    forcings = {k: v[:, site : site + 1] for k, v in FORCINGS.items()}
    series, _ = engines.run("array", MODEL, forcings, values, outputs=("streamflow",))
    simulated = series["streamflow"][WARMUP:, None]
    return Objective(objective, OBSERVED[:, site : site + 1])(simulated)[0, 0]


@pytest.mark.parametrize("objective", ["nse", "kge"])
def test_every_candidate_is_a_run_of_its_own(objective):
    points = RNG.random((4, SITES, len(FREE)))
    wanted = RNG.random((4, SITES)) < 0.6
    wanted[:, 2] = False
    found = make(objective)(points, wanted)
    for c in range(4):
        for s in range(SITES):
            if wanted[c, s]:
                assert found[c, s] == pytest.approx(alone(points[c, s], s, objective), rel=1e-9)
            else:
                assert np.isnan(found[c, s])


def test_pieces_give_the_same(monkeypatch):
    points, wanted = RNG.random((7, SITES, len(FREE))), np.ones((7, SITES), bool)
    whole = make()(points, wanted)
    monkeypatch.setattr(module, "_AT_ONCE", 2 * STEPS * SITES)
    np.testing.assert_array_equal(make()(points, wanted), whole)


def test_only_what_is_wanted_is_run(monkeypatch):
    lanes = []
    run = engines.run

    def counted(*args, **options):
        lanes.append((options["members"], next(iter(args[2].values())).shape[1]))
        return run(*args, **options)

    monkeypatch.setattr(module.engines, "run", counted)
    points, wanted = RNG.random((6, SITES, len(FREE))), np.zeros((6, SITES), bool)
    wanted[[0, 5], 0] = True
    wanted[[1, 3], 1] = True
    make()(points, wanted)
    assert lanes == [(2, 2)]


def test_sites_that_are_done_are_left_out_later():
    problem = make()
    points = RNG.random((2, SITES, len(FREE)))
    wanted = np.ones((2, SITES), bool)
    first = problem(points, wanted)
    wanted[:, 1:4] = False
    later = problem(points, wanted)
    np.testing.assert_array_equal(later[:, [0, 4]], first[:, [0, 4]])
    np.testing.assert_array_equal(problem.of(np.array([0, 4])).sites, [0, 4])


def test_a_diverged_run_is_the_worst(monkeypatch):
    run = engines.run

    def diverged(*args, **options):
        series, states = run(*args, **options)
        series["streamflow"][30, 1, 2] = np.nan
        return series, states

    monkeypatch.setattr(module.engines, "run", diverged)
    found = make()(RNG.random((3, SITES, len(FREE))), np.ones((3, SITES), bool))
    assert found[1, 2] == np.inf
    assert np.isfinite(np.delete(found.ravel(), SITES + 2)).all()


@pytest.mark.parametrize("objective", ["nse", "kge", "rmse_log"])
def test_slopes_are_those_of_differences(objective):
    points = RNG.uniform(0.2, 0.8, (2, SITES, len(FREE)))
    wanted = np.ones((2, SITES), bool)
    wanted[1, 3] = False
    problem = make(objective)
    found = Slopes(problem)(points, wanted)
    values = problem(points, wanted)
    np.testing.assert_allclose(found[..., 0], values, rtol=1e-9)
    step = 1e-6
    near = []
    for i in range(len(FREE)):
        up, down = points.copy(), points.copy()
        up[..., i] += step
        down[..., i] -= step
        expected = (problem(up, wanted) - problem(down, wanted)) / (2 * step)
        near.append(np.isclose(found[..., 1 + i], expected, rtol=1e-3, atol=1e-6)[wanted])
    # A difference across a threshold of the model is no slope.
    assert np.mean(near) > 0.97
    assert np.isnan(found[1, 3]).all()
