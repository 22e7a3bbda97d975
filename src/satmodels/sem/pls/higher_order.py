"""Constructs of constructs: repeated indicators and the two-stage approaches.

A model says ``Offer =~ Quality + Value`` where Quality and Value are constructs with items of their own.
What comes out is an ordinary model of items and an ordinary frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from satmodels.arguments import checked
from satmodels.errors import SpecError, check_word
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.model.terms import Term
from satmodels.sem.pls.answers import read_answers
from satmodels.sem.pls.compile import compile_structure
from satmodels.sem.pls.interactions import as_frame
from satmodels.sem.pls.taken import check_plspm, warn_uncorrected

if TYPE_CHECKING:
    import pandas as pd

    from satmodels.sem.pls.estimator import PLSPM

Method = Literal["disjoint", "embedded", "repeated"]
METHODS: tuple[Method, ...] = ("disjoint", "embedded", "repeated")


@checked
def higher_order(
    model: PLSPM, X: Any, *, method: Method = "disjoint", sample_weight: Any = None
) -> tuple[ModelSpec, pd.DataFrame]:
    r"""Turn a model with constructs of constructs into one of items.

    Parameters
    ----------
    model : PLSPM
        Its model has lines such as ``Offer =~ Quality + Value`` (reflective) or ``Offer <~ Quality + Value``
        (formative), with the parts measured by items.
    X : dataframe
        The rows.
    method : {"disjoint", "embedded", "repeated"}, default "disjoint"
        "disjoint": the parts take the place of the whole in a first model; their scores are its items in
        the second. "embedded": the first model is that of repeated indicators; in the second every
        construct is its score. "repeated": one model, in which the whole has all items of its parts, and
        paths from (formative) or to (reflective) its parts.
    sample_weight : array or str, optional
        Survey weights of the first stage; give them to the fit of the second as well.

    Returns
    -------
    spec : ModelSpec
        A model that :class:`PLSPM` fits.
    frame : DataFrame
        The rows with the scores of the first stage, named like their constructs, in pandas; other columns
        come along.

    Notes
    -----
    With "repeated", the parts of a formative whole explain it entirely, so that other sources of the whole
    get coefficients near 0: read their total effects, or use a two-stage method. Scores of a first stage
    are computed once: a bootstrap of the second model takes them as given, while
    ``bootstrap(model, X, higher_order=method)`` estimates both stages in every draw.

    References
    ----------
    .. [1] Sarstedt, M., Hair, J. F., Cheah, J.-H., Becker, J.-M. and Ringle, C. M. (2019). How to specify,
       estimate, and validate higher-order constructs in PLS-SEM. Australasian Marketing Journal 27(3).

    Examples
    --------
    >>> import satmodels as sat
    >>> model = sat.PLSPM("A =~ a1 + a2\nB =~ b1 + b2\nWhole <~ A + B\nY =~ y1\nY ~ Whole")
    >>> import numpy as np, pandas as pd
    >>> g = np.random.default_rng(1).normal(size=300)
    >>> rng = np.random.default_rng(2)
    >>> frame = pd.DataFrame({c: g + rng.normal(size=300) for c in ("a1", "a2", "b1", "b2", "y1")})
    >>> spec, scored = sat.higher_order(model, frame)
    >>> print(spec)
    Whole <~ A + B
    Y =~ y1
    Y ~ Whole
    """
    check_plspm(model, "higher_order")
    first, second, taken = two_stages(ModelSpec.of(model.spec), method)
    if method != "disjoint":
        warn_uncorrected(model, f"constructs of method={method!r}")
    if not taken:
        columns = compile_structure(second).columns
        return second, as_frame(read_answers(X, columns, sample_weight, model.missing), X)
    structure = compile_structure(first)
    answers = read_answers(X, structure.columns, sample_weight, model.missing)
    frame = as_frame(answers, X)
    lower = type(model)(**model.get_params())
    lower.spec = first
    scores = lower.fit(frame, sample_weight=answers.weights).transform(frame)
    at = list(structure.constructs)
    return second, frame.assign(**{column: scores[:, at.index(name)] for name, column in taken.items()})


def two_stages(spec: ModelSpec, method: Method) -> tuple[ModelSpec, ModelSpec, dict[str, str]]:
    """Return the models of both stages, and the column that each score of the first has in the second.

    With "repeated" there is one model and no score.
    """
    check_word("method", method, METHODS)
    parts = _parts(spec)
    if method == "repeated":
        longer = _repeated(spec, parts)
        return longer, longer, {}
    first = _first_stage(spec, parts) if method == "disjoint" else _repeated(spec, parts)
    constructs = compile_structure(first).constructs
    if method == "disjoint":
        scored = {part for members in parts.values() for part in members}
        return first, _disjoint(spec, parts), {name: name for name in constructs if name in scored}
    second = _embedded(spec, parts)
    scored = {name for name in constructs if name not in parts}
    taken = {
        name: name if name in second.items else f"{name} (score)" for name in constructs if name in scored
    }
    return first, second, taken


def _parts(spec: ModelSpec) -> dict[str, tuple[str, ...]]:
    """Return the parts of every construct of constructs."""
    blocks = spec.blocks
    found: dict[str, tuple[str, ...]] = {}
    for name, (_, items) in blocks.items():
        constructs = [item for item in items if item in blocks]
        if not constructs:
            continue
        if len(constructs) < len(items):
            raise SpecError(f"{name!r} is measured by constructs and by items: choose one of both")
        for part in constructs:
            if any(item in blocks for item in blocks[part][1]):
                raise SpecError(f"{part!r} in {name!r} is itself made of constructs: two orders are the most")
        found[name] = tuple(constructs)
    if not found:
        raise SpecError("no construct of this model is measured by constructs: nothing to do")
    inner = {part for members in found.values() for part in members}
    for target, source in spec.paths:
        for end in (target, source):
            if end in inner:
                raise SpecError(
                    f"the path {source} -> {target} touches {end!r}, a part of a higher construct: give the path "
                    "to the whole"
                )
    return found


def _first_stage(spec: ModelSpec, parts: dict[str, tuple[str, ...]]) -> ModelSpec:
    terms: dict[Term, None] = {}
    for term in spec.terms:
        if term.op != "~":
            if term.lhs not in parts:
                terms[Term(lhs=term.lhs, op=term.op, rhs=term.rhs)] = None
            continue
        for target in parts.get(term.lhs, (term.lhs,)):
            for source in parts.get(term.rhs, (term.rhs,)):
                terms[Term(lhs=target, op="~", rhs=source)] = None
    return ModelSpec(terms=tuple(terms))


def _repeated(spec: ModelSpec, parts: dict[str, tuple[str, ...]]) -> ModelSpec:
    blocks = spec.blocks
    terms: list[Term] = []
    paths: list[Term] = []
    for term in spec.terms:
        if term.op == "~":
            paths.append(Term(lhs=term.lhs, op="~", rhs=term.rhs))
        elif term.lhs not in parts:
            terms.append(Term(lhs=term.lhs, op=term.op, rhs=term.rhs))
        else:  # the part's items stand for the part; mode A keeps collinear items apart
            terms += [Term(lhs=term.lhs, op="=~", rhs=item) for item in blocks[term.rhs][1]]
            formative = blocks[term.lhs][0] == "B"
            target, source = (term.lhs, term.rhs) if formative else (term.rhs, term.lhs)
            paths.append(Term(lhs=target, op="~", rhs=source))
    return ModelSpec(terms=(*terms, *paths), scales=spec.scales)


def _disjoint(spec: ModelSpec, parts: dict[str, tuple[str, ...]]) -> ModelSpec:
    inner = {part for members in parts.values() for part in members}
    kept = [term for term in spec.terms if term.op == "~" or term.lhs not in inner]
    scales = {item: limits for item, limits in spec.scales.items() if item in {t.rhs for t in kept}}
    return ModelSpec(terms=tuple(kept), defined=spec.defined, scales=scales)


def _embedded(spec: ModelSpec, parts: dict[str, tuple[str, ...]]) -> ModelSpec:
    inner = {part for members in parts.values() for part in members}
    terms: list[Term] = []
    for name in spec.blocks:
        if name in parts:
            op = "=~" if spec.blocks[name][0] == "A" else "<~"
            terms += [Term(lhs=name, op=op, rhs=part) for part in parts[name]]
        elif name not in inner:
            terms.append(Term(lhs=name, op="=~", rhs=f"{name} (score)"))
    return ModelSpec(terms=(*terms, *(t for t in spec.terms if t.op == "~")), defined=spec.defined)
