"""Every way to call `regionalise` in vain, and what takes part."""

import numpy as np
import pint
import pytest
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, problems, world
from helpers_regionalise import bucket_truth, regional

import xdpl
from xdpl.errors import InputErrors
from xdpl.models import NetworkOnly


def refused(ds=None, **options):
    with pytest.raises(InputErrors, match=r"regionalise\('\w+'\) cannot run") as raised:
        regional(ds, **options)
    return problems(raised)


def test_all_problems_at_once():
    found = refused(
        world().drop_vars("runoff"),
        method="kriging",
        average="both",
        donors=0,
        attributes=["silt"],
        sites=[True, False],
        parameters=xr.Dataset({"lake": 1.0, "leak": 7.0}),
    )
    assert set(found) == {"runoff", "method", "average", "donors", "silt", "sites", "lake", "leak"}
    assert "one of regression, similarity, nearest" in found["method"]
    assert "one of outputs, parameters" in found["average"]
    assert "an integer of at least 1" in found["donors"]
    assert "rename it to 'leak'" in found["lake"]
    assert "a boolean DataArray with dims ('lat', 'lon')" in found["sites"]


@pytest.mark.parametrize("donors", [2.0, True, "2", -1])
def test_number_of_donors(donors):
    assert repr(donors) in refused(donors=donors, method="nearest")["donors"]


@pytest.mark.parametrize("method", ["regression", "similarity"])
@pytest.mark.parametrize("attributes", [None, []])
def test_attributes_are_needed(method, attributes):
    message = refused(method=method, attributes=attributes)["attributes"]
    assert f"at least one, for {method}" in message and 'method="nearest"' in message


@pytest.mark.parametrize("parameters", [5.0, [1.0], xr.DataArray(1.0)])
def test_parameters_that_are_none(parameters):
    assert "a Dataset of calibrated parameters" in refused(parameters=parameters)["parameters"]


def test_parameters_of_nothing():
    message = refused(parameters=xr.Dataset())["parameters"]
    assert "at least one parameter of 'bucket'" in message and "leak, split" in message
    assert (
        "take a process model" in refused(model=NetworkOnly(Bucket()), parameters=xr.Dataset())["parameters"]
    )


def test_values_out_of_bounds():
    ds = world()
    theta = bucket_truth(ds)
    theta["leak"][0, 0] = 2.0
    message = refused(parameters=theta)["leak"]
    assert "values in [0.01, 0.9] d-1, got 1 outside, such as 2" in message
    # The same, read only when it is used.
    assert refused(parameters=theta.chunk(lat=1))["leak"] == message


def test_units_of_parameters():
    ds = world()
    expected = regional().parameters(ds)
    theta = bucket_truth(ds)
    theta["split"] = (100.0 * theta["split"]).assign_attrs(units="percent")
    found = regional(parameters=theta).parameters(ds)
    np.testing.assert_allclose(found["split"], expected["split"], rtol=1e-9)
    assert found["split"].attrs["units"] == "1"
    theta["split"] = bucket_truth(ds)["split"].drop_attrs()
    assert "no units attribute" in refused(parameters=theta)["split"]


def test_dims_of_parameters():
    theta = bucket_truth(world())
    several = theta.expand_dims(member=2)
    message = refused(parameters=several)["leak"]
    assert "a calibrated parameter with dims among ('lat', 'lon')" in message
    shifted = theta.assign_coords(lon=theta["lon"] + 0.1)
    assert "parameters.reindex_like(ds)" in refused(parameters=shifted)["leak"]
    fewer = theta.isel(lon=[0, 2])
    assert "parameters.reindex_like(ds)" in refused(parameters=fewer)["split"]


def test_one_value_everywhere():
    theta = {"leak": bucket_truth(world())["leak"], "split": 0.25}
    found = regional(parameters=theta, method="similarity").parameters(world())
    np.testing.assert_array_equal(found["split"], 0.25)


@pytest.mark.parametrize("what", ["attributes", "position"])
def test_dims_of_what_sites_are_known_by(what):
    ds = world()
    moving = ds["sand"] + 0.0 * ds["precipitation"]
    if what == "attributes":
        found = refused(ds.assign(sand=moving.assign_attrs(units="percent")))["sand"]
        assert "an attribute with dims among" in found
    else:
        ds = ds.drop_vars("lat").assign(latitude=moving.assign_attrs(units="degrees_north"))
        assert "a latitude with dims among" in refused(ds, method="nearest")["latitude"]


