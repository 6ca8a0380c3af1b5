"""A network on what was observed before: nothing of the days that it predicts goes in."""

import dask
import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import History
from xdpl.networks.base import Inputs, Sizes
from xdpl.networks.reading import past
from xdpl.networks.scaling import Moments, Scaling
from xdpl.training.losses import Spread
from xdpl.training.samples import Samples

SMALL = History(steps=20, hidden=6)
NAMES = Sizes(("a",), ("rain",), ("runoff",), ("x", "y"))
AT = "2001-03-01"


@pytest.fixture(scope="module")
def fit():
    return quick(network=SMALL, learning_rate=0.05, epochs=5)


def changed(ds, since=None, until=None, by=None):
    """Observations of a period doubled or, with `by`, replaced."""
    period = (ds["time"] >= np.datetime64(since or "1900")) & (ds["time"] <= np.datetime64(until or "2100"))
    other = 2.0 * ds["runoff"] + 1.0 if by is None else by
    return ds.assign(runoff=ds["runoff"].where(~period, other).assign_attrs(units="mm d-1"))


def body(spec=SMALL, sizes=NAMES):
    torch.manual_seed(0)
    made = spec.build(sizes)
    torch.nn.init.normal_(made.head.weight)
    return made.eval()


@pytest.mark.parametrize("text", ["2001-03-01", "2001-06-30"])
def test_nothing_on_or_after_the_date_is_read(fit, text):
    ds = world()
    expected = fit.parameters(ds, at=text)
    shuffled = ds["runoff"].copy(data=np.random.default_rng(0).permutation(ds["runoff"].values, axis=0))
    assert not shuffled.equals(ds["runoff"])
    for by in (None, shuffled, np.nan, 7.0):
        xr.testing.assert_identical(
            fit.parameters(changed(ds, since=text, by=by), at=text).drop_attrs(deep=False),
            expected.drop_attrs(deep=False),
        )
    dry = ds.assign(precipitation=ds["precipitation"].where(ds["time"] < np.datetime64(text), 0.0))
    dry["precipitation"].attrs = {"units": "mm d-1"}
    xr.testing.assert_equal(fit.parameters(dry, at=text), expected)


def test_the_days_before_are_read(fit):
    ds = world()
    expected = fit.parameters(ds, at=AT)
    for day in ("2001-02-28", "2001-02-09"):
        other = fit.parameters(changed(ds, since=day, until=day, by=50.0), at=AT)
        assert (other["leak"] != expected["leak"]).all()
    # 20 steps before the first of March.
    before = fit.parameters(changed(ds, until="2001-02-08", by=50.0), at=AT)
    xr.testing.assert_equal(before, expected)


def test_without_a_date_all_of_the_record_is_read(fit):
    ds = world()
    other = fit.parameters(changed(ds, since=str(ds["time"][-1].values)[:10], by=50.0))
    assert (other["leak"] != fit.parameters(ds)["leak"]).all()


@pytest.mark.parametrize("text", ["2001-03-01", np.datetime64("2001-03-01"), "2001-03"])
def test_dates_of_several_kinds(fit, text):
    xr.testing.assert_equal(fit.parameters(world(), at=text), fit.parameters(world(), at=AT))


@pytest.mark.parametrize("at", ["2005-01-01", "1999", "soon", 3.5])
def test_dates_outside_the_record(fit, at):
    with pytest.raises(InputErrors, match=r"Fit\.parameters cannot run") as raised:
        fit.parameters(world(), at=at)
    assert "a date in the record, 2001-01-01 to 2001-07-19" in problems(raised)["at"]


