"""A call of `learn`: its arguments, and whether they make sense."""

from __future__ import annotations

import numbers
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import xarray as xr

from xdpl import models, networks
from xdpl.errors import short
from xdpl.labelled import schema
from xdpl.labelled.choices import check_periods
from xdpl.labelled.targets import find_targets
from xdpl.models.ordering import Ordering
from xdpl.networks.assemble import sizes
from xdpl.networks.base import Network, Sizes
from xdpl.networks.columns import Columns
from xdpl.objectives import OBJECTIVES, GroupDRO
from xdpl.observation import Operator
from xdpl.training.losses import LOSSES
from xdpl.training.operators import inspect_operators
from xdpl.training.priors import Known, inspect_priors
from xdpl.training.schedules import SCHEDULES
from xdpl.training.sources import Gradients

if TYPE_CHECKING:
    import torch

    from xdpl.errors import Problems
    from xdpl.models import Model
    from xdpl.priors import Prior
    from xdpl.surrogate import Loop

__all__ = ["Inputs", "Request", "check_seeds", "inspect"]

_INTEGERS = {
    "epochs": 1,
    "batch": 1,
    "window": 1,
    "warmup": 0,
    "patience": 1,
    "seed": 0,
    "members": 1,
    "pretrain": 0,
}
_ABOVE_ZERO = ("learning_rate", "clip")
_FRACTIONS = ("dynamic_dropout", "coverage")


@dataclass(frozen=True)
class Request:
    """The arguments of `learn`, as given."""

    model: str | Model
    target: str | Sequence[str] | Mapping[str, str]
    attributes: Sequence[str]
    forcings: Mapping[str, str] | None
    network: str | Network | torch.nn.Module
    members: int
    dynamic: Sequence[str]
    dynamic_dropout: float
    order: Sequence[Sequence[str]]
    priors: Mapping[str, Prior] | None
    loss: str | Mapping[str, str]
    weights: Mapping[str, float] | None
    observation: str | Operator | Mapping[str, str | Operator]
    objective: str | GroupDRO
    groups: xr.DataArray | None
    train: slice | None
    validate: slice | xr.DataArray | None
    sites: xr.DataArray | None
    gradients: Gradients | Loop | None
    engine: str | None
    device: str | torch.device | None
    epochs: int
    batch: int
    window: int
    warmup: int
    warmup_gradient: bool
    coverage: float | None
    learning_rate: float
    schedule: str
    pretrain: int
    weight_decay: float
    patience: int
    clip: float
    seed: int

    @property
    def how(self) -> str:
        """Name of the objective."""
        return "group-dro" if isinstance(self.objective, GroupDRO) else self.objective

    @property
    def rule(self) -> GroupDRO | None:
        """How weights of groups move, if they do."""
        if isinstance(self.objective, GroupDRO):
            return self.objective
        return GroupDRO() if self.objective == "group-dro" else None

    @property
    def runs_model(self) -> bool:
        """Whether the model itself is run while training."""
        return self.gradients is None or getattr(self.gradients, "runs_model", False) is True

    def plain(self) -> Request:
        """The same request with numbers of Python, which a fit can store."""
        values: dict[str, Any] = {name: int(getattr(self, name)) for name in _INTEGERS}
        numbers_given = (*_ABOVE_ZERO, "dynamic_dropout", "weight_decay")
        values |= {name: float(getattr(self, name)) for name in numbers_given}
        values["coverage"] = None if self.coverage is None else float(self.coverage)
        return replace(self, **values)


@dataclass(frozen=True)
class Inputs:
    """What a request refers to, found in the dataset and in declared units."""

    model: Model
    network: Network
    columns: Columns
    forcings: dict[str, schema.Found]
    targets: dict[str, schema.Found]
    losses: dict[str, str]
    weights: dict[str, float]
    operators: dict[str, Operator]
    priors: dict[str, Known]
    attributes: dict[str, xr.DataArray]

    @property
    def output(self) -> str:
        """The first of the outputs that are trained on."""
        return next(iter(self.targets))

    @property
    def target(self) -> schema.Found:
        """Its observations."""
        return self.targets[self.output]

    @property
    def sizes(self) -> Sizes:
        """What goes into the network and out of it."""
        return sizes(self.model, self.columns, list(self.attributes), list(self.targets))


