"""A synthetic world that is observed with a bias of each site, part of which its attributes tell."""

from __future__ import annotations

import numpy as np
import xarray as xr

from xdpl.data.weather import smooth_fields

__all__ = ["biased"]

# Of the logarithm of the scale, and of the offset in m3 m-3: what satellites of soil moisture
# are said to differ by from what is measured in the ground.
_SCALE, _OFFSET = 0.25, 0.04


def biased(ds: xr.Dataset, *, follows: float = 0.5, seed: int = 0) -> xr.Dataset:
    """Put a scale and an offset of every site on observed soil moisture.

    Parameters
    ----------
    ds : Dataset, (time, lat, lon)
        From `xdpl.data.twin`.
    follows : float
        Share of either variance that an attribute tells, 0 to 1.
    seed : int
        Of the parts that attributes do not tell.

    Returns
    -------
    Dataset
        The same with another ``soil_moisture``: scale × true + offset, with the error it had, for
        the instrument adds it last. ``unbiased_soil_moisture`` is what it was; ``bias_scale`` (1)
        and ``bias_offset`` (m3 m-3), over the sites. Where there is more vegetation (``ndvi``) the
        signal is damped; where there is more ``clay`` it is wetter. The logarithm of the scale
        has a standard deviation of about 0.25 over sites, the offset of 0.04 m3 m-3; what
        attributes do not tell are smooth random fields.
        ``expected_porosity`` is what Cosby et al. (1984) give for the sand, with ``expected_porosity_sd``; in
        this world it is 0.047 m3 m-3 off.

    References
    ----------
    Cosby et al. (1984), doi:10.1029/WR020i006p00682.
    """
    shape = (ds.sizes["lat"], ds.sizes["lon"])
    random = smooth_fields(np.random.default_rng([seed, 7]), 2, shape, 3.0)
    fields = {}
    for name, sign, field in (("ndvi", -1.0, random[0]), ("clay", 1.0, random[1])):
        attribute = ds[name].transpose("lat", "lon").values
        told = sign * (attribute - attribute.mean()) / attribute.std()
        left = (field - field.mean()) / field.std()
        whole = np.sqrt(follows) * told + np.sqrt(1.0 - follows) * left
        fields[name] = xr.DataArray(whole, dims=("lat", "lon"))
    logarithm = _SCALE * fields["ndvi"]
    scale, offset = logarithm.copy(data=np.exp(logarithm.values)), _OFFSET * fields["clay"]
    unbiased, true = ds["soil_moisture"], ds["true_soil_moisture"]
    seen = scale * true + offset + (unbiased - true)
    seen = seen.transpose(*unbiased.dims).astype(np.float32)
    expected = 0.489 - 0.00126 * ds["sand"].drop_attrs(deep=False)
    volume = {"units": "m3 m-3"}
    return ds.assign(
        expected_porosity=expected.assign_attrs(volume, long_name="porosity expected of the sand content"),
        expected_porosity_sd=((), 0.05, volume),
        soil_moisture=seen.drop_attrs().assign_attrs(unbiased.attrs),
        unbiased_soil_moisture=unbiased,
        bias_scale=scale.assign_attrs(units="1", long_name="scale of the instrument"),
        bias_offset=offset.assign_attrs(units=unbiased.attrs["units"], long_name="offset of the instrument"),
    )
