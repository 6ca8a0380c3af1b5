"""A fit on the nodes of a tree."""

import pytest
import xarray as xr

from xdpl.errors import InputErrors


def nodes(ds):
    return {"north": ds.isel(lat=slice(3, None)), "south/low": ds.isel(lat=slice(3))}


@pytest.mark.parametrize("name", ["parameters", "simulate", "evaluate"])
def test_each_node_is_as_if_alone(fit, ds, name):
    places = xr.DataTree.from_dict({f"/{k}": v for k, v in nodes(ds).items()})
    call = getattr(fit, name)
    found = call(places)
    for path, node in nodes(ds).items():
        expected = call(node)
        assert list(found[path].data_vars) == list(expected.data_vars)
        xr.testing.assert_equal(found[path].to_dataset(), expected)


def test_nodes_without_are_left_out(fit, ds):
    forcings = ds[["precipitation", "air_temperature", "potential_evapotranspiration"]]
    both = xr.DataTree.from_dict({"/all": ds, "/weather": forcings})
    assert [n.path for n in fit.parameters(both).leaves] == ["/all"]
    assert [n.path for n in fit.evaluate(both).leaves] == ["/all"]
    with pytest.raises(InputErrors, match=r"Fit\.simulate\(tree\) cannot run") as caught:
        fit.simulate(both)
    assert "weather: " in str(caught.value)


def test_no_node_has_the_target(fit, ds):
    with pytest.raises(InputErrors, match=r"Fit\.evaluate\(tree\).*(?s:.*)a node with some of the variables"):
        fit.evaluate(xr.DataTree.from_dict({"/a": ds}), target="elsewhere")
