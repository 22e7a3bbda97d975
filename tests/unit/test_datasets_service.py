"""The simulated company: reproducible, and simple statistics find its truth again."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from satmodels.datasets import ServiceStudy, simulate_service
from satmodels.datasets import service_truth as facts
from satmodels.errors import ArgumentError

CODES = {98: np.nan, 99: np.nan}


@pytest.fixture(scope="module")
def study() -> ServiceStudy:
    return simulate_service(20_000, seed=3)


@pytest.fixture(scope="module")
def careful(study: ServiceStudy) -> pd.DataFrame:
    """Answers of those who read the questions, missing codes as NaN."""
    answers = study.answers.copy()
    asked = answers.columns[5:]
    answers[asked] = answers[asked].replace(CODES)
    return answers[~answers["customer"].isin(study.truth.careless)]


def test_same_seed_same_data() -> None:
    a, b, c = simulate_service(300, seed=5), simulate_service(300, seed=5), simulate_service(300, seed=6)
    for name in ("answers", "transactions", "events", "customers"):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name))
        assert not getattr(a, name).equals(getattr(c, name))
    pd.testing.assert_frame_equal(a.truth.constructs, b.truth.constructs)
    pd.testing.assert_frame_equal(a.truth.hazard, b.truth.hazard)


def test_answers_stay_on_their_scales(study: ServiceStudy) -> None:
    def codes(name: str) -> set[float]:
        return set(study.answers[name].dropna().unique()) - {98, 99}

    assert codes("recommend") == set(range(11))
    assert codes("quality_overall") == set(range(1, 11))
    assert codes("effort") == set(range(1, 8))
    assert codes("clear_bill_with") == set(range(1, 6))
    assert study.answers["effort"].isna().mean() == pytest.approx(0.4, abs=0.02)
    assert (study.answers["recommend"] == 99).mean() == pytest.approx(0.005, abs=0.002)


def test_paths_are_found_in_the_true_scores(study: ServiceStudy) -> None:
    scores = study.truth.constructs
    for target in study.truth.r2:
        sources = [source for t, source in study.truth.paths if t == target]
        design = np.column_stack([np.ones(len(scores)), scores[sources]])
        estimate = np.linalg.lstsq(design, scores[target].to_numpy(), rcond=None)[0][1:]
        expected = [study.truth.paths[target, source] for source in sources]
        # about four standard errors; who left before being asked is missing, which bends them a little
        np.testing.assert_allclose(estimate, expected, atol=0.035)
    assert scores.drop(columns="customer").std().between(0.95, 1.03).all()


def test_loadings_are_found_in_the_answers(study: ServiceStudy, careful: pd.DataFrame) -> None:
    scores = study.truth.constructs.set_index("customer")
    for construct, block in facts.LOADINGS.items():
        for item, loading in block.items():
            answers = careful.set_index("customer")[item].dropna()
            r = np.corrcoef(answers, scores.loc[answers.index, construct])[0, 1]
            sign = -1 if item in facts.REVERSED else 1
            # rounding to ten skewed answers takes about five per cent away
            assert 0.935 < sign * r / loading < 0.985, item


def test_nps_gaps_and_kano_are_found(study: ServiceStudy, careful: pd.DataFrame) -> None:
    answers = careful["recommend"].dropna()
    nps = 100 * ((answers >= 9).mean() - (answers <= 6).mean())
    assert nps == pytest.approx(study.truth.nps, abs=2.5)  # four standard errors
    for dimension, gap in study.truth.gaps.items():
        found = np.mean(
            [
                (careful[f"{dimension}_{q}_perceived"] - careful[f"{dimension}_{q}_expected"]).mean()
                for q in (1, 2)
            ]
        )
        assert found == pytest.approx(gap, abs=0.05), dimension
    for feature, kano_class in study.truth.kano.items():
        pair = careful[[f"{feature}_with", f"{feature}_without"]].dropna()
        top = tuple(pair.value_counts().index[0])
        expected = {"A": (1, 3), "O": (1, 5), "M": (2, 5), "I": (3, 3), "R": (4, 1)}[kano_class]
        assert top == expected, feature


def test_segments_and_the_incident_are_seen(study: ServiceStudy, careful: pd.DataFrame) -> None:
    by_region = careful.groupby("region")["quality_overall"].mean()
    assert by_region.idxmin() == "East"
    assert by_region.idxmax() == "North"
    by_month = careful.groupby("month")["quality_overall"].mean()
    assert by_month.idxmin() == min(
        study.truth.quality_by_month, key=study.truth.quality_by_month.__getitem__
    )


def test_drivers_are_found(study: ServiceStudy, careful: pd.DataFrame) -> None:
    perceived = [f"{d}_1_perceived" for d in study.truth.drivers]
    complete = careful[[*perceived, "customer"]].dropna()
    quality = study.truth.constructs.set_index("customer").loc[complete["customer"], "Quality"]
    design = np.column_stack([np.ones(len(complete)), complete[perceived]])
    estimate = np.linalg.lstsq(design, quality.to_numpy(), rcond=None)[0][1:]
    assert np.argsort(estimate)[::-1].tolist() == [0, 1, 2, 3, 4]  # reliability first, tangibles last


def test_churn_coefficients_are_found(study: ServiceStudy) -> None:
    hazard = study.truth.hazard
    names = ["satisfaction", "complaint", "unrecovered", "payment_late"]
    x = np.column_stack([np.ones(len(hazard)), hazard[names].astype(float)])
    y = hazard["churned"].to_numpy(float)
    b = np.zeros(5)
    for _ in range(25):  # Newton's steps of a logistic regression
        p = 1 / (1 + np.exp(-x @ b))
        information = (x * (p * (1 - p))[:, None]).T @ x
        b = b + np.linalg.solve(information, x.T @ (y - p))
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    truth = np.array([study.truth.churn[name] for name in ["intercept", *names]])
    assert (np.abs(b - truth) < 4 * error).all()


def test_nobody_acts_outside_the_contract(study: ServiceStudy) -> None:
    customers = study.customers.set_index("customer")
    for frame in (study.events, study.transactions, study.answers):
        contract = customers.loc[frame["customer"]]
        date = frame["date"].to_numpy()
        ends = contract["end"].to_numpy()
        assert (date >= contract["start"].to_numpy()).all()
        assert (np.isnat(ends) | (date < ends)).all()
    assert study.events["date"].is_monotonic_increasing
    assert study.customers["end"].notna().mean() == pytest.approx(0.235, abs=0.03)


def test_careless_respondents_are_named(study: ServiceStudy) -> None:
    careless = study.answers[study.answers["customer"].isin(study.truth.careless)]
    assert len(careless) == len(study.truth.careless)
    assert len(careless) / len(study.answers) == pytest.approx(0.055, abs=0.01)
    ratings = careless[list(study.truth.loadings)].replace(CODES)
    assert (ratings.nunique(axis=1) == 1).mean() == pytest.approx(0.035 / 0.055, abs=0.08)


@pytest.mark.parametrize(
    ("argument", "value"), [("n", 5), ("n", 2.5), ("n", True), ("months", 2), ("months", 61), ("seed", -1)]
)
def test_impossible_parameters(argument: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=argument):
        simulate_service(**{argument: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(("n", "months"), [(20, 3), (50, 60)])
def test_smallest_and_longest(n: int, months: int) -> None:
    study = simulate_service(n, months=months)
    assert len(study.customers) == n
    assert len(study.truth.quality_by_month) == months
    assert len(study.answers) == len(study.truth.constructs)


def test_the_questionnaire_fits_the_answers() -> None:
    study = simulate_service(400, seed=2)
    assert study.survey.check(study.answers).ok
    prepared = study.survey.prepare(study.answers)
    assert not prepared[list(study.truth.loadings)].isin([98, 99]).any().any()
    faults = study.answers["quality_faults"].replace(CODES)
    pd.testing.assert_series_equal(
        prepared["quality_faults"].astype(float), 11.0 - faults, check_names=False, check_dtype=False
    )


def test_the_study_brings_its_model() -> None:
    spec = simulate_service(100).spec
    assert len(spec.constructs) == 7
