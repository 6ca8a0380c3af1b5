"""Fewer training sites: a regular sample of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xdpl.errors import Problems
from xdpl.evaluation.checks import check_static, names
from xdpl.evaluation.protocols.base import Protocol, Split, split
from xdpl.evaluation.sites import check_integer, label_sites, sites_of

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Density"]


@dataclass(frozen=True)
class Density(Protocol):
    """Train on one of ``every**2`` samples of the sites and test on the rest.

    One fold, named ``"1/<every**2>"``.

    Parameters
    ----------
    every : int
        Distance of the training sites on a grid, at least 2. Over two site dims they are every
        n-th row and column, by position. Over one (a list of sites) they are drawn at random.
    offset : int
        Which of the samples, 0 to ``every**2 - 1``. They have no site in common and together are all
        sites. On a grid, ``offset // every`` and ``offset % every`` are the first positions along the
        two dims, in order of their names.
    seed : int
        Of the random order of a list of sites; a grid needs none.

    Notes
    -----
    Samples at offset 0 are nested where one `every` is a multiple of the other, so that scores at
    ``every`` 16, 8, 4 and 2 differ by more training sites, not by others. A network with a history reads
    what was observed at a tested site before the test, as in the source.

    Source: Tsai et al. (2021), doi:10.1038/s41467-021-26107-z, sampling densities s2 to s16.
    """

    every: int
    offset: int = 0
    seed: int = 0

    def splits(self, template: xr.DataArray) -> tuple[Split, ...]:
        """One split of a sample and the rest.

        Parameters
        ----------
        template : DataArray
            Over one or two site dims. Sites are where it is not NaN, or where it is True if boolean.

        Returns
        -------
        tuple of Split

        Raises
        ------
        InputErrors
            If `template` has another number of dims, `every` or `offset` is out of range, or there
            is no site in the sample or none outside.
        """
        problems = Problems("Density")
        check_static(problems, "template", template)
        if template.ndim > 2:
            problems.add(
                "template",
                expected="a grid of two site dims, or a list of sites",
                got=names(template.dims),
                fix='template.stack(site=[...]).reset_index("site")',
            )
        self._check(problems)
        problems.raise_if_any()
        ordered, valid = sites_of(template)
        chosen = self._of_list(valid) if ordered.ndim == 1 else self._of_grid(valid)
        found = label_sites(template, ordered, valid, chosen[valid].astype(np.int64), "sample")
        if not (found == 1).any() or not (found == 0).any():
            problems.add(
                "every",
                expected="sites in the sample and outside",
                got=f"{int((found == 1).sum())} of {int(valid.sum())} sites in it",
                fix="a smaller every, or another offset",
            )
            problems.raise_all()
        return (split(f"1/{self.every**2}", found == 1, found == 0),)

    def _check(self, problems: Problems) -> None:
        check_integer(problems, "seed", self.seed, 0)
        if not check_integer(problems, "every", self.every, 2):
            return
        if check_integer(problems, "offset", self.offset, 0) and self.offset >= self.every**2:
            problems.add(
                "offset", expected=f"0 to {self.every**2 - 1}", got=repr(self.offset), fix="offset=0"
            )

    def _of_grid(self, valid: np.ndarray) -> np.ndarray:
        first = divmod(self.offset, self.every)
        rows, columns = (np.arange(n) % self.every == o for n, o in zip(valid.shape, first, strict=True))
        return rows[:, None] & columns[None, :]

    def _of_list(self, valid: np.ndarray) -> np.ndarray:
        # Ranks of the sites in a random order, of which every n-th is taken: nested as on a grid.
        order = np.random.default_rng(self.seed).permutation(int(valid.sum()))
        chosen = np.zeros(valid.shape, bool)
        chosen[valid] = order % self.every**2 == self.offset
        return chosen
