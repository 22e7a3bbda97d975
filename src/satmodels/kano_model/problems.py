"""What looks wrong in the answers to Kano questions."""

from __future__ import annotations

import numpy as np

from satmodels.kano_model.tables import KanoTable
from satmodels.statistics.pair_counts import PairCounts

# reverse and questionable answers beyond this share: are the two columns of the pair swapped?
SUSPECT_SHARE = 0.3
FEWEST = 5  # answers below which a share says nothing


def find_problems(counts: PairCounts, table: KanoTable) -> tuple[str, ...]:
    """Say which pairs look as if their columns were swapped, or not understood."""
    joint = counts.w.sum(axis=0)
    found: list[str] = []
    for feature, as_given, turned in zip(
        counts.features, table.count(joint), table.count(np.swapaxes(joint, 1, 2)), strict=True
    ):
        n = as_given.sum()
        odd, odd_turned = as_given[4:].sum(), turned[4:].sum()
        if n < FEWEST or odd <= SUSPECT_SHARE * n:
            continue
        share = f"feature {feature!r}: {odd / n:.0%} of the answers are reverse or questionable"
        if odd_turned <= SUSPECT_SHARE * n and odd_turned < odd / 2:
            found.append(
                f"{share}, and {odd_turned / n:.0%} with the two columns exchanged: are they swapped?"
            )
        elif as_given[4] > as_given[5]:
            found.append(f"{share}, most of them reverse: is it unwelcome, or are its two columns swapped?")
        else:
            found.append(f"{share}: was the question understood, and are the codes 1 = like?")
    return tuple(found)
