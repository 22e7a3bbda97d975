"""Moderation and curvature: a construct's effect that depends on another, or on itself.

A product of constructs becomes a construct of its own with columns of its own. What comes out is an
ordinary model and an ordinary frame, which everything else (bootstrap, groups, prediction) takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from satmodels.arguments import checked
from satmodels.errors import ArgumentError, as_number, check_word, unknown
from satmodels.intake.frames import open_frame
from satmodels.intake.library import FrameLibrary
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term
from satmodels.sem.pls.answers import Answers, named_columns, read_answers
from satmodels.sem.pls.compile import compile_structure
from satmodels.sem.pls.taken import check_plspm, warn_uncorrected

if TYPE_CHECKING:
    import pandas as pd

    from satmodels.sem.pls.estimator import PLSPM
    from satmodels.sem.pls.result import PLSResult

Array = NDArray[np.float64]
Method = Literal["two_stage", "product", "orthogonal"]
METHODS: tuple[Method, ...] = ("two_stage", "product", "orthogonal")


@checked
def with_interaction(
    model: PLSPM,
    X: Any,
    source: str,
    moderator: str,
    target: str,
    *,
    method: Method = "two_stage",
    sample_weight: Any = None,
) -> tuple[ModelSpec, pd.DataFrame]:
    r"""Add the product of two constructs as a further source of a target.

    Parameters
    ----------
    model : PLSPM
        The model without the product; it is not changed.
    X : dataframe
        The rows.
    source, moderator : str
        The constructs to be multiplied; the same one twice gives a quadratic effect.
    target : str
        The construct that their product acts on; paths from both to it are added where they lack.
    method : {"two_stage", "product", "orthogonal"}, default "two_stage"
        One product of the construct scores of the model without it (Chin, Marcolin and Newsted 2003; works
        with any mode); the products of all pairs of standardised items; or what a regression on all the
        items leaves of these, so that the product is uncorrelated with its parts (Little, Bovaird and
        Widaman 2006).
    sample_weight : array or str, optional
        Survey weights, of the scores or of the standardised items that are multiplied; give them to the fit of
        the longer model as well.

    Returns
    -------
    spec : ModelSpec
        The model with the construct ``"source*moderator"``.
    frame : DataFrame
        The rows with the columns of the product, in pandas; other columns come along.

    Notes
    -----
    A positive coefficient of the product says that the source's effect grows with the moderator; the
    product is standardised like every construct, so :func:`simple_slopes` says by how much. The scores of
    "two_stage" are computed once: a bootstrap of the second model takes them as given, while
    ``bootstrap(model, X, interaction=(source, moderator, target))`` estimates both stages in every draw.

    Examples
    --------
    >>> import numpy as np, pandas as pd, satmodels as sat
    >>> rng = np.random.default_rng(1)
    >>> a, b = rng.normal(size=(2, 500))
    >>> frame = pd.DataFrame({"a1": a, "b1": b, "y1": a + 0.5 * a * b + rng.normal(size=500)})
    >>> model = sat.PLSPM("A =~ a1\nB =~ b1\nY =~ y1\nY ~ A + B")
    >>> spec, longer = sat.with_interaction(model, frame, "A", "B", "Y")
    >>> sat.PLSPM(spec).fit(longer).result_.paths[["rhs", "estimate"]].round(2)
       rhs  estimate
    0    A      0.60
    1    B      0.05
    2  A*B      0.34
    """
    check_word("method", method, METHODS)
    check_plspm(model, "with_interaction")
    spec = ModelSpec.of(model.spec)
    name = f"{source}*{moderator}"
    interaction_spec(spec, source, moderator, target, (name,))  # says what is wrong before the fit
    structure = compile_structure(spec)
    if method == "two_stage":
        warn_uncorrected(model, f"the product {name!r}")
    answers = read_answers(X, structure.columns, sample_weight, model.missing)
    first = list(structure.items(structure.constructs.index(source)))
    second = list(structure.items(structure.constructs.index(moderator)))
    if method == "two_stage":
        frame = as_frame(answers, X)
        lower = type(model)(**model.get_params()).fit(frame, sample_weight=answers.weights)
        scores = lower.transform(frame)
        at = list(structure.constructs)
        products = {name: scores[:, at.index(source)] * scores[:, at.index(moderator)]}
    else:
        products = _item_products(answers, first, second, orthogonal=method == "orthogonal")
    longer = interaction_spec(spec, source, moderator, target, tuple(products))
    return longer, as_frame(answers, X).assign(**products)


def interaction_spec(
    spec: ModelSpec, source: str, moderator: str, target: str, products: Sequence[str]
) -> ModelSpec:
    """Return the model with the product of two constructs, measured by the columns ``products``.

    Raises
    ------
    ArgumentError
        A construct is not there, the target is one of the two, or the model has the product already.
    """
    structure = compile_structure(spec)
    for construct in (source, moderator, target):
        if construct not in structure.constructs:
            raise unknown("construct", construct, structure.constructs)
    if target in (source, moderator):
        raise ArgumentError(f"{target!r} can't moderate a path to itself: choose another target")
    name = f"{source}*{moderator}"
    if name in spec.variables:
        raise ArgumentError(f"the model has {name!r} already")
    present = {(t, s) for t, s in spec.paths}
    terms = [
        *spec.terms,
        # a single column of the construct's own name needs no line
        *(Term(lhs=name, op="=~", rhs=column) for column in products if column != name),
        *(
            Term(lhs=target, op="~", rhs=part)
            for part in dict.fromkeys((source, moderator, name))
            if (target, part) not in present
        ),
    ]
    return ModelSpec(terms=tuple(terms), defined=spec.defined, scales=spec.scales)


@checked
def simple_slopes(
    result: PLSResult,
    source: str,
    moderator: str,
    target: str,
    *,
    at: Sequence[float] = (-1.0, 0.0, 1.0),
) -> pd.DataFrame:
    """Return the effect of a source at several values of its moderator.

    Parameters
    ----------
    result : PLSResult
        A model from :func:`with_interaction` with ``method="two_stage"``.
    source, moderator, target : str
        As given there; source and moderator in the same order.
    at : sequence of float, default (-1, 0, 1)
        Values of the moderator, in standard deviations from its mean.

    Returns
    -------
    DataFrame
        ``moderator, estimate``: the moderator's value and the standardised effect there,
        ``b_source + value * b_product / s_product`` (twice the product's where the source moderates
        itself), with the standard deviation of the product of the scores.
    """
    if not hasattr(result, "_group"):
        raise ArgumentError(f"simple_slopes takes the result_ of a PLSPM, not a {type(result).__name__}")
    values = [as_number("at", value) for value in at]
    g = result._group(None)
    name = f"{source}*{moderator}"
    for construct in (source, moderator, target, name):
        if construct not in g.constructs:
            raise unknown("construct", construct, g.constructs)
    if name not in g.moments.columns:
        raise ArgumentError('simple slopes need the product of the scores: method="two_stage"')
    j = {construct: i for i, construct in enumerate(g.constructs)}
    main = float(g.paths[j[target], j[source]])
    product = float(g.paths[j[target], j[name]] / g.moments.std[g.moments.columns.index(name)])
    if source == moderator:
        product *= 2  # the slope of b x + c x² is b + 2 c x
    columns = {"moderator": values, "estimate": [main + value * product for value in values]}
    return FrameLibrary.PANDAS.build(columns)


def _item_products(
    answers: Answers, first: list[str], second: list[str], *, orthogonal: bool
) -> dict[str, Array]:
    place = {column: j for j, column in enumerate(answers.columns)}
    z = (answers.rows - answers.moments.mean) / answers.moments.std
    found: dict[str, Array] = {}
    for a in first:
        for b in second:
            if f"{b}*{a}" not in found:  # a square has each pair once
                found[f"{a}*{b}"] = z[:, place[a]] * z[:, place[b]]
    if orthogonal:
        parts = np.column_stack(
            [np.ones(len(z)), *(z[:, place[c]] for c in dict.fromkeys([*first, *second]))]
        )
        root = np.ones((len(z), 1)) if answers.weights is None else np.sqrt(answers.weights)[:, None]
        for name, product in found.items():
            slopes = np.linalg.lstsq(parts * root, product * root[:, 0], rcond=None)[0]
            found[name] = product - parts @ slopes
    return found


def as_frame(answers: Answers, X: Any) -> pd.DataFrame:
    """Return the complete rows as a pandas frame, with the columns that the model does not read."""
    import pandas as pd

    frame = open_frame(named_columns(X))
    others = [c for c in frame.columns if c not in answers.columns]
    found = {name: list(values) for name, values in frame.table(others).columns().items()} if others else {}
    if answers.kept is not None:
        found = {name: [values[i] for i in answers.kept] for name, values in found.items()}
    return pd.DataFrame({**dict(zip(answers.columns, answers.rows.T, strict=True)), **found})
