"""A call of `cross_validate`: its arguments, and the options of each model."""

from __future__ import annotations

import difflib
import inspect
import numbers
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xdpl.errors import Problems, short
from xdpl.evaluation.protocols import Protocol
from xdpl.learn import learn
from xdpl.models import Model

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Key", "Plan"]

# Label of the model, position of the fold, seed.
Key = tuple[str, int, int]

_SIGNATURE = inspect.signature(learn)
_OURS = ("ds", "model", "train", "sites", "seed", "progress", "checkpoint")
_OPTIONS = {k: p for k, p in _SIGNATURE.parameters.items() if k not in _OURS}


@dataclass(frozen=True)
class Plan:
    """The arguments of `cross_validate`, with the options of `learn` of each model.

    Parameters
    ----------
    models : dict of str to dict
        By label, every option of `learn`, given or by default, ``"model"`` among them; without
        those that the protocol decides.
    protocol, train, test, seeds, scores, out, save_fits
        As in `xdpl.cross_validate`.
    problems : Problems
        What is wrong so far.
    """

    models: dict[str, dict[str, Any]]
    protocol: Protocol
    train: slice | None
    test: slice | None
    seeds: tuple[int, ...]
    scores: Callable[[xr.DataArray, xr.DataArray], xr.Dataset] | None
    out: Path | None
    save_fits: bool
    problems: Problems

    @classmethod
    def of(
        cls,
        models: str | Model | Mapping[str, str | Model | Mapping[str, Any]],
        options: Mapping[str, Any],
        *,
        protocol: Protocol,
        train: slice | None,
        test: slice | None,
        seeds: Sequence[int],
        scores: Callable[[xr.DataArray, xr.DataArray], xr.Dataset] | None,
        out: str | Path | None,
        save_fits: bool,
    ) -> Plan:
        """Sort arguments out; what is wrong with them is noted.

        Raises
        ------
        InputErrors
            If there is no model to check a dataset against, or no protocol.
        """
        problems = Problems("cross_validate")
        _check_names("", options, problems)
        asked = _by_label(models, problems)
        _check_protocol(protocol, problems)
        _check_seeds(seeds, problems)
        _check_out(out, save_fits, problems)
        _check_scores(scores, problems)
        complete = {label: _complete(label, dict(options) | own, problems) for label, own in asked.items()}
        problems.raise_if_any()
        chosen = tuple(int(seed) for seed in seeds)
        where = None if out is None else Path(out)
        return cls(complete, protocol, train, test, chosen, scores, where, save_fits, problems)

    def arguments(self, label: str, *, sites: xr.DataArray, seed: int) -> dict[str, Any]:
        """Keywords of `learn` for one fit."""
        return self.models[label] | {"train": self.train, "sites": sites, "seed": seed}


def _by_label(models: Any, problems: Problems) -> dict[str, dict[str, Any]]:
    if isinstance(models, str):
        return {models: {"model": models}}
    if isinstance(models, Model):
        return {models.name: {"model": models}}
    found: dict[str, dict[str, Any]] = {}
    entries = models if isinstance(models, Mapping) else {}
    for label, entry in entries.items():
        own = dict(entry) if isinstance(entry, Mapping) else {"model": entry}
        if not isinstance(label, str) or not label or "model" not in own:
            problems.add(
                "models",
                expected='text as a label, and "model" among the options of each',
                got=f"{label!r}: {short(entry)}",
                fix='models={"ours": {"model": "hbv", "epochs": 50}}',
            )
            continue
        _check_names(f"{label}: ", {k: v for k, v in own.items() if k != "model"}, problems)
        found[label] = own
    if not entries:
        problems.add(
            "models",
            expected="a model, or a mapping of labels to models",
            got=short(models),
            fix='models="vic", or models={"a": "vic", "b": "hbv"}',
        )
    return found


def _check_names(prefix: str, options: Mapping[str, Any], problems: Problems) -> None:
    for name in options:
        if name in _OPTIONS:
            continue
        close = difflib.get_close_matches(name, _OPTIONS, n=1)
        decided = {
            "sites": "leave it out, the protocol decides; ds.where(mask) keeps some sites only",
            "seed": "seeds=(0, 1)",
            "train": "train= of the call, one for all models",
            "progress": "progress= of the call",
            "checkpoint": "out=, where it keeps checkpoints",
        }
        problems.add(
            f"{prefix}{name}",
            expected="an option of learn that the protocol leaves open",
            got=repr(name),
            fix=decided.get(name, f"{close[0]}=..." if close else f"leave {name} out"),
        )


def _complete(label: str, options: dict[str, Any], problems: Problems) -> dict[str, Any]:
    """Options with the defaults of `learn`, so that leaving one out is the same as giving it."""
    complete = {"model": options["model"]}
    for name, parameter in _OPTIONS.items():
        if name in options:
            complete[name] = options[name]
        elif parameter.default is not inspect.Parameter.empty:
            complete[name] = parameter.default
        else:
            problems.add(name, expected="as in learn", got="nothing", fix=f"{name}=..., for {label!r} too")
    return complete


def _check_protocol(protocol: Any, problems: Problems) -> None:
    if isinstance(protocol, Protocol):
        return
    is_class = isinstance(protocol, type) and issubclass(protocol, Protocol)
    problems.add(
        "protocol",
        expected="an instance of a Protocol",
        got=short(protocol),
        fix=f"protocol={protocol.__name__}()"
        if is_class
        else "protocol=xdpl.evaluation.Ungauged(k=5), or Temporal(), UngaugedRegions(), Density(every=4)",
    )


def _check_scores(scores: Any, problems: Problems) -> None:
    if scores is not None and not callable(scores):
        problems.add(
            "scores",
            expected="a function of simulated and observed",
            got=short(scores),
            fix="scores=my_function",
        )


def _check_seeds(seeds: object, problems: Problems) -> None:
    given = list(seeds) if isinstance(seeds, Iterable) and not isinstance(seeds, str) else None
    if given and len(set(map(repr, given))) == len(given) and all(map(_is_seed, given)):
        return
    problems.add(
        "seeds",
        expected="different integers from 0, at least one",
        got=short(seeds),
        fix="seeds=(0, 1, 2)",
    )


def _is_seed(value: Any) -> bool:
    sound: bool = not isinstance(value, bool) and isinstance(value, numbers.Integral) and int(value) >= 0
    return sound


def _check_out(out: object, save_fits: bool, problems: Problems) -> None:
    if out is None:
        if save_fits:
            problems.add("save_fits", expected="a folder for the fits", got="out=None", fix='out="runs"')
        return
    if not isinstance(out, str | Path) or "://" in str(out) or Path(out).is_file():
        problems.add("out", expected="a folder on a file system", got=short(out), fix='out="runs"')
