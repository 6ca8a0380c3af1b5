"""How a fit reads in a terminal and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xdpl import tables

if TYPE_CHECKING:
    from xdpl.fit.result import Fit

__all__ = ["html", "text"]


def rows(fit: Fit) -> list[tuple[str, str]]:
    """Facts of a fit, in reading order."""
    s = fit.settings
    history = fit.history
    best = s["best_epoch"]
    layers = " → ".join(map(str, (len(fit.attributes), *fit.network_spec.hidden, len(fit.model.parameters))))
    lines = [
        ("model", f"{fit.model.name} ({len(fit.model.parameters)} parameters)"),
        ("target", f"{s['target']} (variable {s['target_variable']!r})"),
        ("attributes", tables.listed(fit.attributes)),
        ("network", f"{fit.network_spec.kind} {layers}"),
        ("training", f"{s['training_sites']} sites, {s['train'][0]} to {s['train'][1]}"),
        ("validation", _validation(s)),
        ("loss", f"{s['loss']}, seed {s['seed']}"),
        ("warm-up", f"{s['warmup']} steps, {'with' if s['warmup_gradient'] else 'without'} gradient"),
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


def _validation(s: dict[str, Any]) -> str:
    if not s["validate"]:
        return "none: the last weights count"
    start, stop = s["validate"]
    sites = f"{s['validation_sites']} sites, " if s["validation_sites"] else ""
    return f"{sites}{start} to {stop}"
