"""Bootstrap of PLS models: the same as fitting every resample, and what happens when draws fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pls_simulated import ITEMS, SPEC, simulated

import satmodels as sat
from satmodels.sem import resample_table
from satmodels.sem.resample_table import ResampleTable


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulated(120)


def test_each_draw_is_a_fit(frame: pd.DataFrame) -> None:
    rng = np.random.default_rng(0)
    indices = rng.integers(0, 120, (5, 120))
    model = sat.PLSPM(SPEC, tol=1e-12)
    result = sat.bootstrap(model, frame, indices=indices, scale=(1, 10))
    for row, draw in zip(indices, result.draws.itertuples(index=False), strict=True):
        one = model.fit(frame.iloc[row]).result_
        values = dict(zip(result.names, draw, strict=True))
        for p in one.parameters.rows():
            assert values[p["lhs"], p["op"], p["rhs"]] == pytest.approx(p["estimate"], abs=1e-10)
        for r in one.r2.itertuples():
            assert values[r.construct, "r2", r.construct] == pytest.approx(r.r2, abs=1e-10)
        for r in one.effects().itertuples():
            assert values[r.target, "total", r.source] == pytest.approx(r.total, abs=1e-10)
        for r in one.reliability().itertuples():
            for op in ("alpha", "rho_a", "rho_c", "ave"):
                assert values[r.construct, op, r.construct] == pytest.approx(getattr(r, op), abs=1e-10)
        for r in one.specific_effects().itertuples():
            chain = f"{r.source} -> {r.through}"
            assert values[r.target, "via", chain] == pytest.approx(r.estimate, abs=1e-10)
        htmt = one.htmt()
        assert values["Loyalty", "htmt", "Quality"] == pytest.approx(
            htmt.loc["Loyalty", "Quality"], abs=1e-10
        )
        index = one.index((1, 10)).set_index("construct")["estimate"]
        assert values["Value", "index", "Value"] == pytest.approx(index["Value"], abs=1e-9)


def test_estimates_are_those_of_the_fit(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC, consistent=True)
    result = sat.bootstrap(model, frame, n=50, seed=1)
    fitted = model.fit(frame).result_.parameters["estimate"]
    assert result.parameters["estimate"] == pytest.approx(fitted, abs=1e-12)


def test_the_seed_decides(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    first, again, other = (sat.bootstrap(model, frame, n=40, seed=s).values for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_intervals_are_ordered_and_documented(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    tables = {
        kind: sat.bootstrap(model, frame, n=400, seed=1, interval=kind)
        for kind in ("percentile", "basic", "bca")
    }
    draws = tables["percentile"].draws["Loyalty ~ Value"]
    low, high = np.quantile(draws, [0.025, 0.975])
    row = tables["percentile"].table("~").iloc[2]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx((low, high))
    basic = tables["basic"].table("~").iloc[2]
    assert basic["conf_low"] == pytest.approx(2 * row["estimate"] - high)
    for result in tables.values():
        table = result.tidy().query("std_error > 1e-9")
        assert (table["conf_low"] < table["conf_high"]).all()
        assert result.tidy()["std_error"].tolist() == pytest.approx(
            result.draws.iloc[:, : len(result.tidy())].std(ddof=1).tolist()
        )


def test_bca_equals_scipy(frame: pd.DataFrame) -> None:
    """BCa limits of one path against scipy.stats.bootstrap given the same resampled values."""
    from scipy.special import ndtr, ndtri

    model = sat.PLSPM("Quality =~ q1\nLoyalty =~ l1\nLoyalty ~ Quality")
    result = sat.bootstrap(model, frame, n=600, seed=5, interval="bca")
    draws = result.draws["Loyalty ~ Quality"].to_numpy()
    x, y = frame["q1"].to_numpy(), frame["l1"].to_numpy()
    jack = np.array([np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1] for i in range(len(x))])
    d = jack.mean() - jack
    a = (d**3).sum() / (6 * (d**2).sum() ** 1.5)
    z0 = ndtri((draws < np.corrcoef(x, y)[0, 1]).mean())
    at = [ndtr(z0 + (z0 + z) / (1 - a * (z0 + z))) for z in (ndtri(0.025), ndtri(0.975))]
    row = result.table("~").iloc[0]
    assert (row["conf_low"], row["conf_high"]) == pytest.approx(tuple(np.quantile(draws, at)), abs=1e-9)


def test_studentized_interval_of_a_mean_like_quantity(frame: pd.DataFrame) -> None:
    """The bootstrap t of a correlation, with standard errors within draws from 20 groups."""
    model = sat.PLSPM("Quality =~ q1\nLoyalty =~ l1\nLoyalty ~ Quality")
    result = sat.bootstrap(model, frame, n=800, seed=5, interval="studentized")
    plain = sat.bootstrap(model, frame, n=800, seed=5)
    row, other = result.table("~").iloc[0], plain.table("~").iloc[0]
    assert row["std_error"] == pytest.approx(other["std_error"], rel=0.15)
    assert row["conf_low"] == pytest.approx(other["conf_low"], abs=0.06)
    assert row["conf_high"] == pytest.approx(other["conf_high"], abs=0.06)
    # units kept together within the groups would double the variance within draws, and shorten this by a third
    width = (row["conf_high"] - row["conf_low"]) / (other["conf_high"] - other["conf_low"])
    assert 0.95 < width < 1.25
    loadings = result.table("=~")
    np.testing.assert_allclose(loadings["conf_low"], 1, atol=1e-9)
    with pytest.raises(sat.ArgumentError, match="at least 40"):
        sat.bootstrap(model, frame[:30], n=20, interval="studentized")
    table = ResampleTable.of(frame[ITEMS].to_numpy(float))
    grouped = table.grouped_bootstrap(30, 20, np.random.default_rng(1))
    np.testing.assert_array_equal(grouped.sum(axis=0)[0], 120)


def test_draws_that_fail_are_counted(frame: pd.DataFrame) -> None:
    rare = frame.assign(l2=np.where(np.arange(120) == 7, 2.0, 1.0))
    result = sat.bootstrap(sat.PLSPM(SPEC), rare, n=200, seed=1)
    assert 40 < result.n_failed < 110  # a row is left out with probability 1/e
    assert np.isfinite(result.tidy()["std_error"]).all()


def test_no_draw_succeeds(frame: pd.DataFrame) -> None:
    rare = frame.assign(l2=np.where(np.arange(120) == 7, 2.0, 1.0))
    with pytest.raises(sat.ConvergenceError):
        sat.bootstrap(sat.PLSPM(SPEC), rare, indices=np.zeros((3, 120), dtype=int))


def test_many_rows_are_read_in_blocks(frame: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = frame[ITEMS].to_numpy(float)
    table = ResampleTable.of(rows)
    counts = np.random.default_rng(0).integers(0, 3, (4, 120)).astype(float)
    indices = np.random.default_rng(0).integers(0, 120, (4, 120))
    whole = table.sums(counts), table.sums_of(indices)
    monkeypatch.setattr(resample_table, "ROWS_AT_ONCE", 37)
    np.testing.assert_allclose(table.sums(counts), whole[0], atol=1e-9)
    np.testing.assert_allclose(table.sums_of(indices), whole[1], atol=1e-9)
    drawn = table.bootstrap(300, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn[0], 120)  # every draw has as many rows as there are
    left_out = np.concatenate(list(table.leave_one_out()), axis=1)
    np.testing.assert_allclose(left_out, table.sums(1 - np.eye(120)), atol=1e-9)


def test_clusters_are_drawn_whole(frame: pd.DataFrame) -> None:
    cluster = np.repeat(np.arange(30), 4)
    table = ResampleTable.of(frame[ITEMS].to_numpy(float), None, cluster)
    drawn = table.bootstrap(50, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn[0], 120)
    model = sat.PLSPM(SPEC)
    by_array = sat.bootstrap(model, frame, n=30, seed=1, cluster=cluster)
    by_column = sat.bootstrap(model, frame.assign(shop=cluster), n=30, seed=1, cluster="shop")
    np.testing.assert_array_equal(by_array.values, by_column.values)


def test_weights_are_carried(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    w = np.random.default_rng(0).integers(1, 4, 120)
    result = sat.bootstrap(model, frame, n=30, seed=1, sample_weight=w)
    assert result.parameters["estimate"] == pytest.approx(
        model.fit(frame, sample_weight=w).result_.parameters["estimate"], abs=1e-12
    )


def test_bad_arguments(frame: pd.DataFrame) -> None:
    model = sat.PLSPM(SPEC)
    for options in (
        {"interval": "t"},
        {"level": 95},
        {"n": 1},
        {"indices": [[0, 500]] * 2},
        {"indices": [0.5]},
        {"cluster": [1] * 120},
        {"cluster": [1, 2]},
    ):
        with pytest.raises(sat.ArgumentError):
            sat.bootstrap(model, frame, **options)
    for options in ({"interval": "bca"}, {"indices": [[0] * 120] * 2}, {"cluster": [1] * 120}):
        with pytest.raises(sat.ArgumentError, match="dataframe"):
            sat.bootstrap(model, sat.Moments.collect(frame, ITEMS), n=20, **options)
    with pytest.raises(sat.ArgumentError, match="PLSPM"):
        sat.bootstrap("model", frame)


def test_result(frame: pd.DataFrame) -> None:
    result = sat.bootstrap(sat.PLSPM(SPEC), frame, n=30, seed=1)
    assert list(result.tidy().columns) == [
        "lhs", "op", "rhs", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high",
    ]  # fmt: skip
    assert result.table("total")["op"].unique().tolist() == ["total"]
    with pytest.raises(sat.ArgumentError, match="op="):
        result.table("index")
    assert repr(result).startswith("BootstrapResult(draws=30, n_failed=0")


def test_moments_alone_give_normal_samples() -> None:
    """Normal rows: drawing rows and drawing moments give the same standard errors, up to chance."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=(2000, 1))
    rows = pd.DataFrame(
        np.hstack([quality + rng.normal(size=(2000, 3)), quality + rng.normal(size=(2000, 2)) + 5]),
        columns=["q1", "q2", "q3", "l1", "l2"],
    )
    model = sat.PLSPM("Quality =~ q1 + q2 + q3\nLoyalty =~ l1 + l2\nLoyalty ~ Quality")
    by_rows = sat.bootstrap(model, rows, n=2000, seed=1, scale=(-20, 20))
    moments = sat.Moments.collect(rows, list(rows))
    by_moments = sat.bootstrap(model, moments, n=2000, seed=1, scale=(-20, 20))
    assert by_moments.drawn_from == "normal" and by_rows.drawn_from == "rows"
    for op in ("~", "=~", "<~", "index", "r2"):
        a, b = by_rows.table(op), by_moments.table(op)
        np.testing.assert_allclose(a["estimate"], b["estimate"], atol=1e-10)
        np.testing.assert_allclose(a["std_error"], b["std_error"], rtol=0.15)
    with pytest.raises(sat.ArgumentError, match="dataframe"):
        sat.pls_predict(model, moments)


