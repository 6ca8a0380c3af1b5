import numpy as np
import pint
import pytest
import xarray as xr

from xdpl.errors import InputErrors
from xdpl.evaluation import summary


@pytest.fixture
def scores():
    """One model, two folds of two and three sites, three seeds; the fourth site has no score."""
    nan = np.nan
    first = [[1.0, 2.0, nan, nan, nan], [2.0, 2.0, nan, nan, nan], [9.0, 1.0, nan, nan, nan]]
    second = [[nan, nan, 3.0, nan, 5.0], [nan, nan, 4.0, nan, 8.0], [nan, nan, 2.0, nan, 5.0]]
    ds = xr.Dataset(coords={"model": ["ours"], "fold": ["a", "b"], "seed": [0, 1, 2]})
    attrs = {"units": "mm d-1", "long_name": "root mean square error"}
    ds["rmse"] = (("model", "fold", "seed", "basin"), np.array([[first, second]]), attrs)
    ds["count"] = (ds["rmse"].dims, np.isfinite(ds["rmse"].values).astype(int))
    ds["seconds"] = (("model", "fold", "seed"), np.ones((1, 2, 3)), {"units": "s"})
    ds["epochs"] = ds["seconds"].astype(int)
    return ds


def test_medians_by_hand(scores):
    found = summary(scores)
    medians = [(2 + 3) / 2, (2 + 4) / 2, (2 + 5) / 2]
    np.testing.assert_allclose(found["rmse"], [3.0])
    np.testing.assert_allclose(found["rmse_std"], [np.sqrt(sum((m - 3.0) ** 2 for m in medians) / 2)])
    assert list(found) == ["rmse", "rmse_std", "sites", "seeds"]
    assert (int(found["sites"][0]), int(found["seeds"][0])) == (4, 3)
    assert found["rmse"].attrs["units"] == found["rmse_std"].attrs["units"] == "mm d-1"
    assert (
        found["rmse"].attrs["long_name"]
        == "mean over seeds of the median over sites of root mean square error"
    )
    table = found.to_dataframe()
    assert table.index.tolist() == ["ours"] and table.loc["ours", "sites"] == 4


def test_a_seed_with_a_missing_fold_does_not_count(scores):
    scores["seconds"][0, 1, 1:] = np.nan
    scores["rmse"][0, 1, 1:] = np.nan
    found = summary(scores)
    np.testing.assert_allclose(found["rmse"], [2.5])
    assert np.isnan(found["rmse_std"]).all()
    assert (int(found["sites"][0]), int(found["seeds"][0])) == (4, 1)
    scores["seconds"][:] = np.nan
    nothing = summary(scores)
    assert np.isnan(nothing["rmse"]).all() and int(nothing["sites"][0]) == int(nothing["seeds"][0]) == 0


def test_models_side_by_side_on_a_lazy_grid(scores):
    grid = xr.concat([scores, 2 * scores], "model").assign_coords(model=["a", "b"])
    grid = grid.expand_dims(band=2).chunk(basin=1)
    grid["seconds"] = xr.concat([scores["seconds"]] * 2, "model").assign_coords(model=["a", "b"])
    grid["epochs"] = grid["seconds"]
    found = summary(grid)
    np.testing.assert_allclose(found["rmse"], [3.0, 6.0])
    np.testing.assert_array_equal(found["sites"], [8, 8])


def test_quantities(scores):
    registry = pint.UnitRegistry()
    scores["rmse"] = (scores["rmse"].dims, registry.Quantity(scores["rmse"].values, "mm/day"))
    found = summary(scores)
    np.testing.assert_allclose(found["rmse"], [3.0])
    assert found["rmse"].attrs["units"] == "millimeter / day"


def test_a_part_of_the_folds_is_one_too(scores):
    np.testing.assert_allclose(summary(scores.isel(fold=[1]))["rmse"], [(4 + 6 + 3.5) / 3])


@pytest.mark.parametrize("wrong", ["seed", "seconds"])
def test_other_datasets_are_refused(scores, wrong):
    scores = scores.drop_vars("seconds") if wrong == "seconds" else scores.isel(seed=0)
    with pytest.raises(InputErrors, match=f"scores of xdpl.cross_validate, got no {wrong}"):
        summary(scores if wrong == "seconds" else scores.drop_vars("seed"))
