"""One HTML page about a fit: facts gathered from it and a dataset, rules that warn, sections, the page."""

from xdpl.report.entry import write

__all__ = ["write"]
