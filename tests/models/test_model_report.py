"""How models read: in terminals, notebooks and error messages."""

import dataclasses
import re
from dataclasses import dataclass
from html import unescape

import pytest
from model_cases import weather

import xdpl
from xdpl.errors import InputErrors
from xdpl.labelled.attrs import model_hash
from xdpl.models import Flux, Forcing, Model, Parameter, State
from xdpl.models.hbv import HBV
from xdpl.models.vic import VIC


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "130")


@dataclass(frozen=True)
class Store(Model):
    """Nothing but the contract: what a third party writes."""

    depth: float
    kind: str = "a\nb"
    hidden: float = dataclasses.field(default=1.0, repr=False)

    name = "store"
    forcings = (Forcing("rain", "mm d-1", "lwe_precipitation_rate"),)
    parameters = (Parameter("k", 1e-4, 1.25e6, "<d-1>", 0.2, "recession & <b>more</b>"),)
    states = (State("storage", "mm"),)
    fluxes = (Flux("outflow", "mm d-1"), Flux("loss", "mm d-1"))
    outputs = ("storage", "outflow")

    def step(self, xp, s, f, p):
        return {"storage": s.storage}, {"outflow": s.storage, "loss": s.storage}


@dataclass(frozen=True)
class Own(Store):
    """A model with a repr of its own."""

    def __repr__(self):
        return "mine"


@dataclass(frozen=True)
class Heir(Own):
    """Inherits the repr of its parent, not of Model."""


@dataclass(frozen=True)
class Clock:
    """Options that several models share; its repr is that of a dataclass."""

    hours: int = 24


@dataclass(frozen=True)
class Timed(Clock, Store):
    """Options of another dataclass come first in the order of bases."""

    depth: float = 2.0


@dataclass(frozen=True, slots=True)
class Slotted(Store):
    """Slots make `dataclass` write the class anew."""


def test_hbv():
    lines = repr(xdpl.models.get("hbv")).splitlines()
    assert lines[0] == "HBV(variant='plain', snow_range=0.0, dt=1.0, routing='gamma')"
    assert lines[2].split() == ["parameter", "range", "units", "default", "meaning"]
    assert lines[4].split("  ")[0] == "fc"
    assert re.split(r"\s{2,}", lines[4]) == [
        "fc",
        "50 – 1000",
        "mm",
        "250",
        "maximum soil moisture storage",
    ]
    rows = {line.split()[0]: line for line in lines[3:17]}
    assert list(rows) == [p.name for p in HBV().parameters]
    assert len({line.index("–") for line in rows.values()}) == 1
    assert lines[18:] == [
        "forcings     precipitation (mm d-1), air_temperature (degC), potential_evapotranspiration (mm d-1)",
        "states       snowpack (mm), meltwater (mm), soil_moisture (mm), upper_zone (mm), lower_zone (mm)",
        "outputs      streamflow (mm d-1), evapotranspiration (mm d-1), soil_moisture (mm), "
        "snow_water_equivalent (mm)",
        "more fluxes  runoff (mm d-1), surface_runoff (mm d-1), interflow (mm d-1), baseflow (mm d-1), "
        "recharge (mm d-1),",
        "             percolation (mm d-1)",
        "routes       streamflow (GammaHydrograph, 15 steps)",
    ]


def test_a_variant_shows_its_own_parameters():
    assert "capillary rise coefficient" in repr(HBV("capillary"))
    assert "capillary rise" not in repr(HBV())


def test_without_routing_there_is_none():
    text = repr(HBV(routing=None))
    assert "route" not in text.replace("routing", "") and "routing=None" in text


def test_scale_only_where_it_is_log():
    lines = repr(VIC()).splitlines()
    assert lines[2].split() == ["parameter", "range", "units", "default", "scale", "meaning"]
    log = {line.split()[0] for line in lines[3:20] if "  log  " in line}
    assert log == {p.name for p in VIC().parameters if p.scale == "log"}
    assert "  linear" not in repr(VIC())


