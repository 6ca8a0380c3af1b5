"""How the loss fell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.report.drawing import FIRST, GREY, SECOND, axes, style, svg
from xdpl.report.elements import figure, paragraph, table
from xdpl.report.numbers import number
from xdpl.report.sections.rounds import rounds

if TYPE_CHECKING:
    from xdpl.report.facts import Facts

__all__ = ["learning"]

_LINES = (("loss", "training", FIRST), ("validation_loss", "validation", SECOND))
# Epochs of the table: as many as one reads.
_ROWS = 8
_COLUMNS = {
    "loss": "loss",
    "validation_loss": "validation loss",
    "learning_rate": "learning rate",
    "gradient_norm": "gradient norm",
    "seconds": "time (s)",
}


def learning(facts: Facts) -> str:
    """A picture and a few epochs in numbers."""
    history = facts.fit.history
    if not history.sizes["epoch"]:
        return paragraph("No epoch was completed.")
    seconds = float(history["seconds"].sum())
    s = facts.fit.settings
    text = (
        f"{s['stopped'].capitalize()} after {history.sizes['epoch']} of {s['epochs']} epochs in "
        f"{number(seconds)} s; the weights are those of epoch {s['best_epoch']}."
    )
    return paragraph(text) + _picture(facts) + _table(facts) + rounds(facts)


def _picture(facts: Facts) -> str:
    history, s = facts.fit.history, facts.fit.settings
    with style():
        drawing, ax = axes(7.2, 2.5)
        for name, label, colour in _LINES:
            if bool(history[name].notnull().any()):
                ax.plot(history["epoch"], history[name], color=colour, label=label, marker=".", markersize=3)
        if s["validate"]:
            ax.axvline(
                s["best_epoch"], color=GREY, linewidth=0.8, zorder=0, label=f"best epoch, {s['best_epoch']}"
            )
        ax.set_xlabel("epoch")
        ax.set_ylabel(f"loss ({', '.join(dict.fromkeys(s['loss'].values()))})")
        ax.legend()
        caption = f"Loss of the training{' and of the validation' * bool(s['validate'])} over epochs."
        return figure(svg(drawing, "learning", caption), caption, wide=True)


def _table(facts: Facts) -> str:
    history = facts.fit.history
    count, best = history.sizes["epoch"], facts.fit.settings["best_epoch"]
    steps = {round(1 + i * (count - 1) / (_ROWS - 1)) for i in range(_ROWS)} | {best}
    names = [k for k in _COLUMNS if k != "validation_loss" or facts.fit.settings["validate"]]
    rows = [
        [f"{epoch}{' (best)' * (epoch == best)}", *(number(history[k].sel(epoch=epoch), 4) for k in names)]
        for epoch in sorted(steps)
        if 1 <= epoch <= count
    ]
    return table("Some epochs in numbers", ["epoch", *(_COLUMNS[k] for k in names)], rows)