@pytest.mark.parametrize("time", [None, slice(AT, "2001-05-31"), slice("2001-05-15", None)])
def test_scores_do_not_see_the_period_that_is_scored(fit, time):
    ds = world()
    start = "2001-01-01" if time is None else time.start
    scores = fit.evaluate(ds, time=time)
    period = slice(None) if time is None else time
    simulated = fit.simulate(ds, at=start)["runoff"].sel(time=period)
    error = simulated - ds["runoff"].sel(time=period)
    np.testing.assert_allclose(scores["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-4)
    # The simulation that is scored is the same, whatever is observed in the period.
    other = fit.evaluate(changed(ds, since=start), time=time)
    assert (other["rmse"] != scores["rmse"]).all()
    again = fit.simulate(changed(ds, since=start), at=start)["runoff"]
    xr.testing.assert_equal(again, fit.simulate(ds, at=start)["runoff"])


def samples(observed, steps=5):
    generator = torch.Generator().manual_seed(0)
    rain = torch.rand(40, 2, generator=generator)
    scaling = Scaling(
        Moments(np.zeros(1), np.ones(1)),
        Moments(np.array([0.5]), np.array([2.0])),
        Moments.of(np.ones((3, 1))),
    )
    forcings, responses = {"rain": rain}, {"runoff": observed}
    rows = past(forcings, responses, scaling, steps)
    spread = {"runoff": Spread(torch.ones(2), 1.0)}
    return Samples(forcings, responses, spread, torch.randn(2, 1), None, rows, steps)


def test_windows_of_training_hold_nothing_of_themselves():
    generator = torch.Generator().manual_seed(1)
    observed = torch.rand(40, 2, generator=generator)
    sites, starts = torch.tensor([0, 1, 1]), torch.tensor([12, 30, 3])
    history = samples(observed).cut(sites, starts, 4, 8).inputs.history
    later = observed.clone()
    for site, start in ((0, 12), (1, 30)):
        later[start:, site] = torch.rand(40 - start, generator=generator)
    again = samples(later).cut(sites[:2], starts[:2], 4, 8).inputs.history
    assert torch.equal(again, history[:, :2])
    earlier = observed.clone()
    earlier[11, 0] = 9.0
    assert not torch.equal(samples(earlier).cut(sites, starts, 4, 8).inputs.history, history)


def test_rows_by_hand():
    observed = torch.arange(80.0).reshape(40, 2)
    observed[10, 0] = torch.nan
    made = samples(observed)
    history = made.cut(torch.tensor([0]), torch.tensor([12]), 4, 8).inputs.history
    assert history.shape == (5, 1, 3)
    rain = torch.asinh((made.forcings["rain"][7:12, 0] - 0.5) / 2.0)
    torch.testing.assert_close(history[:, 0, 0], rain)
    # Moments of ones: mean one, and one instead of no deviation.
    torch.testing.assert_close(history[:, 0, 1], torch.asinh(torch.tensor([13.0, 15.0, 17.0, 0.0, 21.0])))
    torch.testing.assert_close(history[:, 0, 2], torch.tensor([1.0, 1.0, 1.0, 0.0, 1.0]))
    early = made.cut(torch.tensor([1]), torch.tensor([2]), 0, 8).inputs.history
    assert (early[:3] == 0).all() and (early[3:, 0, 2] == 1).all()


def test_fit_and_training_read_the_same(fit):
    """The network of the fit, on the inputs a training would cut out."""
    ds = world().stack(site=("lat", "lon"))
    start = int((ds["time"] < np.datetime64(AT)).sum())
    tensor = {k: torch.tensor(ds[k].transpose("time", "site").values) for k in ("precipitation", "runoff")}
    rows = past(
        {"precipitation": tensor["precipitation"]}, {"runoff": tensor["runoff"]}, fit.scaling, SMALL.steps
    )
    attributes = np.stack([ds[k].values for k in fit.attributes], axis=1)
    inputs = Inputs(
        torch.tensor(fit.scaling.attributes.normal(attributes), dtype=torch.float32),
        history=rows[start : start + SMALL.steps],
    )
    with torch.no_grad():
        expected = fit.network(inputs)
    found = fit.parameters(world(), at=AT).stack(site=("lat", "lon"))
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-5)


def test_without_observations_it_falls_back(fit):
    ds = world()
    nothing = fit.parameters(changed(ds, by=np.nan), at=AT)
    assert nothing["leak"].notnull().all()
    # The same as the input that is hidden in training.
    made, history = body(History(steps=20, hidden=6, blind=0.999999)), torch.randn(20, 3, 3)
    hidden = torch.cat([history[..., :1], torch.zeros(20, 3, 2)], dim=2)
    attributes = torch.randn(3, 1)
    with torch.no_grad():
        expected = made(Inputs(attributes, history=hidden)).still
        found = made.train()(Inputs(attributes, history=history)).still
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_a_share_of_sites_is_blind():
    made = body(History(steps=2, hidden=4, blind=0.3)).train()
    torch.manual_seed(3)
    shown = made._blinded(torch.ones(2, 4000, 3))
    assert (shown[..., 0] == 1).all()
    blind = (shown[..., 1:] == 0).all(dim=2).all(dim=0)
    assert float(blind.float().mean()) == pytest.approx(0.3, abs=0.022)
    assert (shown[:, ~blind] == 1).all()


def test_a_short_record_is_padded():
    ds = world()
    fit = quick(network=History(steps=500, hidden=4), epochs=1)
    theta = fit.parameters(ds.isel(time=slice(50)))
    assert theta["leak"].notnull().all()
    # Zeros in front: as if a longer record had held means of forcings and no observations.
    early = xr.date_range("2000-01-01", "2000-12-31", name="time")
    mean = float(fit.scaling.forcings.mean[0])
    longer = ds.isel(time=slice(50)).reindex(time=early.append(ds.indexes["time"][:50]))
    rain = longer["precipitation"].fillna(mean).assign_attrs(units="mm d-1")
    found = fit.parameters(longer.assign(precipitation=rain))
    np.testing.assert_allclose(found["leak"], theta["leak"], rtol=1e-5)


def test_target_and_forcings_are_needed(fit):
    with pytest.raises(InputErrors) as raised:
        fit.parameters(world().drop_vars(["runoff", "precipitation", "sand"]))
    assert set(problems(raised)) == {"precipitation", "runoff", "sand"}
    with pytest.raises(InputErrors) as raised:
        fit.parameters(world().drop_vars("runoff"))
    assert 'xr.full_like(ds["precipitation"], np.nan)' in problems(raised)["runoff"]


def test_what_the_error_proposes_works(fit):
    ds = world().drop_vars("runoff")
    ds["runoff"] = xr.full_like(ds["precipitation"], np.nan)
    xr.testing.assert_equal(fit.parameters(ds), fit.parameters(changed(world(), by=np.nan)))


@pytest.mark.parametrize("chunks", [{"lat": 1, "lon": 1}, {"lon": 2}])
def test_lazy_is_eager_in_any_blocks(fit, chunks):
    ds = world()

    def forbidden(*args, **kwargs):
        pytest.fail("computed")

    with dask.config.set(scheduler=forbidden):
        lazy = fit.parameters(ds.chunk(chunks), at=AT)
    xr.testing.assert_equal(lazy.compute(), fit.parameters(ds, at=AT))
    assert not fit.parameters(ds.chunk(chunks)).equals(lazy)


def test_observations_in_pieces_of_time(fit):
    ds = world().chunk(lat=1)
    ds["runoff"] = ds["runoff"].chunk(time=40)
    with pytest.raises(InputErrors) as raised:
        fit.parameters(ds)
    assert "ds = ds.chunk(time=-1)" in problems(raised)["runoff"]


def test_other_units_of_the_observations(fit):
    ds = world()
    metres = ds.assign(runoff=(0.001 * ds["runoff"]).assign_attrs(units="m d-1"))
    np.testing.assert_allclose(
        fit.parameters(metres, at=AT)["leak"], fit.parameters(ds, at=AT)["leak"], rtol=1e-5
    )


def test_saved_and_loaded_and_the_same_again(fit, tmp_path):
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    assert loaded.network_spec == SMALL
    xr.testing.assert_equal(loaded.parameters(world(), at=AT), fit.parameters(world(), at=AT))
    assert_same_fit(quick(network=SMALL, learning_rate=0.05, epochs=5), fit)


def test_trees_take_the_date(fit):
    ds = world()
    tree = xr.DataTree.from_dict({"/a": ds.isel(lat=[0]), "/b": ds.isel(lat=[1])})
    found = fit.parameters(tree, at=AT)
    xr.testing.assert_equal(found["a"].to_dataset(), fit.parameters(ds.isel(lat=[0]), at=AT))
    with pytest.raises(InputErrors, match="a: at"):
        fit.parameters(tree, at="1999")


@pytest.mark.parametrize(
    "options", [{"steps": 0}, {"hidden": -1}, {"steps": 2.5}, {"blind": 1.0}, {"dropout": -1}]
)
def test_bad_options(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        History(**options)


def test_it_learns_what_attributes_do_not_say():
    """The leak is random; how fast runoff recedes after rain tells it."""
    rng = np.random.default_rng(0)
    ds = xr.Dataset(coords={"time": xr.date_range("2001-01-01", periods=180), "site": np.arange(80)})
    rain = np.where(rng.random((180, 80)) < 0.1, rng.gamma(2.0, 15.0, (180, 80)), 0.0)
    ds["precipitation"] = (("time", "site"), rain.astype(np.float32), {"units": "mm d-1"})
    ds["noise"] = ("site", rng.normal(size=80), {"units": "1"})
    leak = xr.DataArray(np.exp(rng.uniform(np.log(0.02), np.log(0.6), 80)), dims="site")
    theta = {"leak": leak.assign_attrs(units="d-1"), "split": 0.4}
    ds["runoff"] = xdpl.simulate(ds, Bucket(), theta)["runoff"]
    options = {
        "attributes": ["noise"],
        "train": slice("2001-01-01", "2001-04-30"),
        "sites": ds["site"] < 70,
        "batch": 24,
        "window": 40,
        "warmup": 30,
    }
    attributes_only = quick(ds, epochs=20, **options)
    with_history = quick(ds, network=History(steps=40, hidden=16), epochs=60, **options)
    # Other sites, and days after the training.
    held, late = ds.isel(site=slice(70, None)), slice("2001-05-01", None)
    rmse = [float(f.evaluate(held, time=late)["rmse"].mean()) for f in (attributes_only, with_history)]
    assert rmse[1] < 0.6 * rmse[0]
    found = with_history.parameters(held, at=late.start)["leak"]
    assert np.corrcoef(np.log(found), np.log(leak[70:]))[0, 1] > 0.8


def test_of_several_responses():
    ds = world()
    ds["wet"] = (0.5 * ds["runoff"]).assign_attrs(units="percent")
    fit = quick(ds, network=SMALL, target={"runoff": "runoff", "wetness": "wet"}, epochs=2)
    assert fit.network.body.past.in_features == 1 + 2 * 2
    expected = fit.parameters(ds, at=AT)
    ds["wet"][58, 0, 0] = 3.0
    other = fit.parameters(ds, at=AT)
    assert other["leak"][0, 0] != expected["leak"][0, 0]