def test_position_is_needed_for_the_nearest():
    nowhere = world().drop_vars(["lat", "lon"])
    found = refused(nowhere, parameters=bucket_truth(nowhere), method="nearest")
    assert "named 'latitude' or 'lat'" in found["latitude"]
    assert 'lon=("<dim>", values, {"units": "degrees_east"})' in found["longitude"]
    one = regional(method="nearest")
    with pytest.raises(InputErrors, match=r"Regionalisation\.parameters cannot run") as raised:
        one.parameters(nowhere)
    assert {"latitude", "longitude"} == set(problems(raised))
    assert regional(nowhere, parameters=bucket_truth(nowhere), method="similarity").attributes


def test_attributes_that_are_missing_where_they_are_needed():
    ds = world()
    one = regional(ds, parameters=bucket_truth(ds).where(ds["lon"] != 7.0))
    ds["clay"][0, 2] = np.nan
    # Not a calibrated site: not needed here.
    again = regional(ds, parameters=bucket_truth(world()).where(ds["lon"] != 7.0))
    np.testing.assert_array_equal(again.method.relation.coefficients, one.method.relation.coefficients)
    ds["clay"][0, 0] = np.nan
    assert "lat=40.0, lon=5.0" in refused(ds, parameters=bucket_truth(world()))["clay"]
    ds["clay"][0, :] = np.nan
    ds["sand"][0, :] = np.nan
    assert regional(ds, parameters=bucket_truth(world())).settings["training_sites"] == 3


def test_too_few_calibrated_sites():
    ds = world()
    theta, one = bucket_truth(ds), (ds["sand"] == ds["sand"][0, 0])
    assert "at least 2 sites with calibrated parameters and attributes, got 1" in refused(sites=one)["sites"]
    message = refused(sites=one, method="similarity", donors=3)["donors"]
    assert "at least 3 sites" in message and "donors=1" in message
    none = refused(parameters=theta.where(False), method="nearest", attributes=None)["sites"]
    assert "got 0" in none and "calibrate more sites" in none
    assert regional(sites=one, method="similarity", donors=1).settings["training_sites"] == 1


@pytest.mark.parametrize("method", ["regression", "similarity", "nearest"])
def test_only_calibrated_and_chosen_sites_count(method):
    ds = world()
    theta, chosen = bucket_truth(ds), (ds["lon"] < 7.0) & (ds["sand"] > 0)
    expected = regional(sites=chosen, method=method).parameters(ds)
    partly = theta.assign(split=theta["split"].where(chosen).assign_attrs(units="1"))
    uncalibrated = regional(parameters=partly, method=method)
    assert uncalibrated.settings["training_sites"] == 4
    xr.testing.assert_equal(uncalibrated.parameters(ds), expected)
    other = ds.assign(sand=ds["sand"].where(chosen, 1e6).assign_attrs(ds["sand"].attrs))
    # What is not chosen changes neither the donors nor the statistics of the attributes.
    again = regional(other, sites=chosen, method=method, parameters=theta)
    xr.testing.assert_equal(again.parameters(ds), expected)


@pytest.mark.parametrize("method", ["regression", "similarity"])
def test_quantities_and_lazy_inputs(method):
    ds = world()
    expected = regional(method=method).parameters(ds)
    theta = bucket_truth(ds)
    lazy = regional(ds.chunk(lat=1), parameters=theta.chunk(lon=2), method=method)
    xr.testing.assert_equal(lazy.parameters(ds), expected)
    registry = pint.UnitRegistry(force_ndarray_like=True)
    quantity = registry.Quantity(theta["leak"].values, "1 / day")
    found = regional(parameters=theta.assign(leak=(theta["leak"].dims, quantity)), method=method)
    xr.testing.assert_allclose(found.parameters(ds), expected)


def test_targets_of_other_names_and_several():
    ds = world().rename(runoff="gauge")
    one = regional(ds, target={"runoff": "gauge"}, parameters=bucket_truth(ds))
    assert one.targets == {"runoff": "gauge"} and one.target == "runoff" and one.target_variable == "gauge"
    ds["wet"] = (0.01 * ds["gauge"]).assign_attrs(units="1")
    both = regional(ds, target={"runoff": "gauge", "wetness": "wet"}, parameters=bucket_truth(ds))
    assert both.evaluate(ds)["rmse"].sizes["target"] == 2


def test_a_tree_is_refused():
    tree = xr.DataTree.from_dict({"/a": world()})
    with pytest.raises(InputErrors, match="regionalise cannot run"):
        xdpl.regionalise(tree, Bucket(), bucket_truth(world()), target="runoff", attributes=ATTRIBUTES)


def test_the_accessor_is_the_function():
    ds = world()
    options = {"target": "runoff", "attributes": ATTRIBUTES}
    one = ds.dpl.regionalise(Bucket(), bucket_truth(ds), **options)
    xr.testing.assert_equal(one.parameters(ds), regional().parameters(ds))
