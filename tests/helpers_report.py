"""Fits of a second for the tests of reports, and pages taken apart."""

import functools
from html.parser import HTMLParser

import xarray as xr

import xdpl
from xdpl.report.request import Request

# Elements without an end.
VOID = {"meta", "link", "br", "hr", "img", "input", "path", "use", "image", "rect", "circle"}
QUIET = Request(progress=False)


@functools.cache
def _world() -> xr.Dataset:
    return xdpl.data.twin(shape=(4, 5), years=2)


def world() -> xr.Dataset:
    """Twenty sites, two years."""
    return _world().copy(deep=True)


def learn(ds: xr.Dataset, **options) -> xdpl.Fit:
    """A fit of `vic` in a second."""
    common = {
        "target": "soil_moisture",
        "attributes": ["sand", "clay"],
        "train": slice("2001-02", "2001-08"),
        "validate": slice("2001-09", "2001-10"),
        "epochs": 3,
        "window": 60,
        "warmup": 15,
        "batch": 16,
        "learning_rate": 0.02,
        "progress": False,
    }
    return xdpl.learn(ds, options.pop("model", "vic"), **(common | options))


class Page(HTMLParser):
    """A page taken apart; an element that ends where another began is an error."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.source = text
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []
        self.tables: list[dict] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "table":
            self.tables.append({"caption": "", "rows": [], "tags": []})
        if self.tables and "table" in (*self.open, tag):
            self.tables[-1]["tags"].append((tag, dict(attrs)))
            if tag == "tr":
                self.tables[-1]["rows"].append([])
            if tag in ("td", "th"):
                self.tables[-1]["rows"][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open} at {self.getpos()}"
        self.open.pop()

    def handle_data(self, data):
        self.words.append((self.open[-1] if self.open else "", data))
        if "table" not in self.open:
            return
        if "caption" in self.open:
            self.tables[-1]["caption"] += data
        elif self.open[-1] in ("td", "th"):
            self.tables[-1]["rows"][-1][-1] += data

    @property
    def text(self) -> str:
        """What a reader reads."""
        return " ".join(" ".join(data for tag, data in self.words if tag != "style").split())

    def table(self, start: str) -> list[list[str]]:
        """Rows of the table whose caption begins so, its head among them."""
        (found,) = [t["rows"] for t in self.tables if t["caption"].startswith(start)]
        return found

    def headings(self) -> list[str]:
        """Headings of sections."""
        return [data for tag, data in self.words if tag == "h2"]
