import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xdpl.training.samples import Samples, Windows

TIME, SITES = 60, 7


@pytest.fixture
def samples():
    """Values that say where they come from: 100 times the site plus the time."""
    place = 100.0 * torch.arange(SITES)[None, :] + torch.arange(TIME)[:, None]
    return Samples(
        {"rain": place, "heat": -place},
        place + 0.5,
        torch.arange(2.0 * SITES).reshape(SITES, 2),
        torch.arange(SITES) + 1.0,
    )


def windows(**changes):
    values = {"sites": torch.arange(SITES), "first": 15, "last": 54, "warmup": 10, "window": 8, "batch": 5}
    return Windows(**(values | changes))


def epoch(samples, w, seed=0):
    return list(w.epoch(samples, torch.Generator().manual_seed(seed)))


def where(batch):
    """Site and first scored time of each series, read from the values."""
    first = batch.forcings["rain"][batch.warmup].numpy().astype(int)
    return first // 100, first % 100


def test_cut_equals_slicing(samples):
    sites, starts = [3, 0, 6, 3], [10, 52, 33, 11]
    batch = samples.cut(torch.tensor(sites), torch.tensor(starts), warmup=4, window=8)
    assert batch.warmup == 4
    for i, (site, start) in enumerate(zip(sites, starts, strict=True)):
        for name in ("rain", "heat"):
            expected = samples.forcings[name].numpy()[start - 4 : start + 8, site]
            np.testing.assert_array_equal(batch.forcings[name][:, i], expected)
        np.testing.assert_array_equal(batch.observed[:, i], samples.observed.numpy()[start : start + 8, site])
        np.testing.assert_array_equal(batch.attributes[i], samples.attributes[site])
        assert batch.scale[i] == samples.scale[site]


def test_no_warmup(samples):
    batch = samples.cut(torch.tensor([2]), torch.tensor([0]), warmup=0, window=TIME)
    np.testing.assert_array_equal(batch.forcings["rain"][:, 0], samples.forcings["rain"][:, 2])
    np.testing.assert_array_equal(batch.observed[:, 0], samples.observed[:, 2])


def test_same_generator_state_same_batches(samples):
    generator = torch.Generator().manual_seed(5)
    state = generator.get_state()
    w = windows()
    first = list(w.epoch(samples, generator))
    later = list(w.epoch(samples, generator))
    generator.set_state(state)
    again = list(w.epoch(samples, generator))
    assert len(first) == len(again) == w.updates
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.forcings["rain"], b.forcings["rain"])
        np.testing.assert_array_equal(a.observed, b.observed)
    # The next epoch and another seed draw other windows.
    assert not np.array_equal(first[0].observed, later[0].observed)
    assert not np.array_equal(first[0].observed, epoch(samples, w, seed=6)[0].observed)


def test_global_generator_is_not_used(samples):
    state = torch.get_rng_state()
    epoch(samples, windows())
    assert torch.equal(torch.get_rng_state(), state)


@given(
    first=st.integers(0, 30),
    length=st.integers(1, 30),
    window=st.integers(1, 30),
    batch=st.integers(1, 40),
    sites=st.sets(st.integers(0, SITES - 1), min_size=1),
    seed=st.integers(0, 1000),
)
def test_windows_stay_inside_and_cover_every_site(first, length, window, batch, sites, seed):
    place = 100 * torch.arange(SITES)[None, :] + torch.arange(TIME)[:, None]
    zeros = torch.zeros(SITES)
    samples = Samples({"rain": place}, place, zeros[:, None], zeros)
    last, window, warmup = first + length - 1, min(window, length), first
    w = Windows(torch.tensor(sorted(sites)), first, last, warmup, window, batch)
    batches = epoch(samples, w, seed)
    assert len(batches) == w.updates
    seen = []
    for b in batches:
        site, start = where(b)
        assert (start >= first).all() and (start + window - 1 <= last).all()
        # The warm-up is what lies right before.
        np.testing.assert_array_equal(b.forcings["rain"][0], 100 * site + start - warmup)
        assert b.forcings["rain"].shape == (warmup + window, batch)
        assert b.observed.shape == (window, batch)
        seen.extend(site)
    assert set(seen) == sites
    # No site is drawn a second time more often than another.
    counts = np.unique(seen, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1


def test_starts_reach_both_ends(samples):
    starts = np.concatenate([where(b)[1] for s in range(30) for b in epoch(samples, windows(), s)])
    assert starts.min() == 15
    assert starts.max() == 54 - 8 + 1


def test_an_epoch_passes_once_over_sites_and_period(samples):
    # 40 days in windows of 8: five per site, 35 series, 7 updates of 5.
    assert windows().updates == 7
    assert windows(window=40).updates == 2
    assert windows(window=40, batch=100).updates == 1
