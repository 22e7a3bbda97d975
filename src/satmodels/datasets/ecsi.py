"""The ECSI mobile phone study, as moments: the classic example of a satisfaction index model."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from satmodels.statistics.moments import Moments
from satmodels.stored import read_json

if TYPE_CHECKING:
    from satmodels.sem.model.spec import ModelSpec

FIGURES = "ecsi_mobile.json"  # beside this file


@dataclass(frozen=True)
class EcsiStudy:
    """The ECSI mobile phone study.

    Attributes
    ----------
    moments : Moments
        Means, standard deviations and correlations of the 24 items, n = 250. There is no respondent
        in it.
    items : dict of str to list of str
        The items of each of the seven constructs, in the order of the model.
    scale : tuple of (int, int)
        Lowest and highest answer of every item: 1 and 10.
    source : str
        Where the figures come from.
    """

    moments: Moments
    items: dict[str, list[str]]
    scale: tuple[int, int]
    source: str

    @property
    def spec(self) -> ModelSpec:
        """The ECSI model of the study (:func:`satmodels.ecsi`): seven constructs, twelve paths, with its scales."""
        from satmodels.sem.model.templates import ecsi

        return ecsi(self.items).with_scales(dict.fromkeys(self.moments.columns, self.scale))

    def __repr__(self) -> str:
        return (
            f"EcsiStudy({len(self.moments.columns)} items, {len(self.items)} constructs, n={self.moments.n})"
        )


def load_ecsi() -> EcsiStudy:
    """Load the mobile phone study of the European Customer Satisfaction Index.

    250 customers of a mobile phone company answered 24 questions on a scale from 1 to 10 about image,
    expectation, perceived quality, perceived value, satisfaction, complaints and loyalty [1]_. The
    library ships the means, standard deviations and correlations of the answers and no answer itself:
    structural models and drivers need nothing else.

    Returns
    -------
    EcsiStudy
        With ``.moments``, ``.items``, ``.scale`` and ``.spec``.

    References
    ----------
    .. [1] Tenenhaus, M., Esposito Vinzi, V., Chatelin, Y.-M., & Lauro, C. (2005). PLS path modeling.
       Computational Statistics & Data Analysis, 48(1), 159-205.

    Examples
    --------
    >>> from satmodels.datasets import load_ecsi
    >>> study = load_ecsi()
    >>> study
    EcsiStudy(24 items, 7 constructs, n=250)
    >>> study.items["Satisfaction"]
    ['CUSA1', 'CUSA2', 'CUSA3']
    >>> study.moments.select(["CUSA1"]).mean.round(3).tolist()
    [7.988]
    """
    moments, figures = _figures()
    low, high = figures["scale"]
    items = {construct: list(names) for construct, names in figures["items"].items()}
    return EcsiStudy(moments=moments, items=items, scale=(low, high), source=figures["source"])


@functools.cache
def _figures() -> tuple[Moments, dict[str, Any]]:
    figures: dict[str, Any] = read_json(
        files("satmodels.datasets").joinpath(FIGURES).read_text(encoding="utf-8")
    )
    names = [name for block in figures["items"].values() for name in block]
    corr = np.eye(len(names))
    for i, row in enumerate(figures["corr_below_diagonal"], start=1):
        corr[i, :i] = corr[:i, i] = row
    moments = Moments.from_correlation(
        corr, figures["n"], std=figures["std"], mean=figures["mean"], columns=names
    )
    for array in (moments.mean, moments.scatter):
        array.flags.writeable = False  # every caller gets the same arrays
    return moments, figures
