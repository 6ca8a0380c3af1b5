"""`learn(..., observation=...)`: what is learned through each operator, and what is refused."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import assert_same_fit, problems, quick, weights, world

from xdpl.errors import InputErrors
from xdpl.observation import Anomaly, Frozen, GlobalAffine, SiteAffine

LONG = {"epochs": 60, "window": 89}
LATE = slice("2001-05-01", "2001-06-30")


def seen_as(scale, offset):
    """The world, observed with a bias."""
    ds = world()
    ds["runoff"] = (ds["runoff"] * scale + offset).transpose("time", "lat", "lon")
    ds["runoff"].attrs["units"] = "mm d-1"
    return ds


def of_sites(values):
    ds = world()
    coords = {"lat": ds["lat"], "lon": ds["lon"]}
    return xr.DataArray(np.reshape(values, (2, 3)), coords, ("lat", "lon")).drop_attrs(deep=False)


SCALE = of_sites([0.5, 0.8, 1.0, 1.2, 1.5, 2.0])
OFFSET = of_sites([0.5, -0.5, 0.0, 1.0, -1.0, 0.2])


def test_through_the_known_bias_the_truth_is_learned():
    """The loss is relative to the spread of the observations, which the scale changes alike."""
    biased = seen_as(1.5, 2.0)
    found = quick(biased, observation=Frozen(1.5, 2.0))
    np.testing.assert_allclose(weights(found), weights(quick()), atol=1e-4)
    assert np.abs(weights(quick(biased)) - weights(quick())).max() > 1e-2


def test_arrays_are_of_their_sites():
    # In another order of dims, and other units.
    offset = (OFFSET / 10).transpose("lon", "lat").assign_attrs(units="cm d-1")
    found = quick(seen_as(SCALE, OFFSET), observation=Frozen(SCALE.assign_attrs(units="1"), offset))
    # Not the same to the last digit: the typical spread is another.
    np.testing.assert_allclose(weights(found), weights(quick()), atol=0.01)
    assert np.abs(weights(quick(seen_as(SCALE, OFFSET))) - weights(quick())).max() > 0.05
    xr.testing.assert_allclose(found.observation["runoff_offset"], OFFSET)
    assert found.observation["runoff_offset"].attrs["units"] == "mm d-1"
    assert found.observation["runoff_offset"].dims == ("lat", "lon")


def test_global_scale_and_offset_are_learned():
    found = quick(seen_as(1.5, 2.0), observation="global_affine", **LONG).observation
    assert float(found["runoff_scale"]) == pytest.approx(1.5, rel=0.1)
    assert float(found["runoff_offset"]) == pytest.approx(2.0, rel=0.15)
    assert found["runoff_scale"].dims == ()


def test_trusted_sites_are_compared_as_they_are():
    trusted = of_sites([True, False, False, False, False, False]).astype(bool)
    ds = seen_as(SCALE.where(~trusted, 1.0), OFFSET.where(~trusted, 0.0))
    fit = quick(ds, observation=SiteAffine(penalty=0.0, trusted=trusted), **LONG)
    scale, offset = fit.observation["runoff_scale"], fit.observation["runoff_offset"]
    assert float(scale[0, 0]) == 1.0
    assert float(offset[0, 0]) == pytest.approx(0.0, abs=1e-6)
    assert int((scale != 1.0).sum()) == 5
    assert float(abs(scale / SCALE - 1.0).where(~trusted).max()) < 0.25
    other = quick(ds.transpose(), observation=SiteAffine(penalty=0.0, trusted=trusted.T), **LONG)
    assert_same_fit(other, fit)


def test_scale_and_offset_of_each_site_are_learned():
    found = quick(seen_as(SCALE, OFFSET), observation=SiteAffine(penalty=0.0), **LONG).observation
    np.testing.assert_allclose(found["runoff_scale"], SCALE, rtol=0.25)
    np.testing.assert_allclose(found["runoff_offset"], OFFSET, atol=0.25)


def test_a_penalty_holds_them_back():
    biased = seen_as(SCALE, OFFSET)
    moved = []
    for penalty in (0.0, 0.1, 1.0, 100.0):
        found = quick(biased, observation=SiteAffine(penalty=penalty), **LONG).observation
        moved.append(float((np.log(found["runoff_scale"]) ** 2).mean()))
    assert moved == sorted(moved, reverse=True)
    assert moved[-1] < 1e-3 * moved[0]


def test_sites_that_were_not_trained_on_have_none():
    sites = world()["sand"] > world()["sand"].min()
    found = quick(sites=sites, observation="site_affine").observation
    xr.testing.assert_equal(found["runoff_scale"].notnull(), sites)


def test_anomalies_know_no_level():
    ds = seen_as(1.0, OFFSET)
    found, plain = (quick(d, observation="anomaly") for d in (ds, world()))
    np.testing.assert_allclose(weights(found), weights(plain), atol=1e-4)
    assert list(found.observation.data_vars) == []
    # They know amplitude.
    other = quick(seen_as(2.0, 0.0), observation=Anomaly())
    assert np.abs(weights(other) - weights(plain)).max() > 1e-2


@pytest.mark.parametrize("operator", ["site_affine", "global_affine", "anomaly"])
def test_nothing_is_known_of_other_days(operator):
    ds = world()
    late = ds.copy(deep=True)
    late["runoff"] = late["runoff"].where(late["time"] <= np.datetime64("2001-04-30"), 99.0)
    late["runoff"].attrs = ds["runoff"].attrs
    a, b = (quick(d, observation=operator) for d in (ds, late))
    assert_same_fit(a, b)
    xr.testing.assert_equal(a.observation, b.observation)


def test_each_target_has_its_own():
    ds = world()
    ds["wet"] = (0.5 * ds["runoff"]).assign_attrs(units="percent")
    targets = {"runoff": "runoff", "wetness": "wet"}
    fit = quick(ds, target=targets, observation={"runoff": "identity", "wetness": GlobalAffine()})
    assert list(fit.observation.data_vars) == ["wetness_scale", "wetness_offset"]
    assert fit.observation["wetness_offset"].attrs["units"] == "1"
    assert fit.settings["observation"] == {
        "runoff": "none: compared as they are",
        "wetness": "global_affine, rate 10.0",
    }


def test_validation_is_through_the_operator():
    biased = seen_as(1.5, 2.0)
    with_it, without = (quick(biased, validate=LATE, observation=o) for o in (Frozen(1.5, 2.0), "identity"))
    plain = quick(validate=LATE)
    xr.testing.assert_allclose(
        with_it.history["validation_loss"], plain.history["validation_loss"], rtol=1e-3
    )
    assert (without.history["validation_loss"] > 2 * plain.history["validation_loss"]).all()


def test_seed_decides():
    options = {"observation": "site_affine", "seed": 4}
    a, b = quick(**options), quick(**options)
    assert_same_fit(a, b)
    xr.testing.assert_equal(a.observation, b.observation)


REFUSED = {
    "unknown": ({"observation": "affine"}, "observation", "one of 'anomaly'"),
    "kge of departures": ({"observation": "anomaly", "loss": "kge"}, "observation", "it compares means"),
    "logarithms": ({"observation": "anomaly", "loss": "rmse_log"}, "observation", "no logarithm"),
    "validation sites": (
        {"observation": "site_affine", "validate": world()["sand"] == world()["sand"].max()},
        "observation",
        "validation at other sites",
    ),
    "another target": (
        {"observation": {"wetness": "anomaly"}},
        "observation",
        "a value for each target",
    ),
    "dims": ({"observation": Frozen(world()["runoff"])}, "observation scale", "dims among"),
    "trusted": (
        {"observation": SiteAffine(trusted=world()["runoff"] > 0)},
        "observation trusted",
        "dims among",
    ),
    "units": ({"observation": Frozen(1.0, OFFSET)}, "observation offset", "no units"),
    "other units": (
        {"observation": Frozen(1.0, OFFSET.assign_attrs(units="K"))},
        "observation offset",
        "convertible to 'mm d-1'",
    ),
    "labels": (
        {"observation": Frozen(SCALE.assign_coords(lat=[1.0, 2.0]).assign_attrs(units="1"))},
        "observation scale",
        "labels of the dataset",
    ),
    "a gap": (
        {"observation": Frozen(SCALE.where(SCALE > 0.5).assign_attrs(units="1"))},
        "observation",
        "others at 1 of 6 sites, first lat=40.0, lon=5.0",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused(what):
    options, subject, message = REFUSED[what]
    with pytest.raises(InputErrors, match="learn") as raised:
        quick(**options)
    assert message in problems(raised)[subject]


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(InputErrors, match="learn") as raised:
        quick(observation=Frozen(SCALE, OFFSET.assign_attrs(units="K")), epochs=0, loss="mse")
    assert set(problems(raised)) == {"epochs", "loss", "observation scale", "observation offset"}
