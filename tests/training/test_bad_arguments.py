"""Every argument that makes no sense is named before training, with its fix."""

import numpy as np
import pytest
import xarray as xr
from helpers_learn import problems, quick, world

import xdpl
from xdpl.errors import InputErrors


def refused(**options):
    with pytest.raises(InputErrors, match=r"learn.* cannot run") as raised:
        quick(options.pop("ds", None), **options)
    return problems(raised)


def mask():
    return world()["sand"] > 20.0


@pytest.mark.parametrize("model", ["vik", 3, None, dict])
def test_model(model):
    found = refused(model=model)
    assert "'hbv', 'noah', 'vic', or a Model instance" in found["model"] and repr(model) in found["model"]
    if model == "vik":
        assert "use 'vic'" in found["model"]


def test_network():
    assert 'network="mlp"' in refused(network=3)["network"]


@pytest.mark.parametrize("target", ["runof", {"flow": "runoff"}, {}, [], [3], None])
def test_output(target):
    found = refused(target=target)
    assert "outputs of 'bucket': runoff, wetness, storage" in found["target"]
    assert repr(target) in found["target"] and 'fix: target={"runoff": ' in found["target"]


def test_attributes():
    assert "at least one" in refused(attributes=[])["attributes"]
    assert quick(attributes="sand").attributes == {"sand": "percent"}


def test_forcings():
    found = refused(forcings={"rain": "precipitation"})
    assert "one of precipitation" in found["forcings['rain']"]


def test_loss():
    found = refused(loss="mae")
    assert all(name in found["loss"] for name in ("nrmse", "rmse", "site_rmse", "nse", "kge", "'mae'"))


def test_engine():
    assert "'array', 'cuda', 'numba' or None" in refused(engine="fortran")["engine"]
    assert "on the GPU" in refused(engine="cuda", device="cpu")["engine"]
    assert quick(engine="array").settings["stopped"] == "finished"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((n, v) for n in ("epochs", "batch", "window", "patience") for v in (0, -1, 2.0, "3", True, None)),
        *((n, v) for n in ("warmup", "seed") for v in (-1, 1.5, None)),
        *((n, v) for n in ("learning_rate", "clip") for v in (0, -1.0, float("nan"), "fast", None)),
        ("learning_rate", float("inf")),
    ],
)
def test_numbers(name, value):
    found = refused(**{name: value})
    assert repr(value) in found[name] and "expected" in found[name] and "fix" in found[name]


@pytest.mark.parametrize(
    "period",
    [
        slice("1999", "2000"),
        slice("2001-03", "2001-02"),
        slice("2001-01-01", "2002-01-01"),
        slice("2000-01-01", "2001-03-01"),
        slice("March", "May"),
        slice(10, 20),
    ],
)
@pytest.mark.parametrize("name", ["train", "validate"])
def test_periods(name, period):
    found = refused(**{name: period})
    assert "a period inside the data, 2001-01-01 to 2001-07-19" in found[name]
    assert f"{period.start} to {period.stop}" in found[name]
    assert f'fix: {name}=slice("2001-01-01", "2001-07-19")' in found[name]


def test_train_is_a_slice():
    assert "a slice of dates" in refused(train="2001")["train"]


@pytest.mark.parametrize("name", ["sites", "validate"])
@pytest.mark.parametrize(
    "wrong",
    [
        mask().astype(int),
        mask().where(mask()),
        mask().isel(lat=0, drop=True),
        mask().expand_dims(time=3),
        mask().values,
        "all",
    ],
    ids=["int", "float", "dims", "time", "numpy", "str"],
)
def test_masks(name, wrong):
    found = refused(**{name: wrong})
    assert "a boolean DataArray with dims ('lat', 'lon')" in found[name]
    assert f"{name}=folds != 0" in found[name]
    assert ("or a slice of dates" in found[name]) == (name == "validate")


@pytest.mark.parametrize("name", ["sites", "validate"])
@pytest.mark.parametrize("wrong", ["longer", "shorter", "elsewhere", "turned"])
def test_masks_of_other_sites(name, wrong):
    others = {
        "longer": mask().reindex(lat=[40.0, 41.0, 42.0], fill_value=False),
        "shorter": mask().isel(lon=[0, 1]),
        "elsewhere": mask().assign_coords(lat=[0.0, 1.0]),
        "turned": mask().isel(lat=[1, 0]),
    }
    found = refused(**{name: others[wrong]})
    assert "labels" in found[name] and f"{name}.reindex_like(ds, fill_value=False)" in found[name]
    if wrong != "elsewhere":
        repaired = others[wrong].reindex_like(world(), fill_value=False)
        assert quick(**{name: repaired}).settings["training_sites"] > 0


def test_masks_without_coordinates_go_by_position():
    bare = xr.DataArray(mask().values, dims=("lat", "lon"))
    np.testing.assert_array_equal(
        quick(sites=bare).scaling.attributes.mean, quick(sites=mask()).scaling.attributes.mean
    )


def test_masks_that_choose_nothing():
    nothing = mask() & False
    assert "training sites" in refused(sites=nothing)["runoff"]
    assert "validation" in refused(validate=nothing)["runoff"]
    assert "training sites" in refused(validate=~nothing)["runoff"]


def test_window_longer_than_the_period_is_shortened():
    fit = quick(window=5000, train=slice("2001-03-01", "2001-03-31"))
    assert fit.settings["window"] == 31


def test_warmup_shortens_a_period_at_the_start_of_the_record():
    fit = quick(warmup=25, window=5000, train=slice("2001-01-01", "2001-01-31"))
    assert (fit.settings["window"], fit.settings["warmup"]) == (31 - 25, 25)


@pytest.mark.parametrize("warmup", [31, 32, 500])
def test_warmup_that_leaves_nothing(warmup):
    found = refused(warmup=warmup, train=slice("2001-01-01", "2001-01-31"))
    assert str(warmup) in found["warmup"]
    assert "fewer than 31 steps" in found["warmup"]
    assert "a later or longer train period" in found["warmup"]
    assert quick(warmup=30, train=slice("2001-01-01", "2001-01-31")).settings["window"] == 1


def test_warmup_from_before_the_period_may_be_longer_than_it():
    fit = quick(warmup=59, train=slice("2001-03-01", "2001-03-10"))
    assert fit.settings["window"] == 10


def test_observations_only_within_the_warmup():
    ds = world()
    ds["runoff"][10:] = np.nan
    found = refused(ds=ds, warmup=10, train=slice("2001-01-01", "2001-01-31"))
    assert "only NaN" in found["runoff"]


def test_device():
    found = refused(device="abacus")
    assert "'abacus'" in found["device"] and 'device="cpu"' in found["device"]


def test_checkpoint_in_a_folder_that_does_not_exist(tmp_path):
    found = refused(checkpoint=tmp_path / "none" / "run")
    assert "folder" in found[str(tmp_path / "none" / "run")]


def test_errors_come_through_the_accessor_too():
    with pytest.raises(InputErrors, match="learn"):
        world().dpl.learn("vic", target="soil_moisture", attributes=["sand"])
    with pytest.raises(ValueError, match="cannot run"):
        xdpl.learn(world(), "vic", target="soil_moisture", attributes=["sand"])


def test_integers_and_floats_of_numpy_are_numbers():
    fit = quick(epochs=np.int64(2), seed=np.int32(0), learning_rate=np.float32(0.02))
    assert type(fit.settings["epochs"]) is int and type(fit.settings["learning_rate"]) is float
