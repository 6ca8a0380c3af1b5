"""Fits and datasets of all kinds have a report; what cannot be found is left out, with the reason."""

import re

import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import quick
from helpers_learn import world as bucket_world
from helpers_report import QUIET, Page, learn

import xdpl
from xdpl import units
from xdpl.models import NetworkOnly
from xdpl.networks import LSTM, History
from xdpl.report.gather import gather
from xdpl.report.page import page as written
from xdpl.report.periods import scored_period
from xdpl.report.request import Request

FEW = Request(sites=1, identifiability=False, progress=False)


def test_scored_period(ds):
    fit = learn(ds, epochs=1)
    asked = scored_period(fit, ds, slice("2002-02-10", "2002-03"))
    assert (asked.first, asked.last, asked.chosen) == ("2002-02-10", "2002-03-31", "as asked for")
    after = scored_period(fit, ds, None)
    assert (after.first, after.last) == ("2001-11-01", "2002-12-31")
    # Twenty days are no test.
    short = ds.sel(time=slice(None, "2001-11-20"))
    assert scored_period(fit, short, None).slice == slice("2001-09-01", "2001-10-31")
    unseen = ds.assign(soil_moisture=ds["soil_moisture"].where(ds["time"] < np.datetime64("2001-11-01")))
    assert scored_period(fit, unseen, None).slice == slice("2001-09-01", "2001-10-31")
    whole = scored_period(learn(ds, epochs=1, validate=None, train=slice("2001", "2002")), ds, None)
    assert whole.slice == slice("2001-01-01", "2002-12-31") and whole.overlaps(["2002-12-31", "2003-01-01"])


@pytest.mark.parametrize("loss", ["nrmse", "rmse", "kge"])
def test_the_main_metric_is_that_of_the_loss(loss):
    facts = gather(quick(loss=loss), bucket_world(), FEW)
    assert facts.targets[0].main.name == {"nrmse": "nse", "rmse": "rmse", "kge": "kge_2009"}[loss]


def test_several_targets(ds):
    ds = ds.rename(true_evapotranspiration="evapotranspiration")
    fit = learn(ds, target=["soil_moisture", "evapotranspiration"], epochs=1)
    facts = gather(fit, ds, FEW)
    assert [t.output for t in facts.targets] == ["soil_moisture", "evapotranspiration"]
    scores = fit.evaluate(ds, time=facts.period.slice)
    for target, unit in zip(facts.targets, ("m3 m-3", "mm d-1"), strict=True):
        assert target.scores["rmse"].attrs["units"] == target.scores["pooled_rmse"].attrs["units"] == unit
        np.testing.assert_allclose(target.scores["rmse"], scores["rmse"].sel(target=target.output))
        assert target.transfer is not None and target.series[0].simulated.attrs["units"] == unit
    page = Page(written(facts))
    assert page.table("Scores of evapotranspiration")[1][1] == "mm d-1"
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))


def test_members_and_dynamic_parameters(ds):
    fit = learn(ds, members=2, network=LSTM(4), dynamic=["infilt"], epochs=1)
    facts = gather(fit, ds, Request(sites=1, progress=False))
    assert facts.averaged["infilt"] == "members and times" and facts.averaged["ksat"] == "members"
    theta = fit.parameters(ds)
    np.testing.assert_allclose(
        facts.parameters["infilt"], theta["infilt"].mean(["member", "time"]), rtol=1e-6
    )
    assert facts.parameters["infilt"].attrs["units"] == "1"
    assert facts.targets[0].told is not None and facts.left_out == ()
    page = Page(written(facts))
    assert "mean over members and times" in page.text
    assert "at their means over members or time" in page.text


def test_history(ds):
    facts = gather(learn(ds, network=History(20, 4), epochs=1), ds, FEW)
    assert facts.targets[0].series[0].simulated.notnull().all()


def test_a_network_alone(ds):
    fit = learn(ds, model=NetworkOnly("vic", positive=False), network=LSTM(4), epochs=1)
    facts = gather(fit, ds, QUIET)
    assert facts.parameters is None and facts.targets[0].uncalibrated is not None
    assert [left.what for left in facts.left_out] == ["maps of parameters, identifiability, transfer test"]
    page = Page(written(facts))
    assert "Parameters and maps" in page.headings() and "What the observations tell" not in page.headings()


def test_a_model_of_a_third_party():
    facts = gather(quick(), bucket_world(), QUIET)
    assert facts.targets[0].told is not None
    assert [left.what for left in facts.left_out] == ["groups of sites"]
    page = Page(written(facts))
    assert [row[0] for row in page.table("Learned parameters")[1:]] == ["leak", "split"]
    assert "Groups of sites" not in page.headings()


