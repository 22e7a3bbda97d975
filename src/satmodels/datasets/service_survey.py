"""The questionnaire of the simulated service company."""

from __future__ import annotations

from collections.abc import Sequence

from satmodels.datasets import service_truth as truth
from satmodels.datasets.service_answers import DONT_KNOW, REFUSED, gap_columns, kano_columns
from satmodels.survey.items import AnyItem, Choice, Date, Effort, Gap, KanoPair, Rating, Recommend
from satmodels.survey.scale import Scale
from satmodels.survey.survey import Survey

AGREEMENT = Scale(1, 10, {1: "not at all", 10: "completely"})
EFFORT_SCALE = Scale(1, 7, {1: "strongly disagree", 7: "strongly agree"})
TEXTS = {
    "image_trusted": "This is a company that can be trusted.",
    "image_established": "It is firmly established.",
    "image_cares": "It cares about its customers.",
    "image_modern": "It is modern and forward looking.",
    "expected_overall": "When you became a customer, how good did you expect the service to be?",
    "expected_needs": "How well did you expect it to meet your needs?",
    "expected_faults": "How free from faults did you expect it to be?",
    "quality_overall": "How good is the service overall?",
    "quality_network": "How good is the network?",
    "quality_service": "How good are personal service and advice?",
    "quality_billing": "How clear and correct are the bills?",
    "quality_faults": "The service often fails.",
    "value_for_price": "Given the price, how do you rate the quality?",
    "price_for_value": "Given the quality, how do you rate the price?",
    "satisfaction_overall": "How satisfied are you overall?",
    "satisfaction_expected": "How far does the company meet your expectations?",
    "satisfaction_ideal": "How close is it to an ideal provider?",
    "complaint_handling": "How well are complaints handled, or would they be?",
    "loyalty_stay": "How likely are you to stay a customer?",
    "loyalty_again": "Would you choose the company again today?",
    "loyalty_more": "How likely are you to use more of its services?",
}
TOUCHPOINTS = {
    "quality_network": "network",
    "quality_faults": "network",
    "quality_service": "hotline",
    "quality_billing": "billing",
}
FEATURES = {
    "fault_repair": "faults are repaired within a day",
    "clear_bill": "the bill is clear and correct",
    "network_speed": "the network is fast",
    "hotline_wait": "the hotline answers within a minute",
    "usage_app": "an app shows your usage",
    "free_roaming": "roaming abroad is free",
    "shop_coffee": "there is coffee in the shops",
    "phone_ads": "offers are made by phone",
}


def service_survey(months: Sequence[str]) -> Survey:
    """Return the questionnaire; ``months`` are the months in which it was asked."""
    items: list[AnyItem] = [
        Rating(
            item,
            AGREEMENT,
            text=TEXTS[item],
            construct=construct,
            reverse=item in truth.REVERSED,
            touchpoint=TOUCHPOINTS.get(item),
        )
        for construct, loadings in truth.LOADINGS.items()
        for item in loadings
    ]
    items.append(Recommend("recommend", text="How likely are you to recommend us to a friend?"))
    items.append(Effort("effort", EFFORT_SCALE, text="The company made it easy for me to solve my problem."))
    items += [
        Gap(f"{dimension}_{question}", *gap_columns(dimension, question), dimension=dimension)
        for dimension in truth.DRIVERS
        for question in range(1, truth.GAP_ITEMS + 1)
    ]
    items += [
        KanoPair(feature, *kano_columns(feature), text=f"How do you feel if {wording}? If not?")
        for feature, wording in FEATURES.items()
    ]
    items += [
        Choice("region", list(truth.REGIONS)),
        Choice("plan", list(truth.PLANS)),
        Choice("month", list(months)),
        Date("date"),
    ]
    return Survey(
        "service",
        items,
        respondent="customer",
        date="date",
        segments=("region", "plan"),
        missing_codes={DONT_KNOW: "don't know", REFUSED: "refused"},
    )
