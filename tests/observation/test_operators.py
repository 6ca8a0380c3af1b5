"""Specifications of observation operators: by name, as plain values, refused where they make no sense."""

import json

import numpy as np
import pytest
import xarray as xr

from xdpl import observation
from xdpl.errors import InputErrors
from xdpl.labelled.grid import Grid
from xdpl.observation import Anomaly, Frozen, GlobalAffine, Identity, Operator, SiteAffine
from xdpl.observation.frozen import frozen_values

USUAL = [Anomaly(), GlobalAffine(), Identity(), SiteAffine()]
SITES = xr.DataArray([0.9, 1.1], {"site": ["a", "b"]}, "site", attrs={"units": "percent"})


@pytest.mark.parametrize("operator", USUAL, ids=lambda o: o.kind)
def test_a_name_is_the_operator_with_its_usual_options(operator):
    assert observation.get(operator.kind) == operator


@pytest.mark.parametrize(
    "operator", [*USUAL, SiteAffine(0.25, 3), GlobalAffine(2), Frozen(0.5, -2)], ids=lambda o: o.describe()
)
def test_plain_values_bring_it_back(operator):
    values = json.loads(json.dumps(operator.to_dict()))
    back = observation.from_dict(values)
    assert type(back) is type(operator)
    assert back.to_dict() == operator.to_dict()


def test_arrays_come_back_with_labels_and_units():
    given = Frozen(SITES.assign_coords(lat=("site", [4.0, 5.0])), 0.5)
    back = observation.from_dict(json.loads(json.dumps(given.to_dict())))
    xr.testing.assert_identical(back.scale, SITES)
    assert back.offset == 0.5
    assert back.describe() == "frozen, scale over site, offset 0.5"


def test_trusted_sites_come_back():
    given = SiteAffine(0.0, trusted=(SITES > 1.0).drop_attrs())
    back = observation.from_dict(json.loads(json.dumps(given.to_dict())))
    xr.testing.assert_identical(back.trusted, given.trusted)
    assert back.trusted.dtype == bool
    assert back.describe() == "site_affine, free, rate 10, 1 sites trusted"


def test_equal_where_all_values_are():
    trusted = (SITES > 1.0).drop_attrs()
    assert SiteAffine(trusted=trusted) == SiteAffine(trusted=trusted.copy())
    assert SiteAffine(trusted=trusted) != SiteAffine(trusted=~trusted)
    assert SiteAffine() != SiteAffine(0.5)
    assert Frozen(SITES) == Frozen(SITES.copy())
    assert hash(Frozen(SITES)) == hash(Frozen(SITES.copy()))
    assert len({SiteAffine(), SiteAffine(), Anomaly()}) == 2


@pytest.mark.parametrize("wrong", [True, [True], SITES])
def test_trusted_is_a_mask(wrong):
    with pytest.raises(ValueError, match="trusted must be a DataArray of bool"):
        SiteAffine(trusted=wrong)


def test_all_is_sorted_and_of_operators():
    assert observation.__all__ == sorted(observation.__all__)
    things = [getattr(observation, name) for name in observation.__all__]
    kinds = {v.kind for v in things if isinstance(v, type) and v is not Operator}
    assert kinds == set(observation._ALL)


@pytest.mark.parametrize("given", ["sight_affine", "frozen", None, 3])
def test_what_is_none_is_refused(given):
    with pytest.raises(InputErrors, match="observation: expected one of 'anomaly'") as raised:
        observation.get(given)
    (error,) = raised.value.exceptions
    assert error.fix == ("use 'site_affine'" if given == "sight_affine" else 'observation="identity"')


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no observation operator 'cubic'"):
        observation.from_dict({"kind": "cubic"})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SiteAffine(-1.0), "penalty must be a finite number of at least 0"),
        (lambda: SiteAffine(float("nan")), "penalty must be"),
        (lambda: SiteAffine(True), "penalty must be"),
        (lambda: SiteAffine(rate=0), "rate must be a finite number above 0"),
        (lambda: GlobalAffine(float("inf")), "rate must be"),
        (lambda: Frozen(0.0), "scale must be a finite number other than 0"),
        (lambda: Frozen(1.0, float("nan")), "offset must be a finite number"),
        (lambda: Frozen("1"), "scale must be"),
    ],
)
def test_bad_options_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_frozen_values_are_in_the_units_of_the_target():
    ds = xr.Dataset({"x": ("site", [0.0, 0.0])}, {"site": ["a", "b"]})
    offset = xr.DataArray([1.0, 2.0], {"site": ["a", "b"]}, "site", attrs={"units": "degC"})
    scale, kelvin = frozen_values(Frozen(SITES, offset), "K", Grid.of(ds, ["x"]))
    np.testing.assert_allclose(scale, [0.009, 0.011])
    # A difference of one degree, not a temperature.
    np.testing.assert_allclose(kelvin, [1.0, 2.0])