def test_without_days_of_the_training():
    facts = gather(quick(), bucket_world().isel(time=slice(130, None)), QUIET)
    (left, _) = facts.left_out
    assert left.what == "transfer test, identifiability"
    assert "lacks days of the training, 2001-02-01 to 2001-04-30" in left.why
    assert "lacks days of the training" in Page(written(facts)).text


def test_without_observations_in_the_training():
    ds = bucket_world()
    late = ds["time"] > np.datetime64("2001-04-30")
    facts = gather(
        quick(), ds.assign(runoff=ds["runoff"].where(late).assign_attrs(ds["runoff"].attrs)), QUIET
    )
    what = [left.what for left in facts.left_out]
    assert what[:2] == ["transfer test", "identifiability"]
    assert "expected a site with observations" in facts.left_out[0].why


def test_without_any_score():
    ds = bucket_world()
    empty = ds.assign(runoff=ds["runoff"].where(ds["time"] < np.datetime64("2001-05-01")))
    empty["runoff"].attrs = ds["runoff"].attrs
    facts = gather(quick(), empty, Request(time=slice("2001-05-01", None), progress=False))
    page = Page(written(facts))
    assert page.table("Scores of runoff")[1][2] == "missing"
    assert "No site has a nse" in page.text and "nse: missing at all sites" in page.text
    assert "Observed and simulated" not in page.headings()
    assert "scored at 0 of 6 sites" in page.text


def test_sites_without_places():
    ds = bucket_world().stack(site=("lat", "lon")).drop_vars(["site", "lat", "lon"])
    page = Page(written(gather(quick(ds), ds, FEW)))
    assert "no latitude and longitude: values are shown in their order" in page.text
    assert re.search(r"Median: site \d, nse", page.text)


def test_scattered_sites_with_names():
    ds = bucket_world().stack(site=("lat", "lon")).reset_index("site")
    ds = ds.assign_coords(site=[f"basin $_{i}$" for i in range(6)])
    text = written(gather(quick(ds), ds, FEW))
    assert "basin $_" in Page(text).text and "data:image/png;base64" in text


def test_sites_that_are_missing(ds):
    hole = (ds["lat"] == ds["lat"][0]) & (ds["lon"] == ds["lon"][0])
    static = [k for k, v in ds.data_vars.items() if "time" not in v.dims]
    holed = ds.assign({k: ds[k].where(~hole).assign_attrs(ds[k].attrs) for k in static})
    facts = gather(learn(ds, epochs=1), holed, FEW)
    assert int(facts.targets[0].scores["rmse"].notnull().sum()) == 19
    assert "19 sites" in written(facts)


def _rows(facts):
    return Page(written(facts)).table("Scores of soil_moisture")


def test_lazy_datasets(fit, ds, facts):
    assert _rows(gather(fit, ds.chunk(time=-1, lat=2), FEW)) == _rows(facts)


def test_transposed_datasets(fit, ds, facts):
    assert _rows(gather(fit, ds.transpose("lon", "time", "lat"), FEW)) == _rows(facts)


def test_quantities(fit, ds, facts):
    registry = pint.UnitRegistry(force_ndarray_like=True)
    for name, array in ds.data_vars.items():
        unit = registry.Unit(f"{units.parse(array.attrs['units']):D}")
        attrs = {k: v for k, v in array.attrs.items() if k != "units"}
        ds[name] = (array.dims, registry.Quantity(array.values, unit), attrs)
    found = gather(fit, ds, Request(sites=1, progress=False))
    assert [row[2:] for row in _rows(found)] == [row[2:] for row in _rows(facts)]
    assert found.targets[0].told is not None


def test_other_calendars(ds):
    other = ds.convert_calendar("noleap", use_cftime=True)
    facts = gather(learn(other, epochs=1), other, FEW)
    assert facts.period.first == "2001-11-01"
    assert "Observed and simulated" in Page(written(facts)).headings()


def test_a_fit_from_a_store(fit, ds, facts, tmp_path):
    fit.save(tmp_path / "fit.zarr")
    assert _rows(gather(xdpl.load(tmp_path / "fit.zarr"), ds, FEW)) == _rows(facts)


def test_a_model_that_kernels_cannot_run(monkeypatch):
    from xdpl.engines.tracing.symbols import UnsupportedOperation

    def refuse(*_, **__):
        raise UnsupportedOperation("aten.sort")

    monkeypatch.setattr("xdpl.report.gather.identifiability", refuse)
    facts = gather(quick(), bucket_world(), QUIET)
    assert facts.left_out[0].what == "identifiability" and "aten.sort" in facts.left_out[0].why


def test_inputs_are_not_changed(fit, ds):
    before = ds.copy(deep=True)
    gather(fit, ds, FEW)
    xr.testing.assert_identical(ds, before)
