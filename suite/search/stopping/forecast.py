"""The final error of a running training, forecast from the trainings that have ended; pure functions.

The logarithm of the final error is modelled as linear in the logarithms of the error so far and of the costs,
fitted by least squares to the trainings that ran to their end (learning curves extrapolated by regression, as
Baker and others 2017 do). Each epoch has a fit of its own. An epoch whose errors say nothing yet, as under the
high learning rate of a one-cycle schedule, gives a forecast no narrower than the spread of the final errors.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from suite.statistics.student_t import student_t_probability, student_t_quantile

Values = npt.NDArray[np.float64]

#: Degrees of freedom that a fit must leave; with fewer there is no forecast.
LEAST_DEGREES = 3
#: Weight of the prior that no feature matters, in trainings; it stabilises the fit where features hardly vary.
RIDGE = 0.1
#: Smallest relative spread of a forecast, so that equal results leave a spread to divide by.
FLOOR = 1e-3


@dataclass(frozen=True)
class Forecast:
    """The distribution of a final error: Student's t on its logarithm."""

    centre: float  # of the logarithm
    spread: float
    degrees: int

    @property
    def median(self) -> float:
        """The final error with half of the probability below it."""
        return math.exp(self.centre)

    def interval(self, probability: float) -> tuple[float, float]:
        """Return the central interval that holds the final error with a probability (0..1)."""
        reach = self.spread * student_t_quantile((1 + probability) / 2, self.degrees)
        return math.exp(self.centre - reach), math.exp(self.centre + reach)

    def chance_below(self, error: float) -> float:
        """Return the probability (0..1) of a final error below ``error``."""
        if error <= 0:
            return 0.0
        if math.isinf(error):
            return 1.0
        return student_t_probability((math.log(error) - self.centre) / self.spread, self.degrees)


def forecast(
    errors: Values, costs: Values, final_errors: Values, error: float, own_costs: Values
) -> Forecast | None:
    """Forecast the final error of a training from its error so far.

    Args:
        errors: float (n,), of the ended trainings, after as many epochs as this one has; positive.
        costs: float (n, k), of the ended trainings (parameters, multiply-adds, bytes), positive; k may be 0.
        final_errors: float (n,), of the ended trainings, after their last epoch; positive.
        error: Of this training so far; positive.
        own_costs: float (k,), of this training.

    Returns:
        The forecast; None where too few trainings have ended for a fit.
    """
    features = np.column_stack([np.log(errors), np.log(costs)])
    own_features = np.concatenate([[math.log(error)], np.log(own_costs)])
    count, width = features.shape
    degrees = count - width - 1
    if degrees < LEAST_DEGREES:
        return None
    centre, scale = features.mean(axis=0), features.std(axis=0)
    scale[scale == 0] = 1.0
    features, own_features = (features - centre) / scale, (own_features - centre) / scale
    logs = np.log(final_errors)
    precision = features.T @ features + RIDGE * np.eye(width)
    slopes = np.linalg.solve(precision, features.T @ (logs - logs.mean()))
    residuals = logs - logs.mean() - features @ slopes
    variance = max(float(residuals @ residuals) / degrees, FLOOR**2)
    leverage = 1 / count + float(own_features @ np.linalg.solve(precision, own_features))
    return Forecast(float(logs.mean() + own_features @ slopes), math.sqrt(variance * (1 + leverage)), degrees)
