import json
from dataclasses import dataclass

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xdpl.errors import InputErrors
from xdpl.evaluation import (
    Density,
    Protocol,
    Split,
    Temporal,
    Ungauged,
    UngaugedRegions,
    contiguous_regions,
    random_folds,
)

masks = hnp.arrays(bool, st.tuples(st.integers(2, 7), st.integers(2, 7))).filter(lambda m: m.sum() >= 5)


def grid(mask):
    coords = {"lat": np.arange(mask.shape[0]) * 1.5, "lon": np.arange(mask.shape[1]) * 2.0}
    return xr.DataArray(np.where(mask, 1.0, np.nan), coords, ("lat", "lon"), "sand", {"units": "percent"})


@given(masks, st.sampled_from([Ungauged(k=3, seed=1), UngaugedRegions(k=5), UngaugedRegions(k=2)]))
def test_each_site_is_tested_once_by_a_fit_that_did_not_see_it(mask, protocol):
    splits = protocol.splits(grid(mask))
    assert [s.name for s in splits] == [str(i) for i in range(protocol.k)]
    np.testing.assert_array_equal(sum(s.test.values.astype(int) for s in splits), mask)
    for split in splits:
        assert split.train.dtype == split.test.dtype == bool
        assert not (split.train & split.test).any()
        np.testing.assert_array_equal(split.train | split.test, mask)


@given(masks)
def test_temporal_has_all_sites_on_both_sides(mask):
    (split,) = Temporal().splits(grid(mask))
    np.testing.assert_array_equal(split.train, mask)
    np.testing.assert_array_equal(split.test, mask)


@given(masks, st.integers(2, 3))
def test_samples_of_a_grid_are_all_sites(mask, every):
    mask = np.pad(mask, ((0, 6), (0, 6)), constant_values=True)
    splits = [Density(every, offset=i).splits(grid(mask))[0] for i in range(every**2)]
    np.testing.assert_array_equal(sum(s.train.values.astype(int) for s in splits), mask)
    assert all(((s.train ^ s.test) == mask).all() for s in splits)


