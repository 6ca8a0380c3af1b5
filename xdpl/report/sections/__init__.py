"""Sections of a report in the order of the page: one file each, a function from facts to HTML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from xdpl.report.sections.identifiability import identifiability
from xdpl.report.sections.learning import learning
from xdpl.report.sections.maps import maps
from xdpl.report.sections.observation import observation
from xdpl.report.sections.regimes import regimes
from xdpl.report.sections.scores import scores
from xdpl.report.sections.series import series
from xdpl.report.sections.settings import settings
from xdpl.report.sections.warnings import warnings

if TYPE_CHECKING:
    from xdpl.report.facts import Facts

__all__ = ["SECTIONS", "Section"]


class Section(NamedTuple):
    """One section: its id and heading in the page, and what writes it."""

    name: str
    heading: str
    write: Callable[[Facts], str]


SECTIONS = (
    Section("warnings", "Warnings", warnings),
    Section("scores", "Scores", scores),
    Section("groups", "Groups of sites", regimes),
    Section("maps", "Parameters and maps", maps),
    Section("series", "Observed and simulated", series),
    Section("learning", "Learning curve", learning),
    Section("identifiability", "What the observations tell", identifiability),
    Section("observation", "Observation operator and transfer test", observation),
    Section("settings", "Settings and provenance", settings),
)
