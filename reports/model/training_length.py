"""How long the networks in the chart of the front were trained, and how often: what their errors are errors of."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.formatting import span
from reports.model.trials import FrontSummary, Trial


@dataclass(frozen=True)
class TrainingLength:
    """The lengths of trainings, in words.

    Attributes:
        searched: Of the search's own trainings, one of each network, such as "6 epochs"; empty without a trial.
        confirmed: Of those that confirm a network, such as "24 epochs"; empty where none does.
        trainings: How many confirm each network, such as "3"; empty where none does.
    """

    searched: str
    confirmed: str = ""
    trainings: str = ""

    @property
    def title(self) -> str:
        """The title of the axis of errors, without its unit; with the length where all have the same."""
        same = self.searched and self.confirmed in ("", self.searched)
        return f"validation MAE after {self.searched}" if same else "validation MAE"

    @property
    def once(self) -> str:
        """What the error of a network that was not confirmed is of."""
        return f"one training of {self.searched}"

    @property
    def again(self) -> str:
        """What the error of a confirmed network is of; empty where none is confirmed."""
        if not self.confirmed:
            return ""
        return f"mean of {self.trainings} training{'' if self.trainings == '1' else 's'} of {self.confirmed}"


def training_length(summary: FrontSummary) -> TrainingLength:
    """Return the lengths of the trainings whose errors the chart of the front draws."""
    finished = [trial for trial in summary.trials if trial.finished]
    searched = _epochs(trial.recipe.epochs for trial in finished or summary.trials)
    if finished and all(trial.slice_of for trial in finished):
        searched += " from a slice"
    again = [t.confirmed for t in summary.trials if is_confirmed(t) and t.confirmed]
    if not again:
        return TrainingLength(searched)
    confirmed = _epochs(t.epochs_run for one in again for t in one.trainings if t.finished)
    if all(t.slice_of for one in again for t in one.trainings if t.finished):
        confirmed += " from a slice"
    return TrainingLength(searched, confirmed, span(sorted({len(one.errors) for one in again})))


def is_confirmed(trial: Trial) -> bool:
    """Whether the error of a trial is a mean over confirming trainings."""
    return bool(trial.confirmed and trial.confirmed.errors)


def _epochs(numbers: Iterable[int]) -> str:
    """Return one number of epochs, or the least to the most; empty without one."""
    found = sorted(set(numbers))
    return f"{span(found)} epoch{'' if found == [1] else 's'}" if found else ""
