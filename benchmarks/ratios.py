"""What paired runs say: ratios with their uncertainty."""

import math
import random
from statistics import fmean


def interval_of(logs: list[float], draws: int = 4000) -> tuple[float, float, float]:
    """Geometric mean of paired ratios and its 95 % bootstrap interval."""
    chance = random.Random(1)
    means = sorted(fmean(chance.choices(logs, k=len(logs))) for _ in range(draws))
    return (
        math.exp(fmean(logs)),
        math.exp(means[draws * 25 // 1000]),
        math.exp(means[-1 - draws * 25 // 1000]),
    )
