"""The command `xdpl`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["EXPERIMENTS", "main"]

# Here too, so that the help needs nothing but this file.
EXPERIMENTS = (
    "coherence",
    "cost",
    "data-efficiency",
    "data-fraction",
    "global-constraint",
    "headroom",
    "history",
    "observation",
    "perturbation",
    "regimes",
    "scaling",
    "surrogate",
    "towers",
    "transfer",
    "uncertainty",
)


# Other synthetic worlds.
_TWINS = ("all", "all-1", "biased", "moisture", "noah", "regimes", "runoff")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    ``xdpl demo`` learns on a synthetic world, ``xdpl demo smap`` on real
    satellite soil moisture, ``xdpl demo mopex`` on the streamflow of basins.
    ``xdpl experiment NAME`` measures a claim.
    """
    parser = argparse.ArgumentParser(prog="xdpl", description="Learn parameters of process models from data.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="learn, score and map, on a synthetic world or on real data")
    worlds = ("twin", "smap", "mopex")
    demo.add_argument("data", nargs="?", choices=worlds, default="twin", help="default: twin")
    demo.add_argument("--out", type=Path, default=Path("xdpl-demo"), help="folder for the results")
    demo.add_argument("--epochs", type=int, help="fewer for a quick look")
    demo.add_argument("--seed", type=int, default=0)
    demo.add_argument("--quiet", action="store_true", help="no progress bar")
    trial = commands.add_parser("experiment", help="measure a claim about parameter learning")
    trial.add_argument("name", choices=EXPERIMENTS, help="which")
    cases = (*worlds, *(f"twin-{k}" for k in _TWINS))
    trial.add_argument("--data", choices=cases, help="default: that of the documentation")
    trial.add_argument("--seeds", type=int, default=3, help="how many, default: 3")
    trial.add_argument("--out", type=Path, default=Path("xdpl-experiments"), help="folder for the results")
    trial.add_argument("--quiet", action="store_true", help="no progress bar")
    arguments = parser.parse_args(argv)
    try:
        _demo(arguments) if arguments.command == "demo" else _experiment(arguments)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _demo(arguments: argparse.Namespace) -> None:
    from xdpl import demo as demos

    run = {"twin": demos.twin, "smap": demos.smap, "mopex": demos.mopex}[arguments.data]
    options = {"out": arguments.out, "seed": arguments.seed, "progress": not arguments.quiet}
    if arguments.epochs is not None:
        options["epochs"] = arguments.epochs
    run(**options)


def _experiment(arguments: argparse.Namespace) -> None:
    from xdpl.experiments.command import experiment

    experiment(
        arguments.name,
        data=arguments.data,
        seeds=arguments.seeds,
        out=arguments.out,
        progress=not arguments.quiet,
    )
