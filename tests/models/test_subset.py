"""A model of which some parameters only are free."""

import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, quick, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.models import Subset


@pytest.mark.parametrize("engine", ["array", "numba"])
def test_the_others_have_one_value(engine):
    ds = xdpl.data.twin(shape=(2, 2), years=1)
    some = Subset("vic", ["ksat", "porosity"], {"d1": 0.06})
    theta = xr.Dataset({"ksat": ("lat", [80.0, 900.0]), "porosity": ((), 0.5)})
    theta["ksat"].attrs, theta["porosity"].attrs = {"units": "mm d-1"}, {"units": "m3 m-3"}
    whole = theta.assign(d1=((), 0.06, {"units": "m"}))
    found, expected = (xdpl.simulate(ds, m, v, engine=engine) for m, v in ((some, theta), ("vic", whole)))
    for name in expected.data_vars:
        np.testing.assert_array_equal(found[name].values, expected[name].values)
    assert [p.name for p in some.parameters] == ["ksat", "porosity"]
    assert some.name == "vic-subset"


def test_gradients_are_those_of_the_whole_model():
    from xdpl import engines

    ds = xdpl.data.twin(shape=(2, 2), years=1)
    names = ("precipitation", "air_temperature", "potential_evapotranspiration")
    forcings = {k: torch.tensor(ds[k].values.reshape(365, 4), dtype=torch.float64) for k in names}
    some, whole = Subset("vic", ["porosity", "ksat"]), xdpl.models.get("vic")
    found = []
    for model in (some, whole):
        theta = {k: torch.full((4,), float(v), dtype=torch.float64) for k, v in model.defaults().items()}
        theta["ksat"].requires_grad_()
        series, _ = engines.run("numba", model, forcings, theta, outputs=("runoff",))
        series["runoff"].square().sum().backward()
        found.append(theta["ksat"].grad)
    torch.testing.assert_close(found[0], found[1])
    assert (found[0] != 0).all()


def test_it_is_learned_and_kept(tmp_path):
    """A model by name comes back without help."""
    fit = quick(model=Subset(Bucket(), ["leak"], {"split": 0.3}))
    assert list(fit.parameters(world())) == ["leak"]
    fit.save(tmp_path / "fit")
    again = xdpl.load(tmp_path / "fit", model=fit.model)
    xr.testing.assert_identical(again.parameters(world()), fit.parameters(world()))
    some = Subset("vic", ["ksat"], {"d1": 0.06})
    assert xdpl.models.restore(some.name, some.options()) == some


def test_what_is_no_subset():
    with pytest.raises(InputErrors) as caught:
        Subset("vic", ["ksat", "ksatt"], {"ksat": 3.0, "d1": 99.0})
    assert [e.subject for e in caught.value.exceptions] == ["parameters", "values", "values"]
    for names, values, subject in (
        (["ksat"], {"d1": "thin"}, "values"),
        (["ksat"], 3, "values"),
        ([["ksat"]], None, "parameters"),
        ("ksat", None, "parameters"),
    ):
        with pytest.raises(InputErrors) as caught:
            Subset("vic", names, values)
        assert [e.subject for e in caught.value.exceptions] == [subject]
    with pytest.raises(InputErrors, match="which routes"):
        Subset("hbv", ["k0"])
