"""How a fit reads in a terminal and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdpl import tables
from xdpl.models import NetworkOnly
from xdpl.networks.series import SeriesNetwork
from xdpl.observation import Identity

if TYPE_CHECKING:
    import xarray as xr

    from xdpl.fit.result import Fit
    from xdpl.models import Model

__all__ = ["html", "text"]


def rows(fit: Fit) -> list[tuple[str, str]]:
    """Facts of a fit, in reading order."""
    s = fit.settings
    history = fit.history
    best = s["best_epoch"]
    lines = [
        ("model", _model(fit.model)),
        ("target", ", ".join(f"{k} (variable {v!r})" for k, v in fit.targets.items())),
        ("attributes", _some(list(fit.attributes))),
        ("network", fit.network_spec.describe(len(fit.attributes), _columns(fit))),
        *_members(fit),
        ("training", f"{s['training_sites']} sites, {s['train'][0]} to {s['train'][1]}"),
        ("validation", _validation(s)),
        ("loss", f"{_losses(s)}, seed {s['seed']}"),
        *_observation(fit),
        *_constraints(s),
        ("warm-up", f"{s['warmup']} steps, {'with' if s['warmup_gradient'] else 'without'} gradient"),
        *_rounds(fit),
        (
            "stopped",
            f"{s['stopped']} after {history.sizes['epoch']} of {s['epochs']} epochs, best epoch {best}",
        ),
    ]
    if history.sizes["epoch"]:
        at = history.isel(epoch=best - 1)
        losses = f"{float(at['loss']):.4f}"
        if s["validate"]:
            losses += f", validation {float(at['validation_loss']):.4f}"
        lines.append(("loss there", losses))
    return lines


def text(fit: Fit) -> str:
    """Plain table."""
    return "\n".join(["<xdpl.Fit>", *tables.text(rows(fit), indent="  ")])


def html(fit: Fit) -> str:
    """HTML table."""
    return f"<b>xdpl.Fit</b>{tables.html(rows(fit))}"


def _model(model: Model) -> str:
    if isinstance(model, NetworkOnly):
        return f"none, a network alone (in place of {model.like.name})"
    return f"{model.name} ({len(model.parameters)} parameters)"


def _some(names: list[str]) -> str:
    """Not more names than a reader takes in."""
    if len(names) <= 12:
        return tables.listed(names)
    return f"{tables.listed(names[:8])} and {len(names) - 8} more"


def _rounds(fit: Fit) -> list[tuple[str, str]]:
    """Of learning through a surrogate that was made again in each."""
    s = fit.settings
    if "rounds" not in s:
        return []
    one = fit.history.sel(round=s["best_round"])
    errors = ", ".join(
        f"{k} {float(one['model_rmse'].sel(target=k)):.4g} in the model"
        f" ({float(one['surrogate_rmse'].sel(target=k)):.4g} through it,"
        f" {float(fit.history['uncalibrated_rmse'].sel(target=k)):.4g} uncalibrated)"
        for k in fit.targets
    )
    stopped = f"{s['rounds']} rounds, stopped: {s['rounds_stopped']}"
    return [
        ("surrogate", f"{stopped}; best round {s['best_round']}: RMSE {errors}"),
        ("audit", "; ".join(f"{said} {_audit(one.sel(where=k))}" for k, said in _AUDITED.items())),
    ]


_AUDITED = {"range": "over the bounds", "estimate": "at what was learned"}


def _audit(one: xr.Dataset) -> str:
    """The worst of an audit, on one line."""
    slopes = one["audit_slope"].where(one["audit_counts"])
    failed = one["parameter"].values[one["audit_failed"].any("target").values]
    ends = f"{float(slopes.min()):.2f} to {float(slopes.max()):.2f}"
    said = f"NSE {float(one['audit_nse'].min()):.3f}, slopes {ends}"
    return said + (f", failed for {', '.join(map(str, failed))}" if failed.size else "")


def _columns(fit: Fit) -> int:
    network = fit.network
    return len(network.targets) if isinstance(network, SeriesNetwork) else len(network.columns.names)


def _members(fit: Fit) -> list[tuple[str, str]]:
    count, dynamic = fit.settings["members"], fit.settings["dynamic"]
    rows = [("members", f"{count}, averaged")] if count > 1 else []
    return rows + ([("dynamic", ", ".join(dynamic))] if dynamic else [])


def _constraints(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Orders and priors; fits from before there were any do not name them."""
    chains = [" <= ".join(chain) for chain in settings.get("order", [])]
    priors = [
        f"{name} {p['kind']} {p['mean']} ± {p['sd']}, weight {p['weight']:g}"
        for name, p in settings.get("priors", {}).items()
    ]
    return [("order", ", ".join(chains))] * bool(chains) + [("priors", "; ".join(priors))] * bool(priors)


def _observation(fit: Fit) -> list[tuple[str, str]]:
    """Operators other than the identity, with the middle of what they have."""
    lines = []
    for name, operator in fit.operators.items():
        if operator.kind == Identity.kind:
            continue
        found = fit.observation
        parts = [p for p in ("scale", "offset") if f"{name}_{p}" in found]
        middle = [
            f"{'median ' * bool(found[f'{name}_{p}'].ndim)}{p} {float(found[f'{name}_{p}'].median()):.3g}"
            for p in parts
        ]
        whose = f"{name}: " if len(fit.targets) > 1 else ""
        lines.append(
            f"{whose}{operator.describe()}{' (' * bool(middle)}{', '.join(middle)}{')' * bool(middle)}"
        )
    return [("observation", line) for line in lines]


def _losses(s: dict[str, Any]) -> str:
    if len(s["loss"]) == 1:
        return str(next(iter(s["loss"].values())))
    return ", ".join(f"{s['weights'][k]:g} {loss} of {k}" for k, loss in s["loss"].items())


def _validation(s: dict[str, Any]) -> str:
    if not s["validate"]:
        return "none: the last weights count"
    start, stop = s["validate"]
    sites = f"{s['validation_sites']} sites, " if s["validation_sites"] else ""
    return f"{sites}{start} to {stop}"