@pytest.mark.parametrize("columns", [40, 80, 100])
@pytest.mark.parametrize("model", [HBV(), VIC(dt=0.5)], ids=lambda m: m.name)
def test_fits_the_terminal(monkeypatch, model, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = repr(model)
    if columns >= 80:
        assert max(map(len, text.splitlines())) <= columns
    plain = " ".join(text.split())
    for declared in (*model.parameters, *model.forcings, *model.states, *model.fluxes):
        assert declared.name in plain and declared.units in plain
    for parameter in model.parameters:
        assert all(word in plain for word in parameter.long_name.split())
    # Units stay with their name.
    assert all(line.count("(") == line.count(")") for line in text.splitlines())
    assert "\u00a0" not in text


def test_a_third_party_writes_nothing_for_it():
    assert repr(Store(3.0)).splitlines() == [
        "Store(depth=3.0, kind='a\\nb')",
        "",
        "parameter  range             units  default  meaning",
        "k          0.0001 – 1250000  <d-1>      0.2  recession & <b>more</b>",
        "",
        "forcings     rain (mm d-1)",
        "states       storage (mm)",
        "outputs      storage (mm), outflow (mm d-1)",
        "more fluxes  loss (mm d-1)",
    ]
    assert str(Store(3.0)) == repr(Store(3.0))


def test_a_repr_of_the_class_itself_is_kept():
    assert repr(Own(1.0)) == repr(Heir(1.0)) == "mine"


@pytest.mark.parametrize(
    ("model", "title"),
    [
        (Timed(hours=3), "Timed(depth=2.0, kind='a\\nb', hours=3)"),
        (Slotted(1.0), "Slotted(depth=1.0, kind='a\\nb')"),
    ],
    ids=["another dataclass", "slots"],
)
def test_however_the_dataclass_is_made(model, title):
    assert repr(model).splitlines()[0] == title
    assert "recession" in repr(model)


def test_a_model_as_option_takes_one_line():
    @dataclass(frozen=True)
    class Outer(Store):
        inner: Model = dataclasses.field(default_factory=HBV)

    first = repr(Outer(1.0)).splitlines()[0]
    inner = "HBV(variant='plain', snow_range=0.0, dt=1.0, routing='gamma')"
    assert first == f"Outer(depth=1.0, kind='a\\nb', inner={inner} …)"


def test_an_unfinished_model_can_be_shown():
    class Nothing(Model):
        def step(self, xp, s, f, p):
            return {}, {}

    assert repr(Nothing()).splitlines() == ["Nothing()", "", *(f"{k:8}  none" for k in LISTS)]
    assert "Nothing()" in Nothing()._repr_html_()


LISTS = ("forcings", "states", "outputs")


def test_html_says_the_same():
    html = xdpl.models.get("vic")._repr_html_()
    words = re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", html)).replace("\u00a0", " "))
    text = re.sub(r"\s+", " ", repr(xdpl.models.get("vic")))
    assert words.replace(" ", "") == text.replace(" ", "")
    for tag in ("table", "thead", "tbody", "tr", "th", "td", "b"):
        assert len(re.findall(f"<{tag}[ >]", html)) == html.count(f"</{tag}>") > 0


def test_html_is_escaped():
    html = Store(1.0, kind="<script>")._repr_html_()
    assert "<script>" not in html and "&lt;script&gt;" in html
    assert "<d-1>" not in html and "&lt;d-1&gt;" in html
    assert "recession &amp; &lt;b&gt;more&lt;/b&gt;" in html


def test_the_hash_of_a_model_is_that_of_its_declarations():
    # Written down before models had a repr: fits on disk keep their hash.
    assert model_hash(Store(1.0)) == "5c57ac01218c5b6d"


@pytest.mark.parametrize("call", ["simulate", "learn"])
def test_errors_show_what_is_no_model_on_one_line(call):
    options = {"learn": {"target": "x", "attributes": []}, "simulate": {}}[call]
    ds = weather()
    shown = f"{repr(ds).splitlines()[0]} …"
    with pytest.raises(InputErrors) as raised:
        getattr(xdpl, call)(ds, ds, **options)
    lines = str(raised.value).splitlines()
    assert lines[0] == f"{call}({shown!r}) cannot run:"
    assert f"got {shown}; fix: name a known model" in lines[1]
