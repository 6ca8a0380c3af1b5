import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xdpl.training.windows import Windows

SITES = 7


def windows(**changes):
    values = {"sites": torch.arange(SITES), "first": 15, "last": 54, "warmup": 10, "window": 8, "batch": 5}
    return Windows(**(values | changes))


def epoch(w, seed=0):
    return list(w.epoch(torch.Generator().manual_seed(seed)))


def test_same_generator_state_same_batches():
    generator = torch.Generator().manual_seed(5)
    state = generator.get_state()
    w = windows()
    first = list(w.epoch(generator))
    later = list(w.epoch(generator))
    generator.set_state(state)
    again = list(w.epoch(generator))
    assert len(first) == len(again) == w.updates
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
    # The next epoch and another seed draw other windows.
    assert not torch.equal(first[0][1], later[0][1])
    assert not torch.equal(first[0][1], epoch(w, seed=6)[0][1])


def test_batches_mix_sites_in_another_order_each_time():
    """Windows of ten sites: which of them share a batch of five is drawn, epoch by epoch."""
    w, generator = windows(sites=torch.arange(10), window=40), torch.Generator().manual_seed(0)
    batches = [[frozenset(sites.tolist()) for sites, _ in w.epoch(generator)] for _ in range(8)]
    assert all(len(batch) == 5 for epoch in batches for batch in epoch)
    assert all(frozenset.union(*epoch) == frozenset(range(10)) for epoch in batches)
    assert len({epoch[0] for epoch in batches}) > 4
    # Of a few rounds in one epoch, each has its own order.
    sites = torch.cat([sites for sites, _ in windows(batch=SITES).epoch(generator)]).reshape(-1, SITES)
    assert len({tuple(round_.tolist()) for round_ in sites}) == len(sites) == 5


def test_global_generator_is_not_used():
    state = torch.get_rng_state()
    epoch(windows())
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
    last, window = first + length - 1, min(window, length)
    w = Windows(torch.tensor(sorted(sites)), first, last, first, window, batch)
    draws = epoch(w, seed)
    assert len(draws) == w.updates
    seen = []
    for chosen, starts in draws:
        assert chosen.shape == starts.shape == (batch,)
        assert (starts >= first).all() and (starts + window - 1 <= last).all()
        seen.extend(chosen.tolist())
    assert set(seen) == sites
    # No site is drawn a second time more often than another.
    counts = np.unique(seen, return_counts=True)[1]
    assert counts.max() - counts.min() <= 1


def test_starts_reach_both_ends():
    starts = np.concatenate([s for seed in range(30) for _, s in epoch(windows(), seed)])
    assert starts.min() == 15
    assert starts.max() == 54 - 8 + 1


def test_an_epoch_passes_once_over_sites_and_period():
    # 40 days in windows of 8: five per site, 35 series, 7 updates of 5.
    assert windows().updates == 7
    assert windows(window=40).updates == 2
    assert windows(window=40, batch=100).updates == 1


def test_updates_of_a_coverage_by_hand():
    # A window has 8 of 40 days, one in five; 0.8^n <= 0.01 for n = 20.64 windows at each of 7 sites.
    assert windows(coverage=0.99).updates == math.ceil(20.64 * 7 / 5) == 29
    assert windows(coverage=0.5).updates == math.ceil(math.log(0.5) / math.log(0.8) * 7 / 5) == 5
    assert windows(coverage=0.99, batch=40).updates == math.ceil(20.64 * 7 / 40) == 4
    assert windows(coverage=0.99, window=40, batch=7).updates == 1
    assert windows(coverage=0.0).updates == 1


def test_an_epoch_reaches_the_days_it_promises():
    w = windows(first=0, last=399, window=20, coverage=0.9)
    reached = []
    for seed in range(20):
        seen = np.zeros((SITES, 400), bool)
        for sites, starts in epoch(w, seed):
            for site, start in zip(sites.tolist(), starts.tolist(), strict=True):
                seen[site, start : start + 20] = True
        reached.append(seen.mean())
    assert np.mean(reached) == pytest.approx(0.9, abs=0.02)


def test_a_large_batch_reaches_the_days_inside_too():
    # All series of one pass together, as `learn` takes them where there are few sites.
    w = windows(first=0, last=88, window=30, batch=21, coverage=0.9)
    reached = np.zeros((30, SITES, 89), bool)
    for seed in range(30):
        for sites, starts in epoch(w, seed):
            for site, start in zip(sites.tolist(), starts.tolist(), strict=True):
                reached[seed, site, start : start + 30] = True
    assert reached[..., 29:60].mean() >= 0.9
