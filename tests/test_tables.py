"""Tables of strings: aligned, wrapped, escaped."""

import pytest

from xdpl import tables


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")


def test_columns_are_aligned():
    rows = [("name", "size", "note"), ("a", "10", "x"), ("longer", "9", "")]
    assert tables.text(rows, right=(1,), indent="> ") == [
        "> name    size  note",
        "> a         10  x",
        "> longer     9",
    ]


def test_the_last_column_is_wrapped():
    assert tables.text([("key", "word " * 12), ("k", "short")]) == [
        "key  word word word word word word word",
        "     word word word word word",
        "k    short",
    ]


def test_what_is_listed_is_not_torn():
    (first, second) = tables.text([("k", tables.listed(["rain (mm d-1)"] * 3))])
    assert first == "k  rain (mm d-1), rain (mm d-1)," and second == "   rain (mm d-1)"


def test_a_narrow_terminal_leaves_room_for_the_last_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "10")
    assert tables.text([("k" * 20, "sixteen letters.")]) == ["k" * 20 + "  sixteen letters."]


def test_long_words_stay_whole():
    assert tables.text([("k", "w" * 60)]) == ["k  " + "w" * 60]


def test_html_with_a_head():
    html = tables.html([("a", "<1>")], head=("x & y", "n"), right=(1,))
    left, right = 'style="text-align:left"', 'style="text-align:right"'
    assert html == (
        f"<table><thead><tr><th {left}>x &amp; y</th><th {right}>n</th></tr></thead>"
        f"<tbody><tr><td {left}>a</td><td {right}>&lt;1&gt;</td></tr></tbody></table>"
    )


def test_html_without_a_head():
    html = tables.html([("a", "1")])
    assert "<thead>" not in html and html.count("<th ") == 1 and html.count("<td ") == 1


def test_a_paragraph_hangs_below_its_beginning():
    assert tables.wrapped("word " * 10, "- ") == [
        "- word word word word word word word",
        "  word word word",
    ]
