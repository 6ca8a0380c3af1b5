import numpy as np
import pytest
import torch
from helpers_learn import Bucket, assert_same_fit, problems, quick, world

from xdpl.errors import InputErrors
from xdpl.models import NetworkOnly
from xdpl.networks import MLP, Hybrid, from_dict
from xdpl.networks.base import Inputs, Sizes
from xdpl.networks.bounded import ParameterNetwork
from xdpl.networks.columns import Columns

SPEC = Hybrid(hidden=4, static=(6,), embedding=3)
OPTIONS = {"network": SPEC, "dynamic": ["leak"], "epochs": 4}


def inputs(steps=5, sites=3, forcings=2, attributes=2, seed=0):
    rng = torch.Generator().manual_seed(seed)
    return Inputs(
        torch.randn(sites, attributes, generator=rng), torch.randn(steps, sites, forcings, generator=rng)
    )


def body(moving=(1,), seed=0):
    torch.manual_seed(seed)
    module = SPEC.build(Sizes(("a", "b"), ("p", "t"), (), ("x", "y", "z"), moving))
    for values in module.parameters():
        torch.nn.init.normal_(values)
    return module


def test_plain_values_and_back():
    assert from_dict(SPEC.to_dict()) == SPEC


@pytest.mark.parametrize("wrong", [{"hidden": 0}, {"static": (3, 0)}, {"embedding": -1}, {"dropout": 1.0}])
def test_wrong_values(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Hybrid(**wrong)


def test_static_columns_are_those_of_the_layers_on_attributes():
    module, given = body(), inputs()
    out = module(given)
    expected = module.still(given).still
    assert torch.equal(out.still, expected)
    other = inputs(seed=1)
    assert torch.equal(module(Inputs(given.attributes, other.forcings)).still, expected)


def test_series_is_the_static_column_and_what_the_recurrence_adds_by_hand():
    module, given = body(moving=(2, 0)), inputs()
    w = {k: v.detach().numpy().astype(float) for k, v in module.named_parameters()}
    place = np.tanh(given.attributes.numpy() @ w["embedding.weight"].T + w["embedding.bias"])
    h = c = np.zeros((3, 4))
    rows = []
    for f in given.forcings.numpy():
        x = np.maximum(f @ w["forcings.weight"].T + w["forcings.bias"] + place @ w["attributes.weight"].T, 0)
        gates = x @ w["recurrent.weight_ih_l0"].T + w["recurrent.bias_ih_l0"]
        gates += h @ w["recurrent.weight_hh_l0"].T + w["recurrent.bias_hh_l0"]
        i, forget, g, o = np.split(gates, 4, axis=1)
        sigmoid = lambda v: 1 / (1 + np.exp(-v))  # noqa: E731
        c = sigmoid(forget) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        rows.append(h @ w["head.weight"].T + w["head.bias"])
    out = module(given)
    expected = np.stack(rows) + out.still.detach().numpy()[:, [2, 0]]
    np.testing.assert_allclose(out.series.detach(), expected, rtol=1e-4, atol=1e-5)


def test_a_fresh_one_gives_the_defaults():
    model = Bucket()
    columns = Columns.of(model, dynamic=["split"])
    network = ParameterNetwork(
        SPEC.build(Sizes(("a", "b"), ("p",), (), columns.names, columns.moving)), columns
    )
    out = network(inputs(forcings=1))
    assert out["split"].shape == (5, 3) and out["leak"].shape == (3,)
    np.testing.assert_allclose(out["split"].detach(), 0.4, rtol=1e-6)
    np.testing.assert_allclose(out["leak"].detach(), 0.1, rtol=1e-6)


def test_pretraining_leaves_the_recurrence_as_it_was():
    from xdpl.training import loop

    seen = []
    record = loop._record

    def recording(run, row, epoch, plan, *, validated):
        state = run.network.state_dict()
        seen.append({k: v.clone() for k, v in state.items()})
        return record(run, row, epoch, plan, validated=validated)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "_record", recording)
        fit = quick(**OPTIONS, pretrain=2)
    recurrent = [k for k in seen[0] if "recurrent" in k or ".head" in k]
    assert len(recurrent) == 6
    for name in recurrent:
        assert torch.equal(seen[0][name], seen[1][name])
        assert not torch.equal(seen[1][name], seen[3][name])
    assert any(not torch.equal(seen[0][k], seen[1][k]) for k in seen[0] if ".still." in k)
    # The rate starts anew after two epochs.
    np.testing.assert_allclose(fit.history["learning_rate"], [0.02, 0.01, 0.02, 0.01], rtol=1e-12)
    assert fit.parameters(world())["leak"].dims == ("time", "lat", "lon")


def test_pretraining_is_training_the_layers_alone():
    """The first epochs are those of an MLP of the same weights."""
    still = quick(network=MLP(hidden=(6,)), epochs=2, seed=1)
    both = quick(**OPTIONS | {"epochs": 3}, pretrain=2, seed=1)
    # Both draw the weights of the layers first, from the same seed.
    np.testing.assert_allclose(both.history["loss"][:2], still.history["loss"], rtol=1e-6)


def test_without_what_moves_it_is_the_layers_alone():
    both, still = quick(network=SPEC, seed=1), quick(network=MLP(hidden=(6,)), seed=1)
    assert {k.replace(".still", "") for k in both.network.state_dict()} == set(still.network.state_dict())
    np.testing.assert_array_equal(both.history["loss"], still.history["loss"])
    assert both.parameters(world())["leak"].dims == ("lat", "lon")


@pytest.mark.parametrize(
    "options",
    [
        {"network": MLP(hidden=(6,))},
        {"network": SPEC},
        {"network": SPEC, "model": NetworkOnly(Bucket())},
        {"network": "lstm", "dynamic": ["leak"]},
    ],
    ids=["static network", "nothing moves", "no parameters", "no static part"],
)
def test_pretraining_needs_a_static_part_and_what_moves(options):
    with pytest.raises(InputErrors) as raised:
        quick(**options, pretrain=1)
    assert 'network="hybrid", dynamic=' in problems(raised)["pretrain"]


def test_a_resumed_run_goes_on_in_its_stage(tmp_path):
    from xdpl.training.progress import Progress

    whole = quick(**OPTIONS, pretrain=2)

    def stopping(self, row, calls=[]):  # noqa: B006
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "update", stopping)
        part = quick(**OPTIONS, pretrain=2, checkpoint=tmp_path / "run")
    assert part.settings["stopped"] == "interrupted"
    assert_same_fit(quick(**OPTIONS, pretrain=2, checkpoint=tmp_path / "run"), whole)


def test_patience_begins_after_pretraining(monkeypatch):
    from xdpl.training import loop

    monkeypatch.setattr(loop, "_validate", lambda course: 1.0)
    late = slice("2001-05-01", None)
    fit = quick(**OPTIONS | {"epochs": 9}, pretrain=4, patience=2, validate=late)
    assert (fit.settings["stopped"], fit.history.sizes["epoch"], fit.settings["best_epoch"]) == (
        "early",
        6,
        1,
    )