def test_density_by_hand():
    mask = np.ones((5, 4), bool)
    mask[2, 2] = False
    (split,) = Density(2).splits(grid(mask))
    assert split.name == "1/4"
    expected = [[1, 0, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [1, 0, 1, 0]]
    np.testing.assert_array_equal(split.train, np.array(expected, bool))
    np.testing.assert_array_equal(split.test, mask & ~split.train.values)
    # Offset 2 of every=2: from the second row and the first column on.
    (shifted,) = Density(2, offset=2).splits(grid(mask))
    assert sorted(zip(*np.nonzero(shifted.train.values), strict=True)) == [(1, 0), (1, 2), (3, 0), (3, 2)]


def test_density_of_a_list_is_nested():
    template = xr.DataArray(np.arange(256.0), dims="basin").where(lambda a: a > 15)
    parts = {n: Density(n, seed=3).splits(template)[0] for n in (2, 4, 8)}
    assert [int(p.train.sum()) for p in parts.values()] == [60, 15, 4]
    assert not (parts[4].train & ~parts[2].train).any()
    assert not (parts[8].train & ~parts[4].train).any()
    assert not parts[2].train.equals(Density(2, seed=4).splits(template)[0].train)
    np.testing.assert_array_equal(parts[4].train ^ parts[4].test, template.notnull())


@pytest.mark.parametrize(
    "protocol", [Temporal(), Ungauged(k=4), UngaugedRegions(k=3), Density(2), Density(2, offset=1)]
)
def test_masks_over_the_template(protocol):
    mask = np.random.default_rng(0).random((6, 5)) < 0.8
    template = grid(mask)
    turned = protocol.splits(template.transpose().chunk(lat=2))
    assert isinstance(turned, tuple)
    for split, other in zip(protocol.splits(template), turned, strict=True):
        assert split.train.dims == split.test.dims == ("lat", "lon")
        for part in ("train", "test"):
            array = getattr(split, part)
            assert array.attrs == {} and array.name is None and array.chunks is None
            xr.testing.assert_equal(array, getattr(other, part).transpose("lat", "lon").compute())
    assert json.loads(json.dumps(protocol.to_dict())) == protocol.to_dict()


def test_folds_are_those_of_the_functions():
    template = grid(np.ones((5, 6), bool))
    folds, regions = random_folds(template, 4, seed=2), contiguous_regions(template, k=4)
    for i in range(4):
        np.testing.assert_array_equal(Ungauged(4, seed=2).splits(template)[i].test, folds == i)
        np.testing.assert_array_equal(UngaugedRegions(4).splits(template)[i].test, regions == i)


def test_plain_values():
    assert Temporal().to_dict() == {"kind": "Temporal"}
    assert Ungauged().to_dict() == {"kind": "Ungauged", "k": 5, "seed": 0}
    assert UngaugedRegions().to_dict() == {"kind": "UngaugedRegions", "k": 7, "lat": "lat", "lon": "lon"}
    assert Density(16).to_dict() == {"kind": "Density", "every": 16, "offset": 0, "seed": 0}
    assert Ungauged(3) == Ungauged(k=3) and hash(Density(2)) == hash(Density(every=2))


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        ([[4, 4, 9], [9, -1, 12]], ["4", "9", "12"]),
        (np.array([["south", "south", "coast"], ["coast", "", "hills"]]), ["coast", "hills", "south"]),
        (
            np.array([["south", "south", "coast"], ["coast", None, "hills"]], object),
            ["coast", "hills", "south"],
        ),
    ],
)
def test_own_regions(labels, names):
    template = grid(np.array([[1, 1, 1], [0, 1, 1]], bool))
    regions = template.copy(data=labels)
    protocol = UngaugedRegions(regions=regions.transpose())
    assert protocol.to_dict() == {"kind": "UngaugedRegions", "regions": names}
    splits = protocol.splits(template)
    assert [s.name for s in splits] == names
    by_name = {s.name: s for s in splits}
    one, two, three = (str(regions.values[i]) for i in ((0, 0), (0, 2), (1, 2)))
    np.testing.assert_array_equal(by_name[one].test, [[1, 1, 0], [0, 0, 0]])
    np.testing.assert_array_equal(by_name[two].test, [[0, 0, 1], [0, 0, 0]])
    np.testing.assert_array_equal(by_name[three].test, [[0, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(by_name[one].train, [[0, 0, 1], [0, 0, 1]])


def test_regions_that_are_no_labels_of_the_sites():
    template = grid(np.ones((2, 3), bool))
    for regions, found in {
        "dtype": template,
        "dims": template.astype(int).isel(lat=0, drop=True),
        "labels": template.astype(int).assign_coords(lat=[5.0, 6.0]),
        "one": template.astype(int),
    }.items():
        with pytest.raises(InputErrors, match="UngaugedRegions cannot run") as caught:
            UngaugedRegions(regions=found).splits(template)
        assert [e.subject for e in caught.value.exceptions] == ["regions"], regions


@pytest.mark.parametrize(
    ("protocol", "subjects"),
    [
        (Ungauged(k=1), ["k"]),
        (Ungauged(k=True), ["k"]),
        (UngaugedRegions(lon="x"), ["k", "lon"]),
        (Density(1), ["every"]),
        (Density(2, offset=4), ["offset"]),
        (Density(2.0, seed=-1), ["seed", "every"]),
        (Density(5), ["every"]),
    ],
)
def test_what_cannot_be_split(protocol, subjects):
    mask = np.ones((2, 3), bool)
    mask[0, 0] = False
    with pytest.raises(InputErrors) as caught:
        protocol.splits(grid(mask))
    assert [e.subject for e in caught.value.exceptions] == subjects


@pytest.mark.parametrize("protocol", [Temporal(), Ungauged(2), UngaugedRegions(2), Density(2)])
def test_time_is_no_site_dim(protocol):
    with pytest.raises(InputErrors, match="template: expected a static field"):
        protocol.splits(grid(np.ones((3, 3), bool)).expand_dims(time=2))


def test_density_of_more_than_a_grid():
    with pytest.raises(InputErrors, match="a grid of two site dims, or a list of sites"):
        Density(2).splits(xr.DataArray(np.ones((2, 2, 2)), dims=("a", "b", "c")))


def test_an_own_protocol_is_a_class_with_a_method():
    @dataclass(frozen=True)
    class North(Protocol):
        above: float

        def splits(self, template):
            north = template["lat"] > self.above
            return [Split("north", template.notnull() & ~north, template.notnull() & north)]

    assert North(1.0).to_dict() == {"kind": "North", "above": 1.0}
    with pytest.raises(TypeError):
        Protocol()
