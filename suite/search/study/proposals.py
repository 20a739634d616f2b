"""The trials of a search, proposed by its Optuna study."""

import optuna

from suite.runs.tables import trial_row
from suite.search.bounds import MOST_IN_A_ROW
from suite.search.costs import describe_excesses, relative_excesses
from suite.search.parents import parent_of_trials
from suite.search.proposals import Proposal
from suite.search.sharing.elastic_training import slice_for
from suite.search.study.parameters import config_at
from suite.search.study.repeats import tell_repeat, trained_before
from suite.search.study.results import error_excesses, results_known, tell, tell_out_of_bounds, trial_id
from suite.search.study.study import ask, resume_suggestion, running_trials
from suite.search.trial_factory import TrialFactory
from suite.training.weight_files import pin_weight_files
from suite.trial import TrialResult

#: After so many repeats in a row the sampler is taken to be stuck, and suggestions are drawn at random.
AT_RANDOM_AFTER = 10


class StudyProposals:
    """Proposes what a study suggests, except suggestions that are out of bounds or already trained.

    Attributes:
        repeats_in_a_row: Suggestions since the last trial that had been trained before.
    """

    def __init__(self, study: optuna.Study, trials: TrialFactory) -> None:
        self.study = study
        self.trials = trials
        self.repeats_in_a_row = 0
        self._rejected_in_a_row = 0
        self._left_running = running_trials(study)  # by an earlier session
        self._suggestions: dict[str, optuna.Trial] = {}  # by id, of the trials that have not ended

    @property
    def exhausted(self) -> bool:
        """Whether the last ``MOST_IN_A_ROW`` suggestions were all out of bounds or trained before."""
        return self._rejected_in_a_row >= MOST_IN_A_ROW

    def propose(self) -> Proposal | None:
        """Return the next trial; None where it is out of bounds or known, which the study is notified of."""
        suggestion, trials_known = self._suggest()
        space = self.trials.space
        config = pin_weight_files(config_at(self.trials, suggestion.params))
        bounds = space.bounds.on_costs()
        excesses = relative_excesses(config, bounds)
        for name, excess in excesses.items():
            suggestion.set_constraint(name, excess)
        if any(excess > 0 for excess in excesses.values()):
            self._rejected_in_a_row += 1
            tell_out_of_bounds(self.study, suggestion, describe_excesses(config, bounds))
            return None
        earlier = trained_before(self.study, suggestion.params, suggestion.number)
        if earlier is not None:
            self._rejected_in_a_row += 1
            self.repeats_in_a_row += 1
            tell_repeat(self.study, suggestion, earlier, trial_id(earlier.number))
            return None
        self._rejected_in_a_row = self.repeats_in_a_row = 0
        name = trial_id(suggestion.number)
        self._suggestions[name] = suggestion
        return Proposal(
            name,
            config,
            parent=parent_of_trials(space),
            slice_of=slice_for(space, space.seed),
            trials_known=trials_known,
        )

    def before_row(self, result: TrialResult) -> None:
        """Note how a trial ended. This syncs the study's journal, so no row on disk lacks its suggestion."""
        suggestion = self._suggestions[result.id]
        known = suggestion.constraints  # of a driver that was killed before it wrote the row
        for name, excess in error_excesses(trial_row(result), self.trials.space.bounds).items():
            if name not in known:
                suggestion.set_constraint(name, excess)
        if result.status != "finished":
            suggestion.set_user_attr("cause", result.cause)
        suggestion.set_user_attr("status", result.status)

    def after_row(self, result: TrialResult) -> None:
        """Report the result of a trial to the sampler."""
        tell(self.study, self._suggestions.pop(result.id), trial_row(result))

    def _suggest(self) -> tuple[optuna.Trial, int]:
        """Return a suggestion and the results that the sampler had then; first those of an earlier session."""
        if self._left_running:
            left = self._left_running.pop(0)
            suggestion = resume_suggestion(self.study, self.trials.space, left)
            return suggestion, results_known(self.study, left.datetime_start)
        trials_known = results_known(self.study)
        is_stuck = self.repeats_in_a_row >= AT_RANDOM_AFTER
        return ask(self.study, self.trials.space, at_random=is_stuck), trials_known
