"""Careless answers, weights and privacy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import satmodels as sat


def people(n: int = 200, p: int = 12, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(n, 3))
    x = np.repeat(trait, p // 3, axis=1) * 1.2 + rng.normal(4, 0.7, (n, p))
    return np.clip(np.round(x), 1, 7)


def test_careless_finds_planted_straight_lines_and_random_answers(engine):
    x = people()
    x[3], x[7] = 4, 1
    x[11] = [1, 7] * 6
    columns = [f"q{i}" for i in range(12)]
    result = sat.careless(engine(pd.DataFrame(x, columns=columns)), columns)
    assert {3, 7, 11} <= set(result.flagged.nonzero()[0].tolist())
    assert result.flagged.sum() <= 12
    assert result.statistics["longstring"][3] == 12 and result.statistics["irv"][3] == 0


def test_careless_statistics_by_hand():
    frame = pd.DataFrame(
        [
            [1, 1, 2, 2, 2],
            [5, 4, 3, 2, 1],
            [3, 3, np.nan, 3, 1],
            [2, 5, 1, 4, 4],
            [4, 2, 2, 5, 5],
            [1, 2, 4, 4, 1],
            [3, 1, 5, 2, 4],
            [2, 2, 3, 5, 1],
        ],
        columns=list("abcde"),
    )
    result = sat.careless(frame, list("abcde"), respondent=None)
    assert result.statistics["longstring"].tolist() == [3, 1, 2, 2, 2, 2, 1, 2]
    assert result.statistics["average_string"][0] == 2.5
    assert result.statistics["irv"][1] == pytest.approx(np.std([5, 4, 3, 2, 1], ddof=1))
    tidy = result.tidy()
    assert list(tidy.columns[:3]) == ["longstring", "irv", "mahalanobis"] and tidy.columns[-1] == "flagged"
    complete = frame.dropna().to_numpy()
    d = complete[0] - complete.mean(axis=0)
    assert result.statistics["mahalanobis"][0] == pytest.approx(d @ np.linalg.inv(np.cov(complete.T)) @ d)


def test_careless_shows_in_which_part_interest_was_lost():
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.integers(1, 8, (80, 24)), columns=[f"q{i:02d}" for i in range(24)])
    frame.iloc[5, 16:] = 4
    result = sat.careless(frame, list(frame.columns), irv_parts=3)
    assert result.statistics["irv_3"][5] == 0 < result.statistics["irv_1"][5]
    assert result.flags["irv_parts"].nonzero()[0].tolist() == [5]
    assert not result.flags["longstring"][5]
    assert "irv_1" not in sat.careless(frame, list(frame.columns)).statistics
    for wrong in (0, 13, 2.0, True):
        with pytest.raises(sat.ArgumentError, match="irv_parts"):
            sat.careless(frame, list(frame.columns), irv_parts=wrong)  # type: ignore[arg-type]


def test_careless_takes_a_survey_and_times():
    x = people(60, 9)
    columns = [f"q{i}" for i in range(9)]
    survey = sat.Survey(
        "s",
        [sat.Rating(c, sat.Scale(1, 7), construct="ABC"[i // 3]) for i, c in enumerate(columns)],
        respondent="id",
    )
    frame = pd.DataFrame(x, columns=columns).assign(time=[90.0] * 59 + [5.0], who=range(60))
    result = sat.careless(frame, survey, seconds="time", respondent="who")
    assert "even_odd" in result.statistics and result.flags["seconds_per_item"].nonzero()[0].tolist() == [59]
    assert result.tidy().columns[0] == "who"


def test_careless_refuses_what_it_can_not_judge():
    frame = pd.DataFrame(people(50, 6), columns=list("abcdef"))
    for items, error in (
        (["a", "b"], sat.ArgumentError),
        ("abc", sat.ArgumentError),
        (["a", "b", "x"], sat.ArgumentError),
    ):
        with pytest.raises(error):
            sat.careless(frame, items)
    with pytest.raises(sat.DataError, match="g"):
        sat.careless(frame.assign(g=3.0), list("abcg"))
    with pytest.raises(sat.DataError, match="collinear") as caught:
        sat.careless(frame.assign(g=frame.a + frame.b), list("abcg"))
    assert caught.value.columns == ("a", "b", "g")
    with pytest.raises(sat.DataError, match="too few"):
        sat.careless(frame[:4], list("abcdef"))


def test_rake_meets_its_margins_on_every_engine(engine):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"a": rng.integers(0, 3, 500), "b": rng.choice(list("xyz"), 500), "w": rng.uniform(1, 3, 500)}
    )
    margins = {"a": {0: 300, 1: 300, 2: 400}, "b": {"x": 0.2, "y": 0.3, "z": 0.5}}
    w = sat.rake(engine(frame), margins, weight="w")
    assert w.sum() == pytest.approx(1000, rel=1e-12)
    for category, total in margins["a"].items():
        assert w[frame.a == category].sum() == pytest.approx(total, rel=1e-11)
    for category, share in margins["b"].items():
        assert w[frame.b == category].sum() == pytest.approx(1000 * share, rel=1e-11)
    shares = sat.rake(engine(frame), {"b": {"x": 0.2, "y": 0.3, "z": 0.5}})
    assert shares.mean() == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(
    ("margins", "error", "says"),
    [
        ({}, sat.ArgumentError, "empty"),
        ({"c": {"x": 1}}, sat.ArgumentError, "no margin 'c'"),
        ({"a": {"x": 10, "y": 20}, "b": {"u": 50, "v": 50}}, sat.ArgumentError, "different totals"),
        ({"a": {"x": -1, "y": 2}}, sat.ArgumentError, "not negative"),
        ({"a": {"x": float("nan"), "y": 2}}, sat.ArgumentError, "finite"),
        ({"a": {"x": 1.0}}, sat.SchemaError, "'y' in row 1"),
        ({"a": {"x": 0.5, "y": 0.4, "z": 0.1}}, sat.DataError, "'z'"),
        ({"a": {"x": 0.9, "y": 0.1}, "b": {"u": 0.2, "v": 0.8}}, sat.ConvergenceError, "margins"),
    ],
)
def test_rake_refuses_impossible_margins(margins, error, says):
    frame = pd.DataFrame({"a": ["x", "y", "x"], "b": ["u", "v", "u"]})
    with pytest.raises(error, match=says):
        sat.rake(frame, margins, max_iter=200)


def test_rake_names_missing_categories():
    with pytest.raises(sat.SchemaError, match="None in row 1"):
        sat.rake(pd.DataFrame({"a": ["x", None]}), {"a": {"x": 1.0}})


def test_poststratification_and_trimming():
    frame = pd.DataFrame({"a": ["x", "x", "y", "y"], "b": [1, 2, 1, 2], "w": [1.0, 1, 1, 3]})
    w = sat.poststratify(frame, ["a", "b"], {("x", 1): 10, ("x", 2): 20, ("y", 1): 30, ("y", 2): 40})
    assert w.tolist() == [10, 20, 30, 40]
    w = sat.poststratify(frame, "a", {"x": 0.5, "y": 0.5}, weight="w")
    assert w.tolist() == [1, 1, 0.5, 1.5]
    trimmed = sat.trim_weights([1, 1, 1, 1, 16], high=3)
    assert trimmed.sum() == pytest.approx(20) and trimmed.max() <= 12 + 1e-9
    for bad in ({}, {"high": 0.5}, {"low": 2}):
        with pytest.raises(sat.ArgumentError):
            sat.trim_weights([1, 2, 3], **bad)
    with pytest.raises(sat.ArgumentError):
        sat.weight_summary([1, -1])


def test_pseudonyms_are_keyed_stable_and_keep_their_kind():
    key = b"sixteen bytes ok"
    series = pd.Series([7, 7.0, None], index=[3, 4, 5], name="id")
    out = sat.pseudonymise(series, key)
    assert out.index.tolist() == [3, 4, 5] and out.name == "id"
    assert out[3] == out[4] == sat.pseudonymise(["7"], key)[0] and out[5] is None
    assert sat.pseudonymise(["7"], b"another sixteen bytes")[0] != out[3]
    assert isinstance(sat.pseudonymise((1, 2), key), tuple)
    import polars as pl
    import pyarrow as pa

    assert isinstance(sat.pseudonymise(pl.Series("id", ["a", None]), key), pl.Series)
    assert sat.pseudonymise(pa.chunked_array([["a"]]), key).to_pylist() == sat.pseudonymise(["a"], key)
    for values, secret in ((["a"], b"short"), ([1.5], key), ([True], key), ("abc", key)):
        with pytest.raises(sat.ArgumentError):
            sat.pseudonymise(values, secret)


def test_suppression_hides_small_cells_and_what_gives_them_away(engine):
    table = pd.DataFrame({"shop": ["A", "B", "C"], "nps": [20.0, 35.0, -5.0], "n": [60, 57, 3]})
    out = sat.suppress(engine(table))
    rows = (out if isinstance(out, pd.DataFrame) else out.to_pandas())["suppressed"].tolist()
    assert rows == [False, True, True]  # 120 - 60 - 57 would reveal C
    none = sat.suppress(table.assign(n=[60, 57, 30]))
    assert none["suppressed"].tolist() == [False] * 3
    empty = sat.suppress(table.assign(n=[60, 57, 0]))
    assert empty["suppressed"].tolist() == [False] * 3


def test_suppression_holds_in_every_slice_of_a_table():
    table = pd.DataFrame(
        [
            (r, c, n)
            for r, row in zip("ab", [[40, 30, 4], [50, 20, 60]], strict=True)
            for c, n in zip("xyz", row, strict=True)
        ],
        columns=["region", "plan", "n"],
    )
    hidden = sat.suppress(table)
    for key in ("region", "plan"):
        for _, part in hidden.groupby(key):
            assert part["suppressed"].sum() != 1
    assert hidden.loc[~hidden["suppressed"], "n"].min() >= 10
    with pytest.raises(sat.ArgumentError, match="whole numbers of respondents"):
        sat.suppress(table.assign(n=1.5))
    with pytest.raises(sat.ArgumentError):
        sat.suppress(table, 1)
    with pytest.raises(sat.ArgumentError, match="respondents"):
        sat.suppress(table, n="count")


def test_consistency_statistics_equal_their_definitions():
    x = people(80, 12)
    x[2, 4] = np.nan
    columns = [f"q{i}" for i in range(12)]
    scales = {"A": columns[:4], "B": columns[4:8], "C": columns[8:]}
    found = sat.careless(pd.DataFrame(x, columns=columns), columns, scales=scales)
    corr = np.corrcoef(x[~np.isnan(x).any(axis=1)].T)
    pairs = [(i, j) for i in range(12) for j in range(i) if corr[i, j] > 0.6]
    assert found.n_pairs == len(pairs) > 3
    for row in (0, 1, 2, 40):
        odd = [np.nanmean(x[row, s : s + 4][0::2]) for s in (0, 4, 8)]
        even = [np.nanmean(x[row, s : s + 4][1::2]) for s in (0, 4, 8)]
        r = np.corrcoef(odd, even)[0, 1]
        assert found.statistics["even_odd"][row] == pytest.approx(-max(2 * r / (1 + r), -1), abs=1e-10)
        kept = [(i, j) for i, j in pairs if not np.isnan(x[row, [i, j]]).any()]
        r = np.corrcoef([x[row, i] for i, _ in kept], [x[row, j] for _, j in kept])[0, 1]
        assert found.statistics["synonyms"][row] == pytest.approx(r, abs=1e-10)


def test_shares_that_do_not_sum_to_one_are_no_totals():
    frame = pd.DataFrame({"g": ["x", "y", "y"]})
    with pytest.raises(sat.ArgumentError, match=r"sum to 0\.9, not to 1"):
        sat.rake(frame, {"g": {"x": 0.5, "y": 0.4}})
    with pytest.raises(sat.ArgumentError, match="targets are numbers"):
        sat.rake(frame, {"g": {"x": "1", "y": 2}})
    assert sat.rake(frame, {"g": {"x": 1, "y": 0.5}}).sum() == pytest.approx(1.5)


def test_a_missing_category_is_shown_as_none(engine):
    frame = engine(pd.DataFrame({"g": ["x", None, "y"]}))
    with pytest.raises(sat.SchemaError) as caught:
        sat.poststratify(frame, "g", {"x": 1, "y": 2})
    assert (caught.value.row, caught.value.value, caught.value.n_bad) == (1, None, 1)


def test_reverse_items_are_turned_for_the_halves_of_a_scale_only():
    rng = np.random.default_rng(3)
    names = [f"c{k}_{j}" for k in range(6) for j in range(4)]
    straight = np.clip(
        np.round(4 + 1.5 * np.repeat(rng.normal(size=(80, 6)), 4, axis=1) + rng.normal(0, 0.5, (80, 24))),
        1,
        7,
    )
    reverse = np.arange(24) % 2 == 1
    given = np.where(reverse, 8 - straight, straight)
    survey = sat.Survey(
        "s",
        [
            sat.Rating(c, sat.Scale(1, 7), construct=c[:2], reverse=bool(r))
            for c, r in zip(names, reverse, strict=True)
        ],
    )
    frame = pd.DataFrame(given, columns=names)
    found = sat.careless(frame, survey)
    scales = {f"c{k}": [f"c{k}_{j}" for j in range(4)] for k in range(6)}
    turned = sat.careless(pd.DataFrame(straight, columns=names), names, scales=scales)
    assert np.median(found.statistics["even_odd"]) < -0.9  # careful respondents had +1: contradictory
    np.testing.assert_array_equal(found.statistics["even_odd"], turned.statistics["even_odd"])
    np.testing.assert_array_equal(
        found.statistics["longstring"], sat.careless(frame, names).statistics["longstring"]
    )
    prepared = sat.careless(survey.prepare(frame), survey)
    np.testing.assert_array_equal(found.statistics["even_odd"], prepared.statistics["even_odd"])


def test_limits_of_alpha_know_that_weights_differ():
    rng = np.random.default_rng(1)
    truth = 25 * 0.5 / (25 * 0.5 + 5 * 0.5)  # five items of variance 1 that correlate by a half
    held, errors, found = [], [], []
    for _ in range(150):
        frame = pd.DataFrame(
            np.sqrt(0.5) * (rng.normal(size=(150, 1)) + rng.normal(size=(150, 5))), columns=list("abcde")
        ).assign(w=rng.lognormal(0, 0.8, 150))
        result = sat.cronbach_alpha(frame, list("abcde"), weight="w")
        held.append(result.conf_low <= truth <= result.conf_high)
        errors.append(result.rows["std_error"][0])
        found.append(result.estimate)
    assert np.mean(held) > 0.9  # it was 0.87
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.2)  # it was 0.73 of it
