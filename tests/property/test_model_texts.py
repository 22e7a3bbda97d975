"""Whatever text is given, the parser returns a model or raises SpecError, quickly; what it returns prints back."""

from __future__ import annotations

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

import satmodels as sat

SEED_TEXTS = (
    "Quality =~ q1 + a*q2 + 0.5*q3\nLoyal =~ l1 + l2 ; Loyal ~ b*Quality\nq1 ~~ 0*l1 # c\nz := a*b + exp(-a)^2/(b - 1)",
    'f =~ NA*x1 + start(0.8)*x2 + c(1, NA)*x3 + c(k, "m 2")*x4\nf ~~ 1*f\nx1 + x2 ~ 1\nk == 2*b\nb =~ b*y1\n b > -1e-3',
    "f =~ x1 + x2 + x3\nx1 | c(a, a)*t1 + -0.5*t2 + start(1)*t3\nx1 ~*~ c(1, NA)*x1\nx1 ~ c(0, NA)*1",
    "f =~ x1 + x2\ngroup: 1\nh =~ y1 + a*y2\nh ~ b*f\ngroup: 2\nh =~ y1 + 0.5*y2\nx1 ~~ y1\nd := a^2 - b",
    "满意 =~ 质量一 + 质量二\n忠诚 =~ 忠一\n忠诚 ~ 满意",
)
PIECES = (
    "=~", "<~", "~~", "~", ":=", "==", ">", "<", "+", "-", "*", "/", "^", "(", ")", ",", ";", "\n", "#", "!", '"', "'",
    "`", "NA", "c(", "start(", "exp(", "1", "0", ".5", "1e9", "1e999", "f", "x1", "a", "量", "\u200b", "\u0430", "∼", " ",
    "__import__('os')", "CONSTRAINT(", "DEFINE", "\\", "$", "%", "\x00", "\ud800", "~1", "|", "~*~", "t1", "t2", "\ngroup: 1\n", "\ngroup: 2\n", "group:", "é", "e\u0301",
)  # fmt: skip
MUTATED = 2_500  # 50,000 take about ten seconds; a run of that size is in benchmarks/fuzz_model_texts.py


def check(text: str) -> bool:
    try:
        spec = sat.ModelSpec.parse(text)
    except sat.SpecError:
        return False
    assert sat.ModelSpec.parse(str(spec)) == spec
    return True


def mutate(rng: random.Random) -> str:
    text = rng.choice(SEED_TEXTS)
    for _ in range(rng.randint(1, 6)):
        at, to = sorted(rng.randint(0, len(text)) for _ in range(2))
        match rng.randint(0, 3):
            case 0:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 1:
                text = text[:at] + text[min(to, at + 6) :]
            case 2:
                text = text[:at] + text[at:to] * 2 + text[to:]
            case _:
                text = text[:at] + rng.choice(PIECES) + text[min(len(text), at + 1) :]
    return text


def test_mutated_models():
    rng = random.Random(1)
    began, read = time.process_time(), 0
    for _ in range(MUTATED):
        read += check(mutate(rng))
    assert read > MUTATED / 50  # some of them are still models, so that printing was tried
    assert time.process_time() - began < 30


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_random_pieces(text: str):
    check(text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80))
def test_random_characters(text: str):
    check(text)
