"""What a regionalisation answers: parameters, simulations, scores, of any dataset."""

import json

import dask
import numpy as np
import pytest
import xarray as xr
from helpers_learn import ATTRIBUTES, Bucket, fitted, problems, training_sites, twin, world
from helpers_regionalise import METHODS, TWIN_ATTRIBUTES, bucket_truth, of_twin, regional, twin_truth

import xdpl
from xdpl.errors import InputErrors

LATE = slice("2001-07", None)


@pytest.mark.parametrize("average", ["outputs", "parameters"])
@pytest.mark.parametrize("method", METHODS)
def test_better_than_the_defaults_at_held_out_sites(method, average):
    ds, held_out = twin(), ~training_sites(twin())
    truth = ds["true_soil_moisture"]

    def rmse(sim):
        error = np.sqrt(((sim["soil_moisture"] - truth) ** 2).mean("time")).where(held_out)
        return error.stack(site=["lat", "lon"]).dropna("site")

    carried, default = rmse(of_twin(method, average).simulate(ds)), rmse(ds.dpl.simulate("vic"))
    assert carried.size == int(held_out.sum()) == 8
    assert (carried < default).mean() > 0.8
    assert float(carried.mean()) < 0.5 * float(default.mean())


def test_members_of_donors_are_complete_sets():
    ds, theta = world(), bucket_truth(world())
    found = regional(method="similarity").parameters(ds)
    assert found["leak"].dims == ("member", "lat", "lon") and found.sizes["member"] == 2
    # A calibrated site is its own first donor.
    for name in theta:
        np.testing.assert_array_equal(found[name].isel(member=0), theta[name])
    pairs = set(zip(*(theta[k].values.ravel().tolist() for k in ("leak", "split")), strict=True))
    second = found.isel(member=1)
    assert set(zip(*(second[k].values.ravel().tolist() for k in ("leak", "split")), strict=True)) <= pairs


@pytest.mark.parametrize("method", METHODS)
def test_by_hand_on_a_line_of_sites(method):
    """Four calibrated sites and one between the second and the third, from which all are seen."""
    ds = world().stack(site=["lat", "lon"]).isel(site=slice(5)).drop_vars(["site", "lat", "lon"])
    ds = ds.assign_coords(
        lat=("site", [10.0, 11.0, 13.0, 14.0, 12.1], {"units": "degrees_north"}),
        lon=("site", [5.0] * 5, {"units": "degrees_east"}),
    )
    ds["sand"] = ("site", [20.0, 30.0, 50.0, 60.0, 41.0], {"units": "percent"})
    leak = np.array([0.1, 0.2, 0.3, 0.4, np.nan])
    theta = xr.Dataset({"leak": ("site", leak, {"units": "d-1"})})
    found = regional(ds, parameters=theta, method=method, attributes=["sand"])
    got = found.parameters(ds)["leak"]
    if method == "regression":
        # The four odds lie nearly on a line, of which the fifth site is near the middle.
        assert 0.2 < got.values[4] < 0.3
        np.testing.assert_allclose(got.values[:4], leak[:4], rtol=0.35)
    else:
        np.testing.assert_array_equal(got.isel(site=4), [0.3, 0.2])
        np.testing.assert_array_equal(got.isel(member=0)[:4], leak[:4])
    assert list(got.coords) == ["lat", "lon"]


def test_simulations_of_donors_are_averaged():
    ds, one = world(), regional(method="nearest", donors=3)
    theta = one.parameters(ds)
    members = [ds.dpl.simulate(Bucket(), theta.isel(member=i))["runoff"] for i in range(3)]
    found = one.simulate(ds)
    assert found["runoff"].dims == ("time", "lat", "lon")
    np.testing.assert_allclose(found["runoff"], sum(members) / 3, rtol=1e-5)
    kept = one.simulate(ds, average=None)
    assert kept["runoff"].sizes["member"] == 3


