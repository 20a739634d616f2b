"""Student's t distribution, in closed form for integer degrees of freedom."""

import math
from functools import lru_cache

#: Beyond this many degrees of freedom the quantile changes by less than a thousandth.
MOST_DEGREES = 1000


def student_t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t, below which a value lies with this probability.

    Found by bisection of ``student_t_probability``, to the precision of a float. Between two whole numbers of degrees
    of freedom its logarithm is interpolated over their inverses: at 97.5 % this is at most 3 % too large below two
    degrees, and at most 0.5 % from there on.

    Raises:
        ValueError: A probability outside of 0 .. 1, or less than 1 degree of freedom.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a quantile needs a probability between 0 and 1; it is {probability}")
    if probability < 0.5:
        return -student_t_quantile(1 - probability, degrees)
    degrees = min(degrees, MOST_DEGREES)
    below = math.floor(degrees)
    first = _quantile(probability, below)
    if degrees == below or first == 0:
        return first
    share = (1 / below - 1 / degrees) * below * (below + 1)
    return math.pow(first, 1 - share) * math.pow(_quantile(probability, below + 1), share)


@lru_cache(maxsize=4096)
def _quantile(probability: float, degrees: int) -> float:
    """Return the quantile of at least a half for a whole number of degrees of freedom."""
    low, high = 0.0, 1.0
    while student_t_probability(high, degrees) < probability:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if student_t_probability(middle, degrees) < probability:
            low = middle
        else:
            high = middle
    return high


def student_t_probability(t: float, degrees: int) -> float:
    """Return the probability that Student's t is below ``t``.

    Uses the finite series for integer degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).

    Raises:
        ValueError: Less than 1 degree of freedom.
    """
    if degrees < 1:
        raise ValueError(f"Student's t needs at least 1 degree of freedom; it has {degrees}")
    angle = math.atan(t / math.sqrt(degrees))
    cosine = math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    total = 0.0
    for power in range(1 if odd else 0, degrees - 1, 2):
        total += term
        term *= cosine**2 * (power + 1) / (power + 2)
    within = math.sin(angle) * total
    if odd:
        within = (angle + within) * 2 / math.pi
    return min(max((1 + within) / 2, 0.0), 1.0)  # far out, the last bit would lead beyond
