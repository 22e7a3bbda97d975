"""From a model specification to the structure that the PLS algorithm works on."""

from __future__ import annotations

from satmodels.errors import SpecError
from satmodels.sem.model.spec import ModelSpec
from satmodels.sem.pls.structure import Structure

NOT_PLS = {
    "~~": "PLS estimates no covariances: leave the '~~' lines out, or use CBSEM",
    "~1": "PLS works on standardised items: leave the '~ 1' lines out, or use CBSEM",
    "|": "PLS has no thresholds: leave the '|' lines out, or use CBSEM",
    "~*~": "PLS has no scaling factors: leave the '~*~' lines out, or use CBSEM",
}


def compile_structure(spec: ModelSpec) -> Structure:
    """Compile a specification.

    An observed variable that takes part in a path is a construct with itself as its single item.

    Raises
    ------
    SpecError
        The model has parts that PLS does not estimate, a construct without path, or a cycle.
    """
    for term in spec.terms:
        if term.op in NOT_PLS:
            raise SpecError(f"'{term.lhs} {term.op} {term.rhs or 1}': {NOT_PLS[term.op]}")
        if any(isinstance(value, float) for value in term.fixed):
            raise SpecError(
                f"'{term.lhs} {term.op} {term.rhs}' is fixed at a value: PLS estimates every weight and path. "
                "Leave the number out, or use CBSEM."
            )
    if spec.constraints:
        tie = spec.constraints[0]
        raise SpecError(f"'{tie.left} {tie.op} {tie.right}': PLS takes no constraints. Use CBSEM.")
    blocks = {name: (mode, items) for name, (mode, items) in spec.blocks.items()}
    for name, (_, items) in blocks.items():
        for item in items:
            if item in blocks:
                raise SpecError(
                    f"construct {name!r} is measured by the construct {item!r}: PLSPM takes items only"
                )
    ends = dict.fromkeys(end for path in spec.paths for end in path)
    for end in ends:
        blocks.setdefault(end, ("A", (end,)))
    return Structure.of(tuple(blocks), blocks, spec.paths)
