"""50,000 random and mutated model texts: nothing but SpecError may come out. Run: python benchmarks/fuzz_model_texts.py"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "property"))

from test_model_texts import PIECES, check, mutate

N = 50_000


def main() -> None:
    rng = random.Random(7)
    check("f =~ a + b")  # what is loaded at first use is not part of reading
    began, read, slowest = time.process_time(), 0, 0.0
    for i in range(N):
        text = mutate(rng) if i % 2 else "".join(rng.choice(PIECES) for _ in range(rng.randint(0, 40)))
        start = time.process_time()
        read += check(text)
        slowest = max(slowest, time.process_time() - start)
    took = time.process_time() - began
    print(
        f"{N} texts, {read} of them models, {N - read} SpecError; {took:.1f} CPU s, slowest {slowest * 1e3:.1f} ms"
    )


if __name__ == "__main__":
    main()
