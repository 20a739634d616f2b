"""Decisions by an estimated age, such as "is this person 18 or older": how often they are wrong, by group.

Under a policy of a challenge age (Challenge 25), somebody whose estimated age is at or above it is accepted, and
anybody else is asked for proof. The false accept rate is the share of images of people under the age that are accepted.
It is the false positive rate of NIST's evaluation of age verification: how often people outside the allowed range are
estimated to be within it (NIST IR 8525 of 2024, Face Analysis Technology Evaluation: Age Estimation and Verification,
and its table of Challenge 25). The false reject rate is the share of images of people of the age and over that are not
accepted. Those below the challenge age are asked by design, so that the rate of the challenge age and over stands
beside it.

The intervals are those of Clopper and Pearson (1934), on as many trials as there are independent people: each image
where everybody is pictured once, which makes them exact. Where people recur, all images of one person are taken to have
the same outcome, and n images of people with m_1, m_2, ... count as n^2 / (m_1^2 + m_2^2 + ...) trials (Kish 1965).
That is on the safe side, and so wide with few people that no rate need be withheld.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import betaincinv

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]

CONFIDENCE = 0.95
#: The group of all images of a split.
EVERYBODY = "everybody"


@dataclass(frozen=True)
class AgeThreshold:
    """A rule that accepts people by their estimated age.

    Attributes:
        age: What is asked for, years.
        challenge: The estimate from which on somebody is accepted, years; at least ``age``.
    """

    age: float = 18.0
    challenge: float = 25.0


#: Challenge 25 for the age of 18.
USUAL = AgeThreshold()


@dataclass(frozen=True)
class Rate:
    """A share of images, with its 95 % interval over people.

    Attributes:
        images: Number of images.
        people: Number of people in them.
        share: From 0 to 1; NaN without an image.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    images: int
    people: int
    share: float
    low: float
    high: float

    @property
    def in_words(self) -> str:
        """The share and its interval in percent."""
        if not self.images:
            return "nobody"
        return f"{100 * self.share:.1f} % ({100 * self.low:.1f} to {100 * self.high:.1f})"


@dataclass(frozen=True)
class GroupDecisions:
    """The decisions on one group.

    Attributes:
        group: Its name.
        accepted_below: Of the people under the age, those accepted: the false accepts.
        asked_above: Of the people of the age and over, those not accepted: the false rejects.
        asked_above_challenge: The same of the people of the challenge age and over.
    """

    group: str
    accepted_below: Rate
    asked_above: Rate
    asked_above_challenge: Rate

    @property
    def cells(self) -> tuple[str, ...]:
        """The group, and the people and rate of each share, in the order of ``heads``."""
        rates = (self.accepted_below, self.asked_above, self.asked_above_challenge)
        return (self.group, *(text for rate in rates for text in (f"{rate.people:,}", rate.in_words)))


def heads(by: str, threshold: AgeThreshold) -> tuple[str, ...]:
    """Return the heads of a table of decisions, for ``GroupDecisions.cells``."""
    age, challenge = f"{threshold.age:g}", f"{threshold.challenge:g}"
    return (
        by,
        *(f"people under {age}", "accepted (false accepts)"),
        *(f"people of {age} and over", "asked for proof (false rejects)"),
        *(f"people of {challenge} and over", "asked for proof"),
    )


def rule_in_words(threshold: AgeThreshold) -> str:
    """Return what the table of a threshold shows, in three sentences."""
    return (
        f"Is this person {threshold.age:g} or older? A person is accepted if the estimate is {threshold.challenge:g} "
        "years or more; all others are asked for proof. In brackets: the 95 % interval over people (Clopper and "
        "Pearson)."
    )


def accepted(estimates: Floats, threshold: AgeThreshold) -> Floats:
    """Return 1 for each image that is accepted, else 0; float64 (n,). A NaN is not accepted."""
    return (estimates >= threshold.challenge).astype(np.float64)


def decisions_by_group(
    accepted_share: Floats, ages: Floats, people: Names, columns: Mapping[str, Names], threshold: AgeThreshold
) -> dict[str, list[GroupDecisions]]:
    """Return the decisions on everybody, and on each group of each column that names some.

    Args:
        accepted_share: Whether each image is accepted, float (n,) from 0 to 1: between, where several trainings of a
            network decide differently.
        ages: Labels, float (n,), years.
        people: Who is pictured, str (n,).
        columns: The group of each image, str (n,), by column; an image with an empty name is in no group.
        threshold: The rule.
    """

    def decisions(group: str, members: Flags) -> GroupDecisions:
        below, above = members & (ages < threshold.age), members & (ages >= threshold.age)
        over = members & (ages >= threshold.challenge)
        asked = 1 - accepted_share
        return GroupDecisions(
            group,
            rate(accepted_share[below], people[below]),
            rate(asked[above], people[above]),
            rate(asked[over], people[over]),
        )

    found = {EVERYBODY: [decisions(EVERYBODY, np.ones(len(ages), dtype=np.bool_))]}
    for column, names in columns.items():
        if rows := [decisions(str(name), names == name) for name in np.unique(names) if name]:
            found[column] = rows
    return found


def rate(outcomes: Floats, people: Names) -> Rate:
    """Return a share with its interval over people.

    Args:
        outcomes: Of each image, float (n,) from 0 to 1.
        people: Who is pictured, str (n,).
    """
    if not len(outcomes):
        return Rate(0, 0, math.nan, math.nan, math.nan)
    _, counts = np.unique(people, return_counts=True)
    share = float(outcomes.mean())
    trials = len(outcomes) ** 2 / float((counts.astype(np.float64) ** 2).sum())
    low, high = clopper_pearson(share * trials, trials)
    return Rate(len(outcomes), len(counts), share, low, high)


def clopper_pearson(successes: float, trials: float) -> tuple[float, float]:
    """Return the exact 95 % interval of a proportion; numbers of trials need not be whole.

    Args:
        successes: From 0 to ``trials``.
        trials: Above 0.
    """
    tail, failures = (1 - CONFIDENCE) / 2, max(trials - successes, 0.0)
    low = float(betaincinv(successes, failures + 1, tail)) if successes > 0 else 0.0
    high = float(betaincinv(successes + 1, failures, 1 - tail)) if failures > 0 else 1.0
    return low, high
