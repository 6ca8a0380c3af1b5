"""The page as a whole: sound HTML, one file, nothing from outside, readable without a mouse."""

import re

import pytest
from helpers_report import Page, learn

import xdpl

SECTIONS = [
    "Warnings",
    "Scores",
    "Groups of sites",
    "Parameters and maps",
    "Observed and simulated",
    "Learning curve",
    "What the observations tell",
    "Observation operator and transfer test",
    "Settings and provenance",
]


def test_sections_in_order(page):
    assert page.headings() == SECTIONS
    assert page.tags[0] == ("html", {"lang": "en"})
    assert [data for tag, data in page.words if tag == "h1"] == ["vic: soil_moisture"]


def test_contents_lead_to_the_sections(page):
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {link.removeprefix("#") for link in links} <= set(ids)
    named = [data for tag, data in page.words if tag == "a"]
    assert named[1:] == SECTIONS


def test_nothing_comes_from_outside(page):
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "img", "object", "embed", "base", "form"}
    for tag, attrs in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "action", "data"):
            assert name not in attrs or attrs[name].startswith(("#", "data:")), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs)
    assert "http:" not in page.source and "https:" not in page.source
    assert "@import" not in page.source and not re.search(r"url\((?!#)", page.source)
    policy = [a["content"] for t, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_references_inside_pictures_are_there(page):
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    used = set(re.findall(r"(?:url\(|href=\")#([^)\"]+)", page.source))
    assert used <= ids and len(used) > 50


def test_tables_can_be_read(page):
    assert len(page.tables) >= 9
    for table in page.tables:
        assert table["caption"]
        assert len({len(row) for row in table["rows"]}) == 1
        head, *rows = table["rows"]
        assert all(head) and rows
        cells = [(tag, attrs) for tag, attrs in table["tags"] if tag in ("th", "td")]
        assert all("scope" in attrs for tag, attrs in cells if tag == "th")
        scopes = [attrs.get("scope") for tag, attrs in cells if tag == "th"]
        assert scopes.count("col") == len(head) and scopes.count("row") == len(rows)


def test_what_scrolls_is_reached_by_keyboard(page):
    scrolling = [attrs for _, attrs in page.tags if "scroll" in (attrs.get("class") or "").split()]
    assert len(scrolling) > len(page.tables)
    assert all(a["tabindex"] == "0" and a["role"] == "region" and a["aria-label"] for a in scrolling)


def test_pictures_say_what_they_show(page):
    pictures = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(pictures) == 1 + 1 + 18 + 3 + 1 + 1
    assert all(attrs["role"] == "img" and attrs["aria-label"] for attrs in pictures)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("figure") == tags.count("figcaption") == tags.count("svg") == len(pictures)
    assert tags.count("title") == 1 + len(pictures)


def test_pictures_follow_the_theme(page):
    assert "#010203" not in page.source
    assert page.source.count("currentColor") > 200
    assert "prefers-color-scheme: dark" in page.source and "color-scheme: light dark" in page.source
    # Black or white text would vanish on one of the pages.
    assert not re.search(r"(?:fill|stroke): #(?:000000|ffffff|fff|000)\b", page.source)


HOSTILE = '<script>alert("x")</script> & $y$'


def test_names_of_the_data_are_text(ds, tmp_path):
    ds = ds.rename(sand=HOSTILE)
    ds = ds.assign_coords(lat_name=("lat", [f"</svg>{HOSTILE}"] * ds.sizes["lat"]))
    ds = ds.assign_coords(line=("lat", ["a\x00\x1bb"] * ds.sizes["lat"]))
    fit = learn(ds, attributes=[HOSTILE, "clay"])
    groups = xdpl.evaluation.dryness_terciles(ds["elevation"])
    groups.attrs["long_name"] = HOSTILE
    groups.attrs["flag_meanings"] = "no_site <script>one</script> </figure> three"
    options = {"title": HOSTILE, "groups": groups, "progress": False}
    path = fit.report(tmp_path / "report.html", ds, **options)
    page = Page(path.read_text("utf8"))
    assert not any(tag == "script" for tag, _ in page.tags)
    assert "<script" not in page.source and "\x00" not in page.source
    assert page.headings() == SECTIONS
    assert [data for tag, data in page.words if tag == "h1"] == [HOSTILE]
    assert "<script>one</script>" in [row[0] for row in page.table("Median scores")]
    assert any(row[0] == f"attribute {HOSTILE}" for row in page.table("Variables"))


def test_small_for_400_sites(tmp_path, capsys):
    ds = xdpl.data.twin(shape=(20, 20), years=2)
    fit = learn(ds, epochs=2, batch=64)
    size = {}
    for name, each in (("grid", ds), ("sites", ds.stack(site=("lat", "lon")).reset_index("site"))):
        path = fit.report(tmp_path / f"{name}.html", each, progress=False)
        page = Page(path.read_text("utf8"))
        assert page.table("Scores")[1][0].startswith("rmse") and "400 sites" in page.tables[0]["caption"]
        size[name] = path.stat().st_size / 1e6
    with capsys.disabled():
        print(f"\nreport of 400 sites: {size['grid']:.2f} MB on a grid, {size['sites']:.2f} MB scattered")
    assert max(size.values()) < 5.0


def test_the_same_facts_give_the_same_page(fit, ds, path, tmp_path):
    again = fit.report(tmp_path / "again.html", ds, progress=False).read_text("utf8")
    rows = [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "", text) for text in (again, path.read_text("utf8"))]
    assert rows[0] == rows[1]


@pytest.mark.parametrize("width", [60, 200])
def test_styles_of_the_user_change_nothing(fit, ds, path, tmp_path, width):
    import matplotlib as mpl

    with mpl.rc_context({"font.size": width, "axes.facecolor": "black", "text.usetex": True}):
        text = fit.report(tmp_path / "again.html", ds, progress=False).read_text("utf8")
        assert mpl.rcParams["font.size"] == width
    assert abs(len(text) - path.stat().st_size) < 2000