def test_routes_of_donors_are_their_own():
    ds = world().rename(runoff="streamflow")
    ds["air_temperature"] = ds["precipitation"].assign_attrs(units="degC")
    ds["potential_evapotranspiration"] = ds["precipitation"]
    theta = xr.Dataset({"route_a": 1.0 + 0.01 * ds["sand"], "fc": 100.0 + 5.0 * ds["sand"]})
    theta["route_a"].attrs, theta["fc"].attrs = {"units": "1"}, {"units": "mm"}
    one = xdpl.regionalise(
        ds, "hbv", theta, target="streamflow", attributes=["sand"], method="similarity", donors=2
    )
    sets = one.parameters(ds)
    alone = [ds.dpl.simulate("hbv", sets.isel(member=i))["streamflow"] for i in range(2)]
    np.testing.assert_allclose(one.simulate(ds)["streamflow"], sum(alone) / 2, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("average", ["outputs", "parameters"])
def test_one_donor_has_no_members(average):
    ds = world()
    found = regional(method="similarity", donors=1, average=average).parameters(ds)
    assert found["leak"].dims == ("lat", "lon")
    np.testing.assert_array_equal(found["leak"], bucket_truth(ds)["leak"])


def test_mean_of_parameters():
    ds = world()
    sets = regional(method="similarity", donors=3).parameters(ds)
    mean = regional(method="similarity", donors=3, average="parameters").parameters(ds)
    np.testing.assert_allclose(mean["leak"], np.exp(np.log(sets["leak"]).mean("member")), rtol=1e-12)
    np.testing.assert_allclose(mean["split"], sets["split"].mean("member"), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_parameters_are_labelled_and_in_bounds(method):
    ds = twin()
    found = of_twin(method).parameters(ds)
    model = xdpl.models.get("vic")
    declared = {p.name: p for p in model.parameters}
    assert set(found) == set(twin_truth(ds))
    for name, array in found.items():
        p = declared[name]
        assert array.attrs["units"] == p.units and array.attrs["lower_bound"] == p.lower
        assert bool(((array >= p.lower) & (array <= p.upper)).all())
    for name in ("lat", "lon"):
        xr.testing.assert_identical(found[name], ds[name])
    assert json.loads(found.attrs["training"]) == of_twin(method).settings
    assert json.loads(found.attrs["attributes"]) == TWIN_ATTRIBUTES
    assert method in found.attrs["title"]


@pytest.mark.parametrize("method", METHODS)
def test_scores_are_those_of_a_fit(method):
    ds = twin()
    ours, theirs = of_twin(method).evaluate(ds, time=LATE), fitted().evaluate(ds, time=LATE)
    assert list(ours) == list(theirs)
    for name in theirs:
        assert ours[name].dims == theirs[name].dims and ours[name].dtype == theirs[name].dtype
        assert ours[name].attrs == theirs[name].attrs
    simulated = of_twin(method).simulate(ds)["soil_moisture"].sel(time=LATE)
    error = simulated - ds["soil_moisture"].sel(time=LATE)
    np.testing.assert_allclose(ours["rmse"], np.sqrt((error**2).mean("time")), rtol=1e-4)
    assert "trained on" not in ours.attrs["comment"]


@pytest.mark.parametrize("method", METHODS)
def test_lazy_and_the_same_in_blocks_of_any_size(method, counter):
    ds, one = twin(), of_twin(method)
    expected = one.parameters(ds)
    for chunks in ({"lat": 2}, {"lat": 1, "lon": 4}):
        lazy = one.parameters(ds.chunk(time=-1, **chunks))
        assert counter.calls == 0 and all(a.chunks is not None for a in lazy.values())
        with dask.config.set(scheduler="synchronous"):
            xr.testing.assert_equal(lazy.compute(), expected)
    lazy = one.evaluate(ds.chunk(time=-1, lat=2))
    assert counter.calls == 0
    with dask.config.set(scheduler="synchronous"):
        np.testing.assert_allclose(lazy["rmse"].compute(), one.evaluate(ds)["rmse"], rtol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_dask_knows_a_method_by_its_values(method):
    ds = twin().chunk(time=-1, lat=2)
    one, again, other = (
        xdpl.regionalise(
            twin(),
            "vic",
            twin_truth(twin()),
            target="soil_moisture",
            attributes=TWIN_ATTRIBUTES,
            method=method,
            sites=sites,
        ).parameters(ds)["ksat"]
        for sites in (None, None, training_sites(twin()))
    )
    assert one.data.name == again.data.name != other.data.name


@pytest.mark.parametrize("method", METHODS)
def test_no_attributes_no_parameters(method):
    ds, one = world(), regional(method=method)
    expected = one.parameters(ds)
    ds[ATTRIBUTES] = ds[ATTRIBUTES].where(ds["lon"] != 6.0)
    found = one.parameters(ds)
    for name in expected:
        assert found[name].sel(lon=6.0).isnull().all()
        xr.testing.assert_equal(found[name].sel(lon=[5.0, 7.0]), expected[name].sel(lon=[5.0, 7.0]))
    assert one.simulate(ds)["runoff"].sel(lon=6.0).isnull().all()
    ds["clay"][0, 0] = np.nan
    with pytest.raises(InputErrors, match=r"Regionalisation\.parameters cannot run") as raised:
        one.parameters(ds)
    assert "all of them NaN marks a site to leave out" in problems(raised)["clay"]


@pytest.mark.parametrize("method", METHODS)
def test_attributes_in_other_units(method):
    ds, one = world(), regional(method=method)
    expected = one.parameters(ds)
    ds["sand"] = (ds["sand"] / 100.0).assign_attrs(units="1")
    found = one.parameters(ds)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_the_order_of_dims_does_not_matter(method):
    ds, one = world(), regional(method=method)
    turned = ds.transpose("lon", "time", "lat")
    again = regional(turned, method=method)
    for name, array in one.parameters(ds).items():
        xr.testing.assert_equal(again.parameters(turned)[name].transpose(*array.dims), array)
    assert one.parameters(turned)["split"].dims[-2:] == ("lon", "lat")


def test_nearest_without_attributes():
    ds = world()
    one = regional(method="nearest", attributes=None)
    bare = ds.drop_vars(ATTRIBUTES)
    found = one.parameters(bare)
    xr.testing.assert_equal(found, regional(method="nearest").parameters(ds))
    # Across the date line the first neighbour of the easternmost column is the westernmost.
    ring = ds.assign_coords(lon=("lon", [-179.0, 0.0, 178.0], ds["lon"].attrs))
    ring_truth = bucket_truth(ring)
    options = {"parameters": ring_truth, "method": "nearest", "attributes": None}
    carried = regional(ring, **options).parameters(ring)
    np.testing.assert_array_equal(carried["split"].isel(member=0), ring_truth["split"])
    western = (ring["sand"] > 0) & (ring["lon"] < 1)
    far = regional(ring, sites=western, **options).parameters(ring)
    np.testing.assert_array_equal(far["split"].isel(member=0, lon=2), ring_truth["split"].isel(lon=0))


def test_position_by_standard_name_and_in_radians():
    ds = world()
    expected = regional(method="nearest").parameters(ds)
    radians = {
        k: (ds[k].dims, np.radians(ds[k]).values, {**ds[k].attrs, "units": "radian"}) for k in ("lat", "lon")
    }
    other = ds.assign_coords({"north": radians["lat"], "east": radians["lon"]}).drop_vars(["lat", "lon"])
    found = regional(method="nearest").parameters(other)
    np.testing.assert_array_equal(found["leak"], expected["leak"])


def test_a_site_where_the_position_is_unknown():
    ds = world().stack(site=["lat", "lon"]).reset_index("site")
    ds["lat"].attrs, ds["lon"].attrs = {"units": "degrees_north"}, {"units": "degrees_east"}
    one = regional(ds, parameters=bucket_truth(ds), method="nearest", attributes=None)
    unknown = ds.assign_coords(lat=ds["lat"].where(np.arange(6) != 3).assign_attrs(ds["lat"].attrs))
    leak = one.parameters(unknown)["leak"]
    assert leak.isnull().sum("member").values.tolist() == [0, 0, 0, 2, 0, 0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", ["parameters", "simulate", "evaluate"])
def test_trees(method, name):
    ds = twin()
    nodes = {"north": ds.isel(lat=slice(3, None)), "south/low": ds.isel(lat=slice(3))}
    call = getattr(of_twin(method), name)
    found = call(xr.DataTree.from_dict({f"/{k}": v for k, v in nodes.items()}))
    for path, node in nodes.items():
        xr.testing.assert_equal(found[path].to_dataset(), call(node))


def test_a_tree_of_positions():
    ds = world()
    tree = xr.DataTree.from_dict(
        {"/a": ds.drop_vars(ATTRIBUTES), "/b": ds[["sand"]].drop_vars(["lat", "lon"])}
    )
    one = regional(method="nearest", attributes=None)
    assert [node.path for node in one.parameters(tree).leaves] == ["/a"]
    with pytest.raises(InputErrors, match=r"Regionalisation\.evaluate\(tree\) cannot run"):
        one.evaluate(xr.DataTree.from_dict({"/b": ds[["sand"]]}))


def test_scored_by_another_variable():
    ds, one = world(), regional()
    expected = one.evaluate(ds)["rmse"]
    other = ds.rename(runoff="gauge")
    xr.testing.assert_equal(one.evaluate(other, target="gauge")["rmse"], expected)
    with pytest.raises(InputErrors, match=r"Regionalisation\.evaluate cannot run") as raised:
        one.evaluate(other)
    assert 'regionalisation.evaluate(ds, target="<variable>")' in problems(raised)["runoff"]


def test_forcings_of_the_calibration():
    ds = world().rename(precipitation="pr")
    one = regional(ds, parameters=bucket_truth(ds), forcings={"precipitation": "pr"})
    assert one.forcings == {"precipitation": "pr"}
    xr.testing.assert_equal(one.simulate(ds)["runoff"], regional().simulate(world())["runoff"])


def test_coefficients_by_hand():
    ds, one = world(), regional()
    found = one.coefficients()
    assert found["coefficient"].dims == ("parameter", "attribute")
    normal = [(ds[k] - found["mean"].sel(attribute=k)) / found["std"].sel(attribute=k) for k in ATTRIBUTES]
    odds = found["constant"] + sum(
        found["coefficient"].sel(attribute=k) * v for k, v in zip(ATTRIBUTES, normal, strict=True)
    )
    share = 1.0 / (1.0 + np.exp(-odds))
    leak = np.exp(np.log(0.01) + np.log(90.0) * share.sel(parameter="leak"))
    np.testing.assert_allclose(one.parameters(ds)["leak"], leak.transpose("lat", "lon"), rtol=1e-10)
    np.testing.assert_allclose(
        one.parameters(ds)["split"], share.sel(parameter="split").transpose("lat", "lon"), rtol=1e-10
    )
    assert (found["explained"] > 0.8).all()
    with pytest.raises(InputErrors, match=r"Regionalisation\.coefficients") as raised:
        regional(method="nearest").coefficients()
    assert "method 'nearest'" in problems(raised)["method"]


def test_text(monkeypatch):
    text = repr(of_twin("similarity"))
    facts = {line[2:14].strip(): line[14:] for line in text.splitlines()[1:]}
    assert text.splitlines()[0] == "<xdpl.Regionalisation>"
    assert facts["target"] == "soil_moisture (variable 'soil_moisture')"
    assert facts["method"].startswith("similarity: the 5 donors nearest in attributes; simulations")
    assert facts["calibrated"] == "22 sites" and facts["attributes"] == ", ".join(TWIN_ATTRIBUTES)
    assert "11 others" in text
    assert "explained" in repr(of_twin("regression"))
    assert "the donor nearest on the globe" in repr(regional(method="nearest", donors=1))
    same = bucket_truth(world()).assign(split=xr.zeros_like(world()["sand"]) + 0.5)
    same["split"].attrs = {"units": "1"}
    assert "split constant" in repr(regional(parameters=same))
    assert regional()._repr_html_().startswith("<b>xdpl.Regionalisation</b><table>")
