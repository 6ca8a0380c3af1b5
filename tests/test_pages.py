"""The pages name what there is: public names, folders, networks, losses."""

import functools
import importlib
import inspect
import re
from pathlib import Path

import pytest

import xdpl
from xdpl import networks
from xdpl.networks.custom import Custom
from xdpl.plot import FitPlot
from xdpl.training.losses import LOSSES
from xdpl.training.schedules import SCHEDULES

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reference" / "api.md"
PACKAGES = [
    "",
    ".blackbox",
    ".data",
    ".evaluation",
    ".experiments",
    ".export",
    ".fit",
    ".gradients",
    ".models",
    ".networks",
    ".observation",
    ".plot",
    ".regionalisation",
    ".routing",
    ".uncertainty",
]

pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="the pages are not part of a source distribution")


def meant(path):
    """What a dotted path may mean: a module and its function may share a name."""
    parts, found = path.split("."), []
    for i in range(1, len(parts)):
        try:
            place = importlib.import_module(".".join(parts[:i]))
            found.append(functools.reduce(getattr, parts[i:], place))
        except (ModuleNotFoundError, AttributeError):
            continue
    return list(dict.fromkeys(thing for thing in found if not inspect.ismodule(thing)))


def entries():
    """Dotted paths of the reference page, and the members that are shown of each."""
    text = PAGE.read_text("utf8") if PAGE.exists() else ""
    found = re.findall(r"^::: (\S+)((?:\n +\S.*)*)", text, re.MULTILINE)
    shown = {path: re.search(r"members: \[(.*)\]", options) for path, options in found}
    return {path: None if names is None else names[1].split(", ") for path, names in shown.items()}


@functools.cache
def listed():
    return [thing for path in entries() for thing in meant(path)]


@pytest.mark.parametrize("path", entries())
def test_what_the_reference_page_lists_is_there(path):
    assert meant(path)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_page_lists_what_is_public(package):
    place = importlib.import_module(f"xdpl{package}")
    public = {name: getattr(place, name) for name in place.__all__}
    missing = {n for n, v in public.items() if not inspect.ismodule(v) and all(v is not t for t in listed())}
    assert missing <= {"__version__"}


@pytest.mark.parametrize("path", [path for path, members in entries().items() if members])
def test_the_reference_page_lists_all_methods(path):
    (thing,) = meant(path)
    kinds = (property, classmethod, functools.cached_property)
    own = {
        name
        for base in thing.__mro__
        if base.__module__.startswith("xdpl")
        for name, value in vars(base).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, kinds))
    }
    assert set(entries()[path]) == own


def test_plot_names_all_pictures():
    named = set(re.findall(r"`plot\.(\w+)\(", inspect.getdoc(xdpl.Fit.plot)))
    assert named == {name for name in vars(FitPlot) if not name.startswith("_")}


def test_paths_in_the_contributing_page_exist():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf8")
    paths = re.findall(r"`((?:xdpl|tests|docs|asv_bench|\.ci)/[^`*<]*)`", text)
    assert len(paths) > 25
    assert [path for path in paths if not (ROOT / path).exists()] == []
    folders = {f"xdpl/{p.name}/" for p in (ROOT / "xdpl").iterdir() if (p / "__init__.py").exists()}
    assert folders <= set(paths)


def rows(page, head):
    """First cells of the table whose first heading is this."""
    lines = (ROOT / "docs" / page).read_text("utf8").split(f"| {head} |")[1].split("\n\n")[0].splitlines()[2:]
    return [line.split("|")[1] for line in lines]


def test_networks_and_losses_are_those_of_the_page():
    page = "how-to/networks.md"
    named = {name for row in rows(page, "`network=`") for name in re.findall(r'"(\w+)"', row)}
    classes = {getattr(networks, n) for n in networks.__all__ if inspect.isclass(getattr(networks, n))}
    assert named == {c.kind for c in classes - {networks.Network, Custom}}
    assert {name for row in rows(page, "`loss=`") for name in re.findall(r'"(\w+)"', row)} == set(LOSSES)
    text = (ROOT / "docs" / page).read_text("utf8")
    assert all(f'"{name}"' in text for name in SCHEDULES)
