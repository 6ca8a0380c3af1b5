import dataclasses

import numpy as np
import pytest
import torch

from xdpl.training.losses import Spread
from xdpl.training.samples import Samples

TIME, SITES = 60, 7


@pytest.fixture
def samples():
    """Values that say where they come from: 100 times the site plus the time."""
    place = 100.0 * torch.arange(SITES)[None, :] + torch.arange(TIME)[:, None]
    return Samples(
        {"rain": place, "heat": -place},
        {"flow": place + 0.5},
        {"flow": Spread(torch.arange(SITES) + 1.0, 2.0)},
        torch.arange(2.0 * SITES).reshape(SITES, 2),
    )


def test_cut_equals_slicing(samples):
    sites, starts = [3, 0, 6, 3], [10, 52, 33, 11]
    batch = samples.cut(torch.tensor(sites), torch.tensor(starts), warmup=4, window=8)
    answers = samples.answers(torch.tensor(sites), torch.tensor(starts), window=8)
    assert batch.warmup == 4
    for i, (site, start) in enumerate(zip(sites, starts, strict=True)):
        for name in ("rain", "heat"):
            expected = samples.forcings[name].numpy()[start - 4 : start + 8, site]
            np.testing.assert_array_equal(batch.forcings[name][:, i], expected)
        observed = samples.observed["flow"].numpy()[start : start + 8, site]
        np.testing.assert_array_equal(answers.observed["flow"][:, i], observed)
        np.testing.assert_array_equal(batch.inputs.attributes[i], samples.attributes[site])
        assert answers.spread["flow"].std[i] == site + 1.0
        assert answers.spread["flow"].typical == 2.0
    assert batch.inputs.forcings is None and batch.inputs.history is None


def test_no_warmup(samples):
    batch = samples.cut(torch.tensor([2]), torch.tensor([0]), warmup=0, window=TIME)
    np.testing.assert_array_equal(batch.forcings["rain"][:, 0], samples.forcings["rain"][:, 2])
    answers = samples.answers(torch.tensor([2]), torch.tensor([0]), window=TIME)
    np.testing.assert_array_equal(answers.observed["flow"][:, 0], samples.observed["flow"][:, 2])


def test_a_network_reads_the_weather_of_its_window(samples):
    weather = torch.stack([samples.forcings["rain"], samples.forcings["heat"]], dim=2) + 0.25
    reading = dataclasses.replace(samples, weather=weather)
    batch = reading.cut(torch.tensor([3, 1]), torch.tensor([10, 52]), warmup=4, window=8)
    for i, (site, start) in enumerate([(3, 10), (1, 52)]):
        expected = weather[start - 4 : start + 8, site]
        np.testing.assert_array_equal(batch.inputs.forcings[:, i], expected)


def test_a_history_ends_right_before_the_window(samples):
    rows = (samples.forcings["rain"] + 1.0)[:, :, None]
    past = torch.nn.functional.pad(rows, (0, 0, 0, 0, 5, 0))
    reading = dataclasses.replace(samples, past=past, steps=5)
    batch = reading.cut(torch.tensor([3, 1]), torch.tensor([30, 2]), warmup=2, window=8)
    history = batch.inputs.history.numpy()[..., 0]
    np.testing.assert_array_equal(history[:, 0], rows[25:30, 3, 0])
    # Of a window that starts on the third day, three days are before the record.
    np.testing.assert_array_equal(history[:, 1], [0.0, 0.0, 0.0, *rows[:2, 1, 0]])
