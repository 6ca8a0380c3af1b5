"""Searches run to their end, with everything that was asked."""

import numpy as np

METHODS = ["cma-es", "differential-evolution", "sce-ua"]


class Asked:
    """What each site was asked and told, in order."""

    def __init__(self, sites):
        self.points = [[] for _ in range(sites)]
        self.values = [[] for _ in range(sites)]

    def note(self, candidates, values):
        for site, wanted in enumerate(candidates.wanted.T):
            self.points[site].extend(candidates.points[wanted, site])
            self.values[site].extend(values[wanted, site])


def run(optimiser, function, rounds=100_000):
    """Ask and tell until all are done; `function` takes points (candidate, site, parameter)."""
    asked = Asked(len(optimiser.done))
    for _ in range(rounds):
        if optimiser.done.all():
            break
        candidates = optimiser.ask()
        assert candidates.points.min() >= 0.0 and candidates.points.max() <= 1.0
        values = np.where(candidates.wanted, function(candidates.points), -1e9)
        asked.note(candidates, values)
        optimiser.tell(values)
    return asked


def spheres(optima):
    """A function with an optimum (site, parameter) of each site; its values there differ, too."""
    return lambda points: ((points - optima) ** 2).sum(axis=-1) + optima[:, 0]
