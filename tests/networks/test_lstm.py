"""A recurrent network on forcings, from its recurrence to a fit."""

import dask
import numpy as np
import pytest
import torch
import xarray as xr
from helpers_learn import Bucket, assert_same_fit, problems, quick, weights, world

import xdpl
from xdpl.errors import InputErrors
from xdpl.networks import LSTM
from xdpl.networks.base import Inputs, Sizes
from xdpl.training.progress import Progress

SIZES = Sizes(("a", "b"), ("rain", "warmth"), (), ("x", "y", "z"), (0, 2))
SMALL, NARROW = LSTM(hidden=6), LSTM(hidden=5)
MOVING = {"network": SMALL, "dynamic": ["leak"]}
LATE = slice("2001-05-01", "2001-06-30")


def trained(**options):
    return quick(**({"network": SMALL} | options))


@pytest.fixture(scope="module")
def still():
    return trained()


@pytest.fixture(scope="module")
def moving():
    return quick(**MOVING)


def body(spec=NARROW, sizes=SIZES, seed=0):
    torch.manual_seed(seed)
    made = spec.build(sizes)
    # The head of a fresh network is zero.
    torch.nn.init.normal_(made.head.weight)
    torch.nn.init.normal_(made.head.bias)
    return made.eval()


def inputs(steps=7, sites=3, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return Inputs(
        torch.randn(sites, 2, generator=generator), torch.randn(steps, sites, 2, generator=generator)
    )


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def by_hand(network, given):
    """Hochreiter and Schmidhuber's recurrence with forget gates: input, forget, candidate, output."""
    w = {k: v.detach().double().numpy() for k, v in network.state_dict().items()}
    forcings, attributes = given.forcings.double().numpy(), given.attributes.double().numpy()
    hidden = cell = np.zeros((forcings.shape[1], 5))
    rows = []
    for day in forcings:
        both = day @ w["forcings.weight"].T + w["forcings.bias"] + attributes @ w["attributes.weight"].T
        x = np.maximum(both, 0.0)
        gates = x @ w["recurrent.weight_ih_l0"].T + w["recurrent.bias_ih_l0"]
        gates = gates + hidden @ w["recurrent.weight_hh_l0"].T + w["recurrent.bias_hh_l0"]
        enter, forget, candidate, leave = np.split(gates, 4, axis=1)
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(candidate)
        hidden = sigmoid(leave) * np.tanh(cell)
        rows.append(hidden @ w["head.weight"].T + w["head.bias"])
    return np.stack(rows)


def test_recurrence_by_hand():
    network, given = body(), inputs()
    with torch.no_grad():
        found = network(given)
    expected = by_hand(network, given)
    np.testing.assert_allclose(found.still, expected[-1], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.series, expected[:, :, [0, 2]], rtol=1e-4, atol=1e-6)


def test_static_parameters_are_those_of_the_last_step():
    with torch.no_grad():
        found = body()(inputs())
    torch.testing.assert_close(found.series[-1], found.still[:, [0, 2]], rtol=1e-5, atol=1e-6)


def test_without_dynamic_parameters_there_is_no_series():
    assert body(sizes=Sizes(("a", "b"), ("rain", "warmth"), (), ("x",)))(inputs()).series is None


def test_it_reads_the_past_and_not_the_future():
    network, given = body(), inputs(steps=10)
    later = given.forcings.clone()
    later[6:] += 1.0
    with torch.no_grad():
        one, other = (network(Inputs(given.attributes, f)).series for f in (given.forcings, later))
    torch.testing.assert_close(one[:6], other[:6], rtol=0, atol=0)
    assert (one[6:] != other[6:]).all()


def test_forget_gates_start_open():
    network = LSTM(hidden=5).build(SIZES)
    bias = network.recurrent.bias_hh_l0.detach()
    assert abs(float(bias[5:10].mean()) - 3.0) < 0.5
    assert float(torch.cat([bias[:5], bias[10:]]).abs().max()) < 0.5


def test_dropout_acts_in_training_only():
    network, given = body(LSTM(hidden=5, dropout=0.5)), inputs()
    with torch.no_grad():
        torch.testing.assert_close(network(given).still, network(given).still, rtol=0, atol=0)
        network.train()
        assert not torch.equal(network(given).still, network(given).still)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden": 0}, "hidden must be a positive integer, got 0"),
        ({"hidden": (64,)}, r"hidden must be a positive integer, got \(64,\)"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
        ({"dropout": "0.1"}, r"dropout must be in \[0, 1\), got '0.1'"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        LSTM(**options)


@pytest.mark.parametrize("options", [{"network": SMALL}, MOVING], ids=["still", "moving"])
def test_a_fit_that_learned_nothing_returns_the_defaults(options):
    theta = quick(epochs=1, learning_rate=1e-9, **options).parameters(world())
    for p in Bucket().parameters:
        np.testing.assert_allclose(theta[p.name], p.default, rtol=0.01)


def test_it_learns(still):
    assert float(still.history["loss"][-1]) < float(still.history["loss"][0])
    theta = still.parameters(world())
    assert theta["leak"].dims == ("lat", "lon")
    assert float(theta["leak"].std()) > 0


def test_dynamic_parameters_have_a_time_dim(moving):
    ds = world()
    theta = moving.parameters(ds)
    assert theta["leak"].dims == ("time", "lat", "lon")
    assert theta["split"].dims == ("lat", "lon")
    xr.testing.assert_identical(theta["time"], ds["time"])
    assert float(theta["leak"].std("time").max()) > 0
    leak = Bucket.parameters[0]
    assert theta["leak"].attrs["units"] == "d-1" and theta["leak"].attrs["lower_bound"] == leak.lower
    assert float(theta["leak"].min()) >= leak.lower and float(theta["leak"].max()) <= leak.upper


@pytest.mark.parametrize("options", [{"network": LSTM(6, 0.3)}, MOVING | {"dynamic_dropout": 0.4}])
def test_same_seed_same_fit(options):
    assert_same_fit(quick(**options), quick(**options))
    assert not np.array_equal(weights(quick(**options)), weights(quick(seed=1, **options)))


def test_resumed_with_dropout_of_both_kinds(tmp_path, monkeypatch):
    options = {"network": LSTM(6, 0.3), "dynamic": ["leak"], "dynamic_dropout": 0.4, "validate": LATE}
    whole = quick(epochs=4, **options)

    with monkeypatch.context() as patch:
        done = []

        def stop(self, row):
            done.append(row)
            if len(done) == 2:
                raise KeyboardInterrupt

        patch.setattr(Progress, "update", stop)
        part = quick(epochs=4, checkpoint=tmp_path / "c", **options)
    assert part.settings["stopped"] == "interrupted" and part.history.sizes["epoch"] == 2
    assert_same_fit(quick(epochs=4, checkpoint=tmp_path / "c", **options), whole)


@pytest.mark.parametrize("options", [{"network": LSTM(6, 0.3)}, MOVING | {"members": 2}])
def test_saved_and_loaded(options, tmp_path):
    ds, fit = world(), quick(**options)
    fit.save(tmp_path / "fit")
    before = torch.get_rng_state()
    loaded = xdpl.load(tmp_path / "fit", model=Bucket())
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_fit(fit, loaded)
    assert loaded.network_spec == fit.network_spec and loaded.settings == fit.settings
    xr.testing.assert_equal(loaded.parameters(ds), fit.parameters(ds))
    assert repr(loaded) == repr(fit)


def test_parameters_need_the_forcings(still):
    with pytest.raises(InputErrors, match=r"Fit\.parameters cannot run") as raised:
        still.parameters(world().drop_vars(["precipitation", "sand"]))
    found = problems(raised)
    assert set(found) == {"precipitation", "sand"}


def test_gaps_in_forcings_are_listed(still):
    ds = world()
    ds["precipitation"][5, 0, 0] = np.nan
    with pytest.raises(InputErrors) as raised:
        still.parameters(ds)
    assert "NaN at some times at 1 sites" in problems(raised)["precipitation"]


def test_sites_of_nan_stay_nan(moving):
    ds = world()
    expected = moving.parameters(ds)
    ds["precipitation"][:, 0, 1] = np.nan
    ds["sand"][1, 1] = ds["clay"][1, 1] = np.nan
    theta = moving.parameters(ds)
    gone = xr.DataArray([[False, True, False], [False, True, False]], dims=("lat", "lon"))
    for name in theta:
        assert theta[name].where(gone).isnull().all()
        xr.testing.assert_equal(theta[name].where(~gone), expected[name].where(~gone))


@pytest.mark.parametrize("chunks", [{"lat": 1, "lon": 1}, {"lat": 2, "lon": 2}, {"lon": 3}])
@pytest.mark.parametrize("kind", ["still", "moving"])
def test_lazy_is_eager_in_any_blocks(kind, chunks, request):
    fit, ds = request.getfixturevalue(kind), world()

    def forbidden(*args, **kwargs):
        pytest.fail("computed")

    with dask.config.set(scheduler=forbidden):
        lazy = fit.parameters(ds.chunk(chunks | {"time": -1}))
    assert lazy["leak"].chunks is not None
    xr.testing.assert_identical(
        lazy.drop_attrs(deep=False).compute(), fit.parameters(ds).drop_attrs(deep=False)
    )


def test_time_in_one_chunk(still):
    with pytest.raises(InputErrors) as raised:
        still.parameters(world().chunk(time=50))
    assert "ds = ds.chunk(time=-1)" in problems(raised)["precipitation"]


def test_transposed_dims_and_other_units(moving):
    ds = world()
    expected = moving.parameters(ds)
    turned = moving.parameters(ds.transpose("lon", "lat", "time"))
    assert turned["leak"].dims == ("time", "lon", "lat")
    xr.testing.assert_equal(turned["leak"].transpose(*expected["leak"].dims), expected["leak"])
    flux = ds.assign(precipitation=(ds["precipitation"] / 86400.0).assign_attrs(units="kg m-2 s-1"))
    flux["sand"] = (0.01 * ds["sand"]).assign_attrs(units="1")
    found = moving.parameters(flux)
    np.testing.assert_allclose(found["leak"], expected["leak"], rtol=1e-4)


def test_trees(moving):
    ds = world()
    tree = xr.DataTree.from_dict({"/a": ds.isel(lat=[0]), "/b": ds.isel(lat=[1])})
    found = moving.parameters(tree)
    xr.testing.assert_equal(found["b"].to_dataset(), moving.parameters(ds.isel(lat=[1])))
    simulated = moving.simulate(tree)
    xr.testing.assert_equal(simulated["a"].to_dataset(), moving.simulate(ds.isel(lat=[0])))


def test_only_what_it_reads_counts(still):
    ds = world()
    changed = ds.assign(runoff=ds["runoff"] * np.nan)
    xr.testing.assert_equal(still.parameters(changed), still.parameters(ds))
    wetter = ds.assign(precipitation=(2.0 * ds["precipitation"]).assign_attrs(units="mm d-1"))
    assert not still.parameters(wetter).equals(still.parameters(ds))


def test_at_is_for_networks_with_a_history(still):
    with pytest.raises(InputErrors) as raised:
        still.parameters(world(), at="2001-03-01")
    assert "of a network without a history" in problems(raised)["at"]


def test_report(moving, still):
    assert "lstm, hidden 6, dropout 0.0" in repr(still) and "dynamic" not in repr(still)
    lines = {line.split()[0]: line for line in repr(moving).splitlines()[1:]}
    assert lines["dynamic"].split() == ["dynamic", "leak"]