def inspect(ds: xr.Dataset, request: Request, problems: Problems) -> Inputs:
    """Check a request against a dataset without computing.

    Raises
    ------
    InputErrors
        With every problem found.
    """
    model = models.get(request.model, problems.call)
    network = networks.get(request.network, problems.call)
    found = schema.forcings(ds, model, request.forcings, problems)
    dims = [d for f in found.values() for d in f.data.dims] if found else list(ds.dims)
    site_dims = tuple(dict.fromkeys(str(d) for d in dims if d != "time"))
    targets = find_targets(ds, model, request.target, request.forcings, site_dims, problems)
    names = [request.attributes] if isinstance(request.attributes, str) else list(request.attributes)
    attributes = schema.static(ds, names, site_dims, "an attribute", problems)
    if not names:
        problems.add(
            "attributes", expected="at least one", got="none", fix='attributes=["<static variable>"]'
        )
    _check_objective(request, ds, site_dims, problems)
    check_periods(ds, request.train, request.validate, request.sites, site_dims, problems)
    _check_values(request, problems)
    dynamic = _dynamic(model, network, request, problems)
    if isinstance(model, models.NetworkOnly):
        _check_alone(network, request, problems)
    _check_pretrain(network, dynamic, request, problems)
    losses = _per_target("loss", request.loss, targets, problems)
    _check_losses(losses, problems)
    weights = _per_target("weights", request.weights or dict.fromkeys(targets, 1.0), targets, problems)
    _check_weights(weights, problems)
    given = _per_target("observation", request.observation, targets, problems)
    operators = inspect_operators(ds, given, losses, request.validate, site_dims, model, problems)
    _check_gradients(request, model, targets, dynamic, problems)
    priors = inspect_priors(ds, request.priors, model, site_dims, problems)
    members = request.members if _is_integer(request.members, 1) else 1
    ordering = Ordering.of(model, request.order, problems)
    columns = Columns.of(model, int(members), dynamic, ordering)
    _check_order(columns, problems)
    inputs = Inputs(model, network, columns, found, targets, losses, weights, operators, priors, attributes)
    # What goes in and out is known only of a request that is sound so far.
    wrong = [] if problems.found else network.check(inputs.sizes)
    for expected, got in wrong:
        problems.add("network", expected=expected, got=got, fix="change the network, or what it is given")
    problems.raise_if_any()
    return inputs


def _check_objective(
    request: Request, ds: xr.Dataset, site_dims: tuple[str, ...], problems: Problems
) -> None:
    """Note an objective that is none, or groups that are missing or not of the sites."""
    if not isinstance(request.objective, GroupDRO) and request.objective not in OBJECTIVES:
        problems.add(
            "objective",
            expected=f"one of {', '.join(OBJECTIVES)}, or xdpl.objectives.GroupDRO",
            got=repr(request.objective),
            fix='objective="pooled"',
        )
    groups, fix = request.groups, 'groups=xdpl.evaluation.dryness_terciles(ds["<dryness>"])'
    if groups is None:
        if request.how in ("stratified", "group-dro"):
            problems.add("groups", expected="a label for each site", got="none", fix=fix)
        return
    if (
        not isinstance(groups, xr.DataArray)
        or groups.dtype.kind not in "iu"
        or set(groups.dims) != set(site_dims)
    ):
        known = isinstance(groups, xr.DataArray)
        got = f"{groups.dtype} with dims {groups.dims}" if known else repr(groups)
        problems.add(
            "groups", expected=f"a DataArray of integer labels with dims {site_dims}", got=got, fix=fix
        )
        return
    schema.check_labels("groups", groups, ds, problems, fix="groups=groups.reindex_like(ds, fill_value=-1)")


def _check_gradients(
    request: Request, model: Model, targets: Collection[str], dynamic: Sequence[str], problems: Problems
) -> None:
    """Note gradients of something else, or of none, and what they cannot be had for."""
    from xdpl.surrogate import Loop

    given = request.gradients
    if given is None:
        return
    if isinstance(given, Loop):
        given.note(problems)
        if not model.parameters:
            fix = "leave gradients out"
            problems.add("gradients", expected="a model with parameters", got=repr(model.name), fix=fix)
    elif isinstance(given, type) or not isinstance(given, Gradients):
        problems.add(
            "gradients",
            expected="Loop or Surrogate of xdpl.surrogate, or FiniteDifferences or SPSA of xdpl.gradients",
            got=short(given),
            fix="gradients=xdpl.surrogate.Loop(), or leave it out",
        )
        return
    else:
        given.check(model, problems, targets)
    for wrong, expected, got, fix in (
        (bool(dynamic), "static parameters", f"dynamic={list(dynamic)}", "leave dynamic out"),
        (not request.warmup_gradient, "a gradient through the warm-up", "none", "leave warmup_gradient out"),
    ):
        if wrong:
            problems.add("gradients", expected=expected, got=got, fix=fix)


def _check_order(columns: Columns, problems: Problems) -> None:
    """Note chains of parameters that differ in whether they vary in time or between members."""
    for chain in columns.ordering.chains:
        kinds = {(p.name in columns.dynamic, p.name in columns.shared) for p in chain}
        if len(kinds) > 1:
            problems.add(
                "order",
                expected="in a chain only dynamic or only static parameters, of the step or after it",
                got=" <= ".join(p.name for p in chain),
                fix="leave some of them out of the chain",
            )


def check_seeds(seeds: Sequence[Any], problems: Problems) -> None:
    """Note seeds of an ensemble that are none, or there twice."""
    if not seeds or not all(_is_integer(seed, 0) for seed in seeds) or len({*map(int, seeds)}) < len(seeds):
        problems.add(
            "seed",
            expected="integers of at least 0 that differ",
            got=repr(seeds),
            fix="seed=range(3)",
        )


