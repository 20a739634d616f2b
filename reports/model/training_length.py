"""How long the networks in the chart of the front were trained, and how often: what their errors are errors of."""

from collections.abc import Iterable
from dataclasses import dataclass

from reports.formatting import span
from reports.model.trials import FrontSummary, Trial

_FROM_SLICE = {True: " from a slice", False: ""}


@dataclass(frozen=True)
class TrainingLength:
    """The lengths of trainings, in words.

    Attributes:
        searched: Of the search's own trainings, one of each network, such as "6 epochs"; empty without a trial.
        confirmed: Of those that confirm a network, such as "24 epochs"; empty where none does.
        trainings: How many confirm each network, such as "3"; empty where none does.
        from_slices: Whether the search's trainings all start from slices of an elastic network.
        confirmed_from_slices: Whether those that confirm do.
    """

    searched: str
    confirmed: str = ""
    trainings: str = ""
    from_slices: bool = False
    confirmed_from_slices: bool = False

    @property
    def title(self) -> str:
        """The title of the axis of errors, without its unit; with the length where all have the same."""
        same = self.searched and self.confirmed in ("", self.searched)
        return f"validation MAE after {self.searched}" if same else "validation MAE"

    @property
    def is_longer(self) -> bool:
        """Whether what confirms was trained for other numbers of epochs than the trials of the search."""
        return self.confirmed not in ("", self.searched)

    @property
    def once(self) -> str:
        """What the error of a network that was not confirmed is of."""
        return f"one training of {self.searched}{_FROM_SLICE[self.from_slices]}"

    @property
    def again(self) -> str:
        """What the error of a confirmed network is of; empty where none is confirmed."""
        if not self.confirmed:
            return ""
        length = f"{self.confirmed}{_FROM_SLICE[self.confirmed_from_slices]}"
        return f"mean of {self.trainings} training{'' if self.trainings == '1' else 's'} of {length}"


def training_length(summary: FrontSummary) -> TrainingLength:
    """Return the lengths of the trainings whose errors the chart of the front draws."""
    finished = [trial for trial in summary.trials if trial.finished]
    again = [t.confirmed for t in finished if is_confirmed(t) and t.confirmed]
    trainings = [training for one in again for training in one.trainings if training.finished]
    return TrainingLength(
        searched=epochs_in_words(trial.recipe.epochs for trial in finished or summary.trials),
        confirmed=epochs_in_words(training.epochs_run for training in trainings),
        trainings=span(sorted({len(one.errors) for one in again})) if again else "",
        from_slices=bool(finished) and all(trial.slice_of for trial in finished),
        confirmed_from_slices=bool(trainings) and all(training.slice_of for training in trainings),
    )


def is_confirmed(trial: Trial) -> bool:
    """Whether the error of a trial is a mean over confirming trainings."""
    return bool(trial.confirmed and trial.confirmed.errors)


def epochs_in_words(numbers: Iterable[int]) -> str:
    """Return one number of epochs, or the least to the most; empty without one."""
    found = sorted(set(numbers))
    return f"{span(found)} epoch{'' if found == [1] else 's'}" if found else ""
