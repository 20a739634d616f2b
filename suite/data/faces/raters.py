"""Simulated raters: the mean and the deviation of their votes on an image are its labels.

Their numbers follow data sets that publish both: about forty guesses of the age of an image (ChaLearn LAP), and
sixty whole scores of attractiveness from 1 to 5 (SCUT-FBP5500).
"""

from dataclasses import dataclass

import numpy as np

from suite.data.faces.people import Floats, People, SignsOfAge

AGE_RATERS = 38
ATTRACTIVENESS_RATERS = 60


@dataclass(frozen=True)
class Votes:
    """Mean and standard deviation of the votes on n images, each an array (n,) in label units."""

    mean: Floats
    deviation: Floats


def rate_age(ages: Floats, hidden: Floats, rng: np.random.Generator) -> Votes:
    """Draw guesses of whole years, 0 to 100, which spread more for old people and hidden faces (0..1)."""
    spread = (1.0 + 0.075 * ages) * (1 + 0.6 * hidden)
    raters = rng.normal(0, 0.35, (1, AGE_RATERS))  # the bias of each rater, in multiples of the spread
    guesses = ages[:, None] + spread[:, None] * (raters + rng.standard_normal((len(ages), AGE_RATERS)))
    return _votes(np.clip(np.round(guesses), 0, 100))


def rate_attractiveness(
    ages: Floats, people: People, signs: SignsOfAge, smile: Floats, rng: np.random.Generator
) -> Votes:
    """Draw scores, 1 to 5, from averageness, symmetry, skin, youth and expression, as studies of faces suggest."""
    oddness = (
        people.face_width**2
        + people.eye_distance**2
        + people.nose_length**2
        + people.nose_width**2
        + people.mouth_width**2
        + (people.jaw_squareness - 2 * (people.masculinity - 0.5)) ** 2
    ) / 6
    appeal = (
        0.9
        - 0.75 * oddness
        - 0.55 * np.abs(people.asymmetry)
        + 0.30 * people.eye_size
        + 0.30 * people.lip_fullness
        + 0.35 * smile
        - 0.9 * signs.roughness
        - 0.5 * signs.spots
        - 0.6 * signs.sag
        - 0.25 * ((ages - 27) / 25) ** 2 * (ages < 27)
    )
    leniency = rng.normal(0, 0.35, (1, ATTRACTIVENESS_RATERS))
    taste = rng.normal(0, 0.55, (len(ages), ATTRACTIVENESS_RATERS))
    return _votes(np.clip(np.round(2.9 + 0.75 * appeal[:, None] + leniency + taste), 1, 5))


def _votes(votes: Floats) -> Votes:
    return Votes(votes.mean(1), votes.std(1))