def _check_alone(network: Network, request: Request, problems: Problems) -> None:
    """Note what a network without a process model cannot do."""
    if not network.reads_forcings:
        problems.add(
            "network",
            expected="a network that gives a series, since it predicts the target itself",
            got=f"network {network.kind!r}",
            fix='network="lstm"',
        )
    if request.members != 1:
        problems.add(
            "members",
            expected="1, since a network alone has no parameters to average over",
            got=repr(request.members),
            fix="leave members out",
        )
    if not request.warmup_gradient:
        problems.add(
            "warmup_gradient",
            expected="True, since the network reads the warm-up as any other days",
            got=repr(request.warmup_gradient),
            fix="leave warmup_gradient out",
        )


def _dynamic(model: Model, network: Network, request: Request, problems: Problems) -> list[str]:
    known = [p.name for p in model.step_parameters]
    given = request.dynamic
    names = list(dict.fromkeys([given] if isinstance(given, str) else given))
    for name in names:
        if name not in known:
            problems.add(
                "dynamic",
                expected=f"parameters of the step of {model.name!r}: {', '.join(known) or 'there are none'}",
                got=repr(name),
                fix="leave it out",
            )
    if not names and request.dynamic_dropout:
        problems.add(
            "dynamic_dropout",
            expected="0 without dynamic parameters",
            got=repr(request.dynamic_dropout),
            fix='dynamic=["<parameter>"], or leave dynamic_dropout out',
        )
    if names and not network.reads_forcings:
        problems.add(
            "dynamic",
            expected="a network that gives a series, since it reads the forcings",
            got=f"network {network.kind!r}",
            fix='network="lstm"',
        )
    return names


def _check_pretrain(network: Network, dynamic: Sequence[str], request: Request, problems: Problems) -> None:
    if request.pretrain and not (network.static_first and dynamic):
        problems.add(
            "pretrain",
            expected="a network with a static part that is trained first, and dynamic parameters",
            got=f"network {network.kind!r}, dynamic={list(dynamic)}",
            fix='network="hybrid", dynamic=["<parameter>"]',
        )
    elif isinstance(request.epochs, int) and isinstance(request.pretrain, int):
        if request.pretrain >= max(1, request.epochs):
            problems.add(
                "pretrain",
                expected=f"fewer than the {request.epochs} epochs",
                got=repr(request.pretrain),
                fix="more epochs",
            )


def _per_target(
    argument: str, given: Any, targets: Mapping[str, schema.Found], problems: Problems
) -> dict[str, Any]:
    """One value for each target, of one for all or of a mapping."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(targets, given)
    if set(given) != set(targets) and targets:
        problems.add(
            argument,
            expected=f"a value for each target: {', '.join(targets)}",
            got=f"values for {', '.join(map(repr, given)) or 'none'}",
            fix=f"{argument}={{{', '.join(f'{t!r}: ...' for t in targets)}}}",
        )
    return {t: given[t] for t in targets if t in given}


def _is_integer(value: Any, lowest: int) -> bool:
    return not isinstance(value, bool) and isinstance(value, numbers.Integral) and int(value) >= lowest


def _check_losses(losses: Mapping[str, Any], problems: Problems) -> None:
    for loss in dict.fromkeys(map(repr, losses.values())):
        if loss not in map(repr, LOSSES):
            problems.add("loss", expected=f"one of {', '.join(LOSSES)}", got=loss, fix='loss="nrmse"')


def _check_weights(weights: Mapping[str, Any], problems: Problems) -> None:
    for name, value in weights.items():
        if not _is_number(value) or not 0 < value < float("inf"):
            fix = f"weights={{{name!r}: 1.0, ...}}"
            problems.add(f"weights[{name!r}]", expected="a number above 0", got=repr(value), fix=fix)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _check_values(request: Request, problems: Problems) -> None:
    for name, lowest in _INTEGERS.items():
        value = getattr(request, name)
        if not _is_integer(value, lowest):
            problems.add(
                name, expected=f"an integer of at least {lowest}", got=repr(value), fix=f"{name}={lowest}"
            )
    for name in _ABOVE_ZERO:
        value = getattr(request, name)
        if not _is_number(value) or not value > 0 or (name == "learning_rate" and value == float("inf")):
            problems.add(name, expected="a number above 0", got=repr(value), fix=f"leave {name} out")
    for name in _FRACTIONS:
        value = getattr(request, name)
        if not (name == "coverage" and value is None) and not (_is_number(value) and 0 <= value < 1):
            problems.add(
                name, expected="a number from 0 to below 1", got=repr(value), fix=f"leave {name} out"
            )
    decay = request.weight_decay
    if not _is_number(decay) or not 0 <= decay < float("inf"):
        problems.add(
            "weight_decay", expected="a number from 0", got=repr(decay), fix="leave weight_decay out"
        )
    if request.schedule not in list(SCHEDULES):
        problems.add(
            "schedule",
            expected=f"one of {', '.join(SCHEDULES)}",
            got=repr(request.schedule),
            fix='schedule="cosine"',
        )
