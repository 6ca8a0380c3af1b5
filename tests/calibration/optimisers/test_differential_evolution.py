"""Against SciPy called as it is meant to be; threads."""

import gc
import subprocess
import sys
import threading

import numpy as np
import pytest
from helpers_optimisers import run, spheres
from scipy.optimize import differential_evolution

from xdpl.calibration.optimisers.base import Stopped
from xdpl.calibration.optimisers.differential_evolution import DifferentialEvolution

OPTIMA = np.random.default_rng(3).uniform(0.1, 0.9, (3, 4))
KEYS = np.array([4, 0, 2])


def solvers():
    return [t for t in threading.enumerate() if t.name.startswith("xdpl differential evolution")]


def search(**options):
    return DifferentialEvolution(KEYS, 4, seed=6, **{"evaluations": 1000, **options})


@pytest.mark.parametrize("start", [None, OPTIMA])
def test_same_as_scipy_alone(start):
    optimiser = search(evaluations=10_000, population=3, tolerance=0.02, start=start)
    asked = run(optimiser, spheres(OPTIMA))
    np.testing.assert_array_equal(optimiser.stopped, Stopped.VALUES)
    for site, key in enumerate(KEYS):
        alone = differential_evolution(
            lambda x, site=site: ((x - OPTIMA[site]) ** 2).sum() + OPTIMA[site, 0],
            [(0, 1)] * 4,
            popsize=3,
            tol=0.02,
            updating="deferred",
            polish=False,
            x0=None if start is None else start[site],
            seed=np.random.default_rng(np.random.SeedSequence([6, int(key)])),
        )
        assert alone.success
        assert len(asked.points[site]) == optimiser.evaluations[site] == alone.nfev
        np.testing.assert_array_equal(optimiser.best_points[site], alone.x)


@pytest.mark.parametrize(
    ("evaluations", "options", "size"),
    [(10, {}, 8), (1000, {}, 8), (1600, {}, 16), (100_000, {}, 60), (1000, {"population": 1}, 5)],
)
def test_population_follows_the_budget(evaluations, options, size):
    optimiser = search(evaluations=evaluations, **options)
    assert optimiser.ask().points.shape == (size, 3, 4)
    optimiser.close()


@pytest.mark.parametrize("options", [{"tolerance": 0.0}, {"tolerance": 0.5}])
def test_threads_end_with_their_sites(options):
    optimiser = search(evaluations=400, **options)
    assert not solvers()
    optimiser.ask()
    assert len(solvers()) == 3
    run(optimiser, spheres(OPTIMA))
    assert optimiser.done.all() and not solvers()
    reason = Stopped.VALUES if options["tolerance"] else Stopped.BUDGET
    np.testing.assert_array_equal(optimiser.stopped, reason)


@pytest.mark.parametrize("end", ["close", "let go"])
def test_threads_end_when_closed_or_let_go(end):
    optimiser = search()
    run(optimiser, spheres(OPTIMA), rounds=2)
    assert len(solvers()) == 3
    if end == "close":
        optimiser.close()
    else:
        del optimiser
        gc.collect()
    assert not solvers()


def test_threads_end_with_the_interpreter():
    code = (
        "import numpy as np\n"
        "from xdpl.calibration.optimisers.differential_evolution import DifferentialEvolution\n"
        "search = DifferentialEvolution(np.arange(3), 2, seed=0, evaluations=100)\n"
        "search.ask()\n"
        "raise KeyboardInterrupt"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
