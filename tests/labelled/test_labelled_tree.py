"""Trees of datasets: nodes with forcings are run, all problems are named."""

import numpy as np
import pytest
import xarray as xr
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors


def tree(**nodes):
    gauges = xr.Dataset({"q": ("gauge", [1.0, 2.0])})
    return xr.DataTree.from_dict(
        {"/north": weather(seed=1), "/south": weather(seed=2), "/obs": gauges} | nodes
    )


def latitude(degrees):
    return xr.DataArray(degrees, attrs={"units": "degrees_north"})


def test_nodes_with_forcings_are_run():
    sim = tree().dpl.simulate("hbv")
    assert set(sim.children) == {"north", "south"}
    for name, seed in (("north", 1), ("south", 2)):
        expected = xdpl.simulate(weather(seed=seed), "hbv")
        xr.testing.assert_equal(sim[name].to_dataset(), expected)
    xr.testing.assert_identical(xdpl.simulate(tree(), "hbv")["north/streamflow"], sim["north/streamflow"])


def test_forcings_are_inherited_coordinates_too():
    whole = weather()
    top = whole[["precipitation"]]
    nested = xr.DataTree.from_dict({"/": top.drop_vars("precipitation"), "/a/b": whole.drop_vars("time")})
    sim = nested.dpl.simulate("hbv")
    xr.testing.assert_equal(sim["a/b"].to_dataset(), xdpl.simulate(whole, "hbv"))


def test_the_root_itself():
    sim = xr.DataTree(weather()).dpl.simulate("hbv")
    xr.testing.assert_equal(sim.to_dataset(), xdpl.simulate(weather(), "hbv"))


def test_parameters_and_states_by_node_or_for_all():
    theta = xr.DataTree.from_dict(
        {
            f"/{k}": xr.Dataset({"fc": ((), v, {"units": "mm"})})
            for k, v in (("north", 100.0), ("south", 400.0))
        }
    )
    sim, states = xdpl.simulate(tree(), "hbv", theta, return_states=True)
    assert set(states.children) == {"north", "south"}
    expected = xdpl.simulate(weather(seed=2), "hbv", {"fc": 400.0})
    xr.testing.assert_equal(sim["south"].to_dataset(), expected)
    for_all = tree().dpl.simulate("hbv", theta["south"].to_dataset())
    xr.testing.assert_equal(for_all["south"].to_dataset(), expected)
    start = states.map_over_datasets(lambda ds: ds.drop_vars("time", errors="ignore"))
    again = tree().dpl.simulate("hbv", theta, initial=start)
    assert (again["south/soil_moisture"][0] > expected["soil_moisture"][0]).all()


def test_lazy(counter):
    sim = tree().map_over_datasets(lambda ds: ds.chunk()).dpl.simulate("hbv")
    assert counter.calls == 0
    xr.testing.assert_equal(sim.compute(), tree().dpl.simulate("hbv"))


def test_pet_and_spin_up():
    places = {
        f"/{k}": weather(seed=s).assign_coords(lat=latitude(50.0 + s))
        for s, k in ((1, "north"), (2, "south"))
    }
    pet = tree(**places).dpl.pet("oudin")
    for name in ("north", "south"):
        expected = xdpl.pet(places[f"/{name}"], "oudin")
        np.testing.assert_array_equal(pet[name]["potential_evapotranspiration"], expected)
    long = {k: weather(days=365, seed=s) for s, k in ((1, "/north"), (2, "/south"))}
    states = tree(**long).dpl.spin_up("hbv", tolerance=5.0)
    xr.testing.assert_equal(
        states["south"].to_dataset(), xdpl.spin_up(weather(days=365, seed=2), "hbv", tolerance=5.0)
    )


def test_problems_of_all_nodes_at_once():
    bad = tree(**{"/north": weather().drop_vars("precipitation"), "/south": weather().chunk(time=9)})
    with pytest.raises(InputErrors, match=r"simulate\(tree\) cannot run") as caught:
        bad.dpl.simulate("hbv")
    text = str(caught.value)
    assert "north: precipitation: expected a variable named 'precipitation'" in text
    assert text.count("south: ") == 3 and "fix: ds = ds.chunk(time=-1)" in text


def test_no_node_with_forcings():
    with pytest.raises(InputErrors, match="a node with some of the variables that are needed"):
        xr.DataTree.from_dict({"/obs": xr.Dataset({"q": ("x", [1.0])})}).dpl.simulate("hbv")


@pytest.mark.parametrize(
    "call",
    [
        lambda tree, path: xdpl.check(tree, "hbv"),
        lambda tree, path: xdpl.learn(tree, "hbv", target="streamflow", attributes=["x"]),
        lambda tree, path: xdpl.to_zarr(tree, path),
    ],
)
def test_where_a_tree_has_no_place_the_error_says_what_to_do(call, tmp_path):
    with pytest.raises(InputErrors) as caught:
        call(tree(), tmp_path / "store")
    assert "ds: expected a Dataset, got a DataTree of 4 nodes" in str(caught.value)
    assert "node.to_dataset() for node in tree.leaves" in str(caught.value)
