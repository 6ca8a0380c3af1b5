"""What a fit keeps of its observation operators: reported, stored, and applied in scores on request."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import Bucket, problems, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.fit.packing import packed, unpacked
from xdpl.observation import Frozen, SiteAffine

TRAIN = slice("2001-02-01", "2001-04-30")
NAMES = ["Ä", "b", "long name"]


def in_a_list():
    """The same sites along one dim, with names and dates."""
    ds = world().isel(lat=0, drop=True).rename(lon="basin").assign_coords(basin=NAMES)
    founded = np.array(["1901-01-01", "1950-06-01", "2000-01-01"], "M8[ns]")
    return ds.assign_coords(founded=("basin", founded), river=("basin", np.array(["x", "y", "z"], object)))


@pytest.fixture(scope="module")
def fit():
    return quick(observation=SiteAffine(penalty=0.1), epochs=10)


def test_it_is_reported(fit):
    text = repr(fit)
    assert "site_affine, penalty 0.1, rate 10 (median scale " in text
    assert "site_affine" in fit._repr_html_()
    assert "observation" not in repr(quick(epochs=1))
    assert "anomaly: both less their own means" in repr(quick(epochs=1, observation="anomaly"))


def test_it_is_labelled(fit):
    found = fit.observation
    assert found["runoff_scale"].dims == ("lat", "lon")
    assert (found["runoff_scale"].attrs["units"], found["runoff_offset"].attrs["units"]) == ("1", "mm d-1")
    assert all(v.attrs["long_name"] for v in found.data_vars.values())
    assert found.attrs["period"] == ["2001-02-01", "2001-04-30"]


@pytest.mark.parametrize(
    "operator", ["identity", "anomaly", "global_affine", "site_affine", Frozen(0.9, 0.1)]
)
def test_it_is_stored(tmp_path, operator):
    fit = quick(in_a_list(), observation=operator)
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    xr.testing.assert_identical(loaded.observation, fit.observation)
    assert loaded.settings == fit.settings
    assert {k: o.to_dict() for k, o in loaded.operators.items()} == {
        k: o.to_dict() for k, o in fit.operators.items()
    }


def test_arrays_are_stored(tmp_path):
    ds = in_a_list()
    scale = xr.DataArray([0.5, 1.0, 2.0], {"basin": NAMES}, "basin", attrs={"units": "1"})
    fit = quick(ds, observation=Frozen(scale, 0.0))
    fit.save(tmp_path / "fit")
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    xr.testing.assert_identical(loaded.operators["runoff"].scale, scale)
    options = {"time": TRAIN, "operator": True}
    xr.testing.assert_equal(loaded.evaluate(ds, **options)["rmse"], fit.evaluate(ds, **options)["rmse"])


def test_labels_of_every_kind_come_back():
    days = np.array([1, 2], "M8[D]").astype("M8[ns]")
    pairs = np.empty(2, object)
    pairs[:] = [(1, 2), None]
    coords = {"a": ["x", ""], "b": ("a", [1.5, np.nan]), "c": ("a", days), "d": ("a", pairs)}
    ds = xr.Dataset({"v": ("a", [True, False])}, coords, {"k": [1]})
    kept, said = packed(ds, "observation.")
    back = unpacked(kept, said, "observation.")
    xr.testing.assert_identical(back.drop_vars("d"), ds.drop_vars("d"))
    # What has no plain form is kept as text.
    assert back["d"].values.tolist() == ["(1, 2)", "None"]


def test_simulations_are_those_of_the_model(fit):
    ds = world()
    own = xdpl.simulate(ds, Bucket(), fit.parameters(ds))
    xr.testing.assert_equal(fit.simulate(ds)["runoff"], own["runoff"])


def test_scores_say_what_is_scored(fit):
    ds = world()
    plain, through = (fit.evaluate(ds, time=TRAIN, operator=o) for o in (False, True))
    assert plain.attrs["scored"] == "output of the model as it is"
    assert through.attrs["scored"].endswith("operator (runoff: site_affine, penalty 0.1, rate 10)")
    sim = fit.simulate(ds)["runoff"]
    compared = sim * fit.observation["runoff_scale"] + fit.observation["runoff_offset"]
    for scores, series in ((plain, sim), (through, compared)):
        error = ((series - ds["runoff"]).sel(time=TRAIN).astype(float) ** 2).mean("time") ** 0.5
        np.testing.assert_allclose(scores["rmse"], error.transpose("lat", "lon"), rtol=1e-5)
        assert scores["rmse"].attrs["units"] == "mm d-1"


def test_training_loss_is_that_of_the_score():
    # All of the record before the period warms up, as it does in a score.
    still = {"learning_rate": 1e-12}
    fit = quick(observation="anomaly", loss="rmse", epochs=1, window=89, warmup=31, batch=6, **still)
    rmse = fit.evaluate(world(), time=TRAIN, operator=True)["pooled_rmse"]
    assert float(rmse) == pytest.approx(float(fit.history["loss"][-1]), rel=1e-4)


def test_anomalies_are_from_means_of_the_training():
    ds, later = world(), slice("2001-05-15", "2001-06-30")
    fit = quick(observation="anomaly")
    found = fit.evaluate(ds, time=later, operator=True)["bias"]
    sim, obs = fit.simulate(ds)["runoff"], ds["runoff"]
    both = obs.notnull()
    bias = (sim - obs).sel(time=later).mean("time") - (sim - obs).where(both).sel(time=TRAIN).mean("time")
    np.testing.assert_allclose(found, bias.transpose("lat", "lon"), atol=1e-5)


def test_values_belong_to_labels(fit):
    ds = world()
    turned = ds.isel(lat=slice(None, None, -1)).transpose("lon", "lat", "time")
    found = fit.evaluate(turned, time=TRAIN, operator=True)["rmse"]
    expected = fit.evaluate(ds, time=TRAIN, operator=True)["rmse"]
    xr.testing.assert_allclose(found.sortby("lat").transpose("lat", "lon"), expected)


def test_other_sites_have_no_score_through_the_operator(fit):
    ds = world()
    other = ds.assign_coords(lon=[5.0, 6.0, 8.0])
    found = fit.evaluate(other, time=TRAIN, operator=True)["rmse"]
    assert found.sel(lon=8.0).isnull().all()
    assert found.sel(lon=[5.0, 6.0]).notnull().all()
    assert fit.evaluate(other, time=TRAIN)["rmse"].notnull().all()


def test_lazy_data_stay_lazy(fit):
    ds = world()
    lazy = fit.evaluate(ds.chunk(lat=1), time=TRAIN, operator=True)
    assert lazy["rmse"].chunks is not None
    xr.testing.assert_allclose(lazy["rmse"].compute(), fit.evaluate(ds, time=TRAIN, operator=True)["rmse"])


def test_sites_of_other_dims_are_refused(fit):
    ds = in_a_list()
    with pytest.raises(InputErrors, match=r"Fit\.evaluate") as raised:
        fit.evaluate(ds, operator=True)
    assert "dim 'lon', along which scale and offset differ" in problems(raised)["operator"]


def test_sites_without_labels_are_taken_by_their_number():
    ds = in_a_list().drop_vars(["basin", "founded", "river"])
    fit = quick(ds, observation="site_affine")
    assert np.isfinite(fit.evaluate(ds, time=TRAIN, operator=True)["rmse"]).all()
    with pytest.raises(InputErrors, match="the 3 sites of the training along 'basin'"):
        fit.evaluate(ds.isel(basin=[0, 1]), operator=True)


def test_a_record_without_the_training_is_refused():
    fit = quick(observation="anomaly")
    with pytest.raises(InputErrors, match="days of the training, 2001-02-01 to 2001-04-30"):
        fit.evaluate(world().sel(time=slice("2001-06-01", None)), operator=True)


def test_ensembles_have_theirs_along_seed(tmp_path):
    ds = world()
    ensemble = quick(ds, observation="site_affine", seed=[0, 1])
    assert ensemble.observation["runoff_scale"].dims == ("seed", "lat", "lon")
    own = ensemble.fits[1].observation["runoff_offset"]
    np.testing.assert_array_equal(ensemble.observation["runoff_offset"].sel(seed=1), own)
    scores = ensemble.evaluate(ds, time=TRAIN, operator=True)
    assert scores["rmse"].dims == ("seed", "lat", "lon")
    ensemble.save(tmp_path / "all")
    loaded = xdpl.load(tmp_path / "all", model=Bucket())
    xr.testing.assert_equal(loaded.observation, ensemble.observation)
    with pytest.raises(InputErrors, match="every fit has its own"):
        ensemble.evaluate(ds, operator=True, mean=True)


def test_quantities_stay_quantities(fit):
    import pint

    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    ds = world()
    plain = fit.evaluate(ds, time=TRAIN, operator=True)["rmse"]
    ds["runoff"] = ds["runoff"].copy(data=registry.Quantity(ds["runoff"].values, "mm / day")).drop_attrs()
    found = fit.evaluate(ds, time=TRAIN, operator=True)["rmse"]
    np.testing.assert_allclose(found.data.magnitude, plain)
