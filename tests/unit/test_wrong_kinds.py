"""An argument of the wrong kind is an ArgumentError, never an error from below."""

from __future__ import annotations

import pandas as pd
import pytest

import satmodels as sat

FRAME = pd.DataFrame({"a": [1, 2, 3], "b": [3, 2, 1]})


@pytest.mark.parametrize(
    "call",
    [
        lambda: sat.nps(FRAME, "a", by=3),
        lambda: sat.rake(FRAME, 3),
        lambda: sat.rake(FRAME, {}),
        lambda: sat.PairCounts.collect(FRAME, 3),
        lambda: sat.careless(FRAME, 3),
        lambda: sat.outliers(FRAME, 3),
        lambda: sat.suppress(FRAME, "a", n="b"),
        lambda: sat.Survey("s", [sat.Recommend("a")]).diff(3),
        lambda: sat.KanoPair("wifi", "a", "a"),
        lambda: sat.Gap("speed", "a", "a"),
        lambda: sat.cronbach_alpha(FRAME, 3),
        lambda: sat.composite_reliability(FRAME, 3),
        lambda: sat.Moments.collect(FRAME, 3),
        lambda: sat.penalty_reward(FRAME, "a", ["b"], low=[1, 2]),
    ],
)
def test_wrong_kinds_are_said(call) -> None:
    with pytest.raises(sat.ArgumentError):
        call()
