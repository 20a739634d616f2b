"""People and their signs of age.

Each sign of age develops at an individual pace in each person. No single sign reveals the age, so a network has to
weigh several of them.
"""

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class People:
    """Lifelong traits of n people, each an array (n,); standard normal unless a comment gives another range."""

    masculinity: Floats  # 0..1: jaw, brows, hairline, beard
    face_width: Floats
    jaw_squareness: Floats
    eye_distance: Floats
    eye_size: Floats
    nose_length: Floats
    nose_width: Floats
    mouth_width: Floats
    lip_fullness: Floats
    brow_height: Floats
    brow_weight: Floats
    asymmetry: Floats
    skin_tone: Floats  # 0 light .. 1 dark
    skin_warmth: Floats
    freckles: Floats  # 0..1
    iris_tone: Floats  # 0..1, from blue over green to brown
    hair_tone: Floats  # 0 dark .. 1 blond
    hair_redness: Floats  # 0..1
    hair_length: Floats  # 0 short .. 1 long
    fringe: Floats
    # How early each sign of age appears.
    growth_pace: Floats
    wrinkle_pace: Floats
    texture_pace: Floats
    sag_pace: Floats
    grey_pace: Floats
    balding_pace: Floats

    @classmethod
    def draw(cls, rng: np.random.Generator, count: int) -> Self:
        """Draw the independent traits of ``count`` people."""
        normal = {f.name: rng.standard_normal(count) for f in dataclasses.fields(cls)}
        even = {
            name: rng.random(count)
            for name in ("skin_tone", "iris_tone", "hair_tone", "hair_redness", "hair_length", "freckles")
        }
        # A bimodal distribution with an overlap.
        masculinity = np.clip(np.where(rng.random(count) < 0.5, 0.2, 0.8) + 0.15 * normal["fringe"], 0, 1)
        return cls(**(normal | even | {"masculinity": masculinity}))

    def of(self, persons: npt.NDArray[np.int64]) -> Self:
        """Return the traits of the person in each image, given the persons' indices, (images,)."""
        return type(self)(**{f.name: getattr(self, f.name)[persons] for f in dataclasses.fields(self)})


@dataclass(frozen=True)
class SignsOfAge:
    """How far each sign of age is developed in n images, each an array (n,) in 0..1."""

    growth: Floats  # of the skull: a baby's proportions to an adult's
    wrinkles: Floats
    roughness: Floats  # of the skin
    spots: Floats
    sag: Floats  # of lids, cheeks and corners of the mouth
    thinning: Floats  # of the lips
    grey: Floats
    balding: Floats
    baby_hair: Floats  # the sparse hair of the first years


def signs_of_age(ages: Floats, people: People, rng: np.random.Generator) -> SignsOfAge:
    """Draw the signs of age of people at given ages, (n,) in years, with random variation in each sign."""

    def apparent_age(pace: Floats, years: float, chance: float) -> Floats:
        """The age that a sign suggests: shifted by the person's pace and, in each image, at random."""
        grown = np.clip(ages / 25, 0.15, 1)  # the differences are smaller in children
        return ages + grown * (years * pace + chance * rng.standard_normal(len(ages)))

    growth_age = np.maximum(apparent_age(people.growth_pace, 3.0, 1.0), 0)
    wrinkle_age = apparent_age(people.wrinkle_pace, 9.0, 4.0)
    dyed = (rng.random(len(ages)) < 0.25 - 0.15 * people.masculinity) & (ages > 18)
    grey = _rises(apparent_age(people.grey_pace, 10.0, 2.0), 50, 9)
    balding = people.masculinity**2 * _rises(apparent_age(people.balding_pace, 18.0, 0.0), 52, 14)
    return SignsOfAge(
        growth=1 - np.exp(-((growth_age / 9.5) ** 1.1)),
        wrinkles=_rises(wrinkle_age, 58, 13),
        roughness=_rises(apparent_age(people.texture_pace, 9.0, 5.0), 55, 15),
        spots=_rises(apparent_age(people.texture_pace, 8.0, 7.0), 66, 11),
        sag=_rises(apparent_age(people.sag_pace, 9.0, 3.0), 62, 13),
        thinning=_rises(apparent_age(people.sag_pace, 6.0, 8.0), 55, 16),
        grey=np.where(dyed, 0.1 * grey, grey),
        balding=balding,
        baby_hair=np.exp(-np.maximum(apparent_age(people.growth_pace, 1.0, 0.5), 0) / 2.0),
    )


def _rises(age: Floats, middle: float, width: float) -> Floats:
    """A sign that is half developed at ``middle`` years, and almost fully two ``width`` later."""
    return 1 / (1 + np.exp(-(age - middle) / width))