def test_too_few_respondents_for_normal_samples() -> None:
    study = sat.datasets.load_ecsi()
    corr = sat.Moments.from_correlation(study.moments.corr, 20, columns=study.moments.columns)
    with pytest.raises(sat.DataError, match="too few"):
        sat.bootstrap(sat.PLSPM(study.spec), corr, n=20)


@pytest.mark.parametrize("kind", ["signed", "absolute", "geometric"])
def test_every_kind_of_htmt_has_intervals(frame: pd.DataFrame, kind: str) -> None:
    model = sat.PLSPM(SPEC)
    matrix = model.fit(frame).result_.htmt(absolute=kind == "absolute", geometric=kind == "geometric")
    found = sat.bootstrap(model, frame, n=50, seed=1, htmt=kind).table("htmt")
    assert len(found) == 3
    for row in found.itertuples():
        assert row.estimate == pytest.approx(matrix.loc[row.lhs, row.rhs], abs=1e-12)
        assert row.conf_low < row.estimate < row.conf_high
    with pytest.raises(sat.ArgumentError, match="htmt"):
        sat.bootstrap(model, frame, n=50, htmt="geometri")


def test_htmt_2_with_a_negative_correlation_is_undefined_in_that_pair_alone(frame: pd.DataFrame) -> None:
    turned = frame.assign(l2=-frame["l2"])
    text = "Quality =~ q1 + q2 + q3\nLoyalty =~ l1\nOther =~ l2\nLoyalty ~ Quality\nOther ~ Quality"
    found = sat.bootstrap(sat.PLSPM(text), turned, n=50, seed=1, htmt="geometric").table("htmt")
    defined = found.set_index(["lhs", "rhs"])["estimate"].notna()
    assert (
        defined["Loyalty", "Quality"] and not defined["Other", "Quality"] and not defined["Other", "Loyalty"]
    )


