"""A fit, its facts and its page, that several tests read."""

import pytest
from helpers_report import QUIET, Page, learn, world

from xdpl.report.gather import gather


@pytest.fixture(scope="session")
def fit():
    """Not to be changed."""
    return learn(world())


@pytest.fixture
def ds():
    return world()


@pytest.fixture(scope="session")
def facts(fit):
    """Not to be changed."""
    return gather(fit, world(), QUIET)


@pytest.fixture(scope="session")
def path(fit, tmp_path_factory):
    """The page of a fit with its dataset."""
    return fit.report(tmp_path_factory.mktemp("report") / "report.html", world(), progress=False)


@pytest.fixture(scope="session")
def page(path):
    return Page(path.read_text("utf8"))
