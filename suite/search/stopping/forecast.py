"""What a training under way will come to: its final error forecast from those that ended; pure functions.

The logarithm of the final error is a line in the logarithm of the error so far and those of the costs,
fitted by least squares to the trainings that ran to their end (learning curves extrapolated by regression, as
Baker and others 2017 do). Each epoch has a line of its own, so that one which tells nothing yet, as under the
high learning rate of a one-cycle schedule, makes no forecast narrower than the errors are spread.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.student_t import student_t_probability, student_t_quantile

Values = npt.NDArray[np.float64]

#: Degrees of freedom that a fit must leave; with fewer nothing is forecast.
LEAST_DEGREES = 3
#: Weight of the prior that no feature matters, in trainings; it holds the line where features hardly vary.
RIDGE = 0.1
#: Relative error that no forecast claims to beat, so that equal results leave a spread to divide by.
FLOOR = 1e-3


@dataclass(frozen=True)
class Forecast:
    """A final error as Student's t on the logarithm."""

    centre: float  # of the logarithm
    spread: float
    degrees: int

    @property
    def median(self) -> float:
        """The final error that is missed on either side as likely."""
        return math.exp(self.centre)

    def interval(self, probability: float) -> tuple[float, float]:
        """The final error lies between these two with such a probability, as far as the line holds."""
        reach = self.spread * student_t_quantile((1 + probability) / 2, self.degrees)
        return math.exp(self.centre - reach), math.exp(self.centre + reach)

    def chance_below(self, error: float) -> float:
        """The probability of a final error below this one, 0 to 1."""
        if error <= 0:
            return 0.0
        if math.isinf(error):
            return 1.0
        return student_t_probability((math.log(error) - self.centre) / self.spread, self.degrees)


def forecast(
    errors: Values, costs: Values, final_errors: Values, error: float, own_costs: Values
) -> Forecast | None:
    """The final error of a training from its error now; None while too few have ended to fit a line.

    Args:
        errors: float (n,), those of the trainings that ended, after as many epochs as this one has; positive.
        costs: float (n, k), what each costs (parameters, multiply-adds, bytes), positive; k may be 0.
        final_errors: float (n,), their errors after the last epoch; positive.
        error: of the training, now; positive.
        own_costs: float (k,), what it costs.
    """
    known = np.column_stack([np.log(errors), np.log(costs)])
    asked = np.concatenate([[math.log(error)], np.log(own_costs)])
    count, features = known.shape
    degrees = count - features - 1
    if degrees < LEAST_DEGREES:
        return None
    middle, scale = known.mean(axis=0), known.std(axis=0)
    scale[scale == 0] = 1.0
    known, asked = (known - middle) / scale, (asked - middle) / scale
    logs = np.log(final_errors)
    precision = known.T @ known + RIDGE * np.eye(features)
    slopes = np.linalg.solve(precision, known.T @ (logs - logs.mean()))
    missed = logs - logs.mean() - known @ slopes
    variance = max(float(missed @ missed) / degrees, FLOOR**2)
    leverage = 1 / count + float(asked @ np.linalg.solve(precision, asked))
    return Forecast(float(logs.mean() + asked @ slopes), math.sqrt(variance * (1 + leverage)), degrees)