@pytest.mark.parametrize("consistent", [False, True])
def test_further_tables_are_those_of_the_result(frame: pd.DataFrame, consistent: bool) -> None:
    model = sat.PLSPM(SPEC, consistent=consistent)
    one = model.fit(frame).result_
    found = sat.bootstrap(model, frame, n=50, seed=1, also=("vif", "f2", "corr", "cross"))
    assert found.kinds[-4:] == ["vif", "f2", "corr", "cross"]
    for table in ("f2", "vif"):
        rows = found.table(table)
        expected = getattr(one, table)()
        assert rows["lhs"].tolist() == expected["target"].tolist()
        assert rows["rhs"].tolist() == expected["source"].tolist()
        assert rows["estimate"].tolist() == pytest.approx(expected["value"].tolist(), rel=1e-9)
    square, cross = one.fornell_larcker(), one.cross_loadings()
    for row in found.table("corr").itertuples():
        assert row.estimate == pytest.approx(square.loc[row.lhs, row.rhs], abs=1e-12)
        assert row.conf_low < row.estimate < row.conf_high
    rows = found.table("cross")
    assert len(rows) == 7 * 3 - 7
    for row in rows.itertuples():
        assert row.estimate == pytest.approx(cross.loc[row.rhs, row.lhs], abs=1e-12)
    plain = sat.bootstrap(model, frame, n=50, seed=1)
    assert "f2" not in plain.kinds
    np.testing.assert_array_equal(plain.values, found.values[:, : plain.values.shape[1]])
    for bad in ("f3", 5, None, ["r2"]):
        with pytest.raises(sat.ArgumentError, match="also"):
            sat.bootstrap(model, frame, n=50, also=bad)  # pyright: ignore[reportArgumentType] - what is refused
