"""An argument of the wrong kind is an ArgumentError, never an error from below."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat

ROWS = pd.DataFrame(
    np.random.default_rng(0).normal(size=(60, 4)) + np.random.default_rng(1).normal(size=(60, 1)),
    columns=list("wxyz"),
).assign(g=["m", "n"] * 30)
MODEL = "F =~ w + x + y + z"
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
        lambda: sat.nps(FRAME, "a", method=np.array([1.0, 2.0])),
        lambda: sat.nps(FRAME, "a", weight=np.array([1.0, 2.0])),
        lambda: sat.csat(FRAME, "a", scale=(1, 3), top=float("nan")),
        lambda: sat.csat(FRAME, ["a"], scale=(1, 3)),
        lambda: sat.icc(FRAME, 3),
        lambda: sat.cronbach_alpha(FRAME, level="b"),
        lambda: sat.compare_groups(sat.PLSPM(MODEL + " ; F ~ g2"), ROWS, by=3),
        lambda: sat.CBSEM(MODEL, ordered=3, estimator="WLSMV").fit(ROWS),
        lambda: sat.CBSEM(MODEL, ordered=ROWS.columns[:4], estimator="WLSMV").fit(ROWS),
        lambda: sat.CBSEM(MODEL, equal=None).fit(ROWS),
        lambda: sat.CBSEM(MODEL, partial=[3]).fit(ROWS),
        lambda: sat.CBSEM(MODEL).fit(ROWS).difference_test(3),
        lambda: sat.CBSEM(MODEL).fit(ROWS).result_.difference_test(None),
        lambda: sat.invariance(sat.CBSEM(MODEL), ROWS, "g", steps=3),
        lambda: sat.invariance(sat.CBSEM(MODEL), ROWS, "g", partial=[3]),
        lambda: sat.invariance(sat.CBSEM(MODEL), ROWS, "g", partial=["x | t1"]),
    ],
)
def test_wrong_kinds_are_said(call) -> None:
    with pytest.raises(sat.ArgumentError):
        call()


@pytest.mark.parametrize("value", ["1/0", "0/0", "10^400", "exp(1000)", "sqrt(-1)"])
@pytest.mark.parametrize("sign", ["==", ">"])
def test_constraints_without_a_finite_value_are_said(value: str, sign: str) -> None:
    with pytest.raises(sat.SpecError, match="no finite value"):
        sat.CBSEM(f"F =~ w + a*x + y + z\na {sign} {value}").fit(ROWS)


def test_codes_of_missing_answers_may_be_an_array() -> None:
    given = [
        sat.csat(FRAME, "a", scale=(1, 2), top=1, missing_codes=c).estimate for c in ([3], np.array([3]))
    ]
    assert given == [50.0, 50.0]


def test_a_single_cluster_is_said() -> None:
    with pytest.raises(sat.DataError, match="single cluster"):
        sat.CBSEM(MODEL, cluster="shop").fit(ROWS.assign(shop=1))


def test_a_feature_listed_twice_is_said() -> None:
    with pytest.raises(sat.ArgumentError, match="twice"):
        sat.drift(ROWS, ROWS, features=["w", "w"])


@pytest.mark.parametrize("parameter", ["item", "by", "weight"])
def test_a_column_itself_is_no_name_of_a_column(parameter: str) -> None:
    with pytest.raises(sat.ArgumentError, match=f"{parameter}= takes a text.*: name the column") as caught:
        sat.nps(FRAME, **{"item": "a", parameter: FRAME["b"]})
    assert "3, 2, 1" not in str(caught.value)  # answers are not repeated
