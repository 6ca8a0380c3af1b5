"""What users get wrong is said, and what is right is not mixed up."""

import numpy as np
import pytest
import xarray as xr
from model_cases import weather
from xarray.backends import BackendArray
from xarray.core import indexing

import xdpl
from xdpl.errors import InputErrors


def refused(call):
    with pytest.raises(InputErrors) as caught:
        call()
    return str(caught.value)


def member(values, labels=None, name="fc", units="mm"):
    array = xr.DataArray(values, dims="member", attrs={"units": units})
    return array if labels is None else array.assign_coords(member=labels)


def test_labels_of_members_must_agree():
    ds = weather()
    theta = {"fc": member([100.0, 400.0], ["a", "b"]), "k1": member([0.1, 0.4], ["b", "a"], units="d-1")}
    assert "parameters and initial: expected the same labels" in refused(
        lambda: xdpl.simulate(ds, "hbv", theta)
    )
    theta["k1"] = member([0.1, 0.2, 0.4], units="d-1")
    assert "parameters and initial" in refused(lambda: xdpl.simulate(ds, "hbv", theta))
    both = xr.Dataset({"fc": theta["fc"]})
    _, states = xdpl.simulate(ds, "hbv", both, return_states=True)
    swapped = states.isel(member=[1, 0]).drop_vars("time")
    assert "parameters and initial" in refused(lambda: xdpl.simulate(ds, "hbv", both, initial=swapped))
    xdpl.simulate(ds, "hbv", both, initial=swapped.isel(member=[1, 0]))


def test_coordinates_of_members_come_along():
    theta = xr.Dataset({"fc": member([100.0, 400.0])}).assign_coords(weight=("member", [0.25, 0.75]))
    sim, states = xdpl.simulate(weather(), "hbv", theta, return_states=True)
    assert sim["weight"].values.tolist() == states["weight"].values.tolist() == [0.25, 0.75]


def test_a_coordinate_never_stands_for_a_result():
    ds = weather(("lat", "lon"), (2, 2))
    expected = xdpl.simulate(ds, "hbv")["streamflow"]
    named = ds.assign_coords(streamflow=(("lat", "lon"), np.ones((2, 2))))
    sim = xdpl.simulate(named, "hbv")
    xr.testing.assert_equal(sim["streamflow"].drop_vars("streamflow", errors="ignore"), expected)
    assert "streamflow" in sim.data_vars
    one = ds.assign_coords(member=0)
    theta = xr.Dataset({"fc": member([100.0, 400.0], [5, 6])})
    assert xdpl.simulate(one, "hbv", theta)["member"].values.tolist() == [5, 6]


@pytest.mark.parametrize("dtype", ["float16", "complex64", "bool"])
def test_numbers_of_other_kinds_are_refused(dtype):
    ds = weather()
    ds["precipitation"] = ds["precipitation"].astype(dtype).assign_attrs(units="mm d-1")
    text = refused(lambda: xdpl.simulate(ds, "hbv"))
    assert f"precipitation: expected float32, float64 or whole numbers, got {dtype}" in text


def test_arguments_of_another_kind():
    ds = weather()
    assert "initial: expected a Dataset of states, got dict" in refused(
        lambda: xdpl.simulate(ds, "hbv", initial={"snowpack": 1.0})
    )
    text = refused(lambda: xdpl.simulate(ds, "hbv", member([1.0])))
    assert "parameters: expected a Dataset or a mapping of names to values, got DataArray" in text
    trees = xr.DataTree.from_dict({"/a": ds, "/b": ds})
    theta = xr.DataTree.from_dict({"/a": xr.Dataset({"fc": ((), 100.0, {"units": "mm"})})})
    assert "tree of parameters or states: expected a node 'b'" in refused(
        lambda: trees.dpl.simulate("hbv", theta)
    )


def test_one_moment_is_not_told_to_rename_a_dim():
    text = refused(lambda: xdpl.simulate(weather().sel(time="2001-01-05T00"), "hbv"))
    assert "select times with a slice or a list" in text


def test_options_of_numpy_are_written(tmp_path):
    sim = xdpl.simulate(weather(), xdpl.models.get("hbv").__class__(dt=np.float32(1.0)))
    sim.to_netcdf(tmp_path / "sim.nc", engine="h5netcdf")
    assert '"dt": 1.0' in sim.attrs["model_options"]


def test_the_hash_of_parameters_is_that_of_their_values():
    ds = weather(("lat", "lon"), (2, 3))
    values = np.array([[100.0, 200.0, 300.0], [150.0, 250.0, 350.0]])
    theta = xr.Dataset({"fc": (("lat", "lon"), values, {"units": "mm"})})
    hashes = {
        xdpl.simulate(d, "hbv", t).attrs["parameters_hash"]
        for d in (ds, ds.astype("f4", keep_attrs=True))
        for t in (theta, theta.transpose(), theta.astype("f4", keep_attrs=True))
    }
    assert len(hashes) == 1
    other = theta.assign(fc=theta["fc"].copy(data=values + 1.0))
    assert xdpl.simulate(ds, "hbv", other).attrs["parameters_hash"] not in hashes


class Counted(BackendArray):
    """An array that is read when it is used, as those of files are."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.reads = values, values.shape, values.dtype, 0

    def __getitem__(self, key):
        def read(key):
            self.reads += 1
            return self.values[key]

        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, read)


@pytest.mark.parametrize("units", ["degC", "K"])
def test_a_check_reads_no_file(units):
    ds = weather()
    file = Counted(ds["air_temperature"].values)
    ds["air_temperature"] = xr.Variable(
        ("time", "basin"), indexing.LazilyIndexedArray(file), {"units": units}
    )
    assert xdpl.check(ds, "hbv").ok and file.reads == 0
    xdpl.simulate(ds, "hbv", engine="array", outputs=["streamflow"])
    assert file.reads > 0


@pytest.mark.parametrize("name", ["lwe_precipitation_rate", "precipitation_flux"])
def test_precipitation_under_either_standard_name(name):
    ds = weather().rename(precipitation="pr")
    ds["pr"] = (ds["pr"] / 86400.0).assign_attrs(units="kg m-2 s-1", standard_name=name)
    xr.testing.assert_allclose(xdpl.simulate(ds, "hbv"), xdpl.simulate(weather(), "hbv"), rtol=1e-9)


def test_states_of_a_standard_calendar_come_back_from_files(tmp_path):
    ds = weather()
    ds = ds.assign_coords(time=xr.date_range("2001-01-01", periods=40, calendar="gregorian", use_cftime=True))
    whole = xdpl.simulate(ds, "hbv")
    _, states = xdpl.simulate(ds.isel(time=slice(17)), "hbv", return_states=True)
    states.to_netcdf(tmp_path / "states.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "states.nc", engine="h5netcdf") as back:
        assert back["time"].dtype.kind == "M"
        rest = xdpl.simulate(ds.isel(time=slice(17, None)), "hbv", initial=back)
        with pytest.raises(InputErrors, match="expected states one step"):
            xdpl.simulate(ds, "hbv", initial=back)
    xr.testing.assert_equal(rest, whole.isel(time=slice(17, None)))
