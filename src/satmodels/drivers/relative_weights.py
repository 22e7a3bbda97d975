"""Relative weights: R² shared out through the closest uncorrelated twins of the drivers.

Johnson (2000, Multivariate Behavioral Research 35(1)); Genizi (1993, Statistica Sinica 3) is the same
decomposition.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def relative_weights(corr: Array, r: Array) -> Array:
    """Return each driver's relative weight; they are at least 0 and sum to R².

    With L the symmetric root of the drivers' correlations and b = L⁻¹ r the regression on the twins,
    driver j gets the sum over k of L[j, k]² b[k]².

    Parameters
    ----------
    corr : ndarray, shape (..., p, p)
        Correlations of the drivers, positive definite.
    r : ndarray, shape (..., p)
        Correlations of the drivers with the outcome.

    Examples
    --------
    >>> import numpy as np
    >>> relative_weights(np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([0.6, 0.4])).round(4)
    array([0.2867, 0.0867])
    """
    values, vectors = np.linalg.eigh(corr)
    root = np.sqrt(np.maximum(values, 0.0))
    transposed = np.swapaxes(vectors, -1, -2)
    to_twins = (vectors * root[..., None, :]) @ transposed
    on_twins = (transposed @ r[..., None])[..., 0] / root
    b = (vectors @ on_twins[..., None])[..., 0]
    return ((to_twins**2) @ (b**2)[..., None])[..., 0]
