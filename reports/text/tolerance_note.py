"""What ``suite report --tolerance`` prints of a run that the tolerance changes nothing of."""

from reports.model.trials import summarise
from reports.model.within_tolerance import verdict
from suite.runs.tables import Run


def tolerance_note(run: Run) -> str:
    """Return that a tolerance has no effect on a run, and why; empty where it has one."""
    summary = summarise(run)
    if verdict(summary, run.info.unit) is not None:
        return ""
    if summary.is_confirmed:
        return "--tolerance has no effect: too few confirmed networks of this run can be compared"
    return "--tolerance has no effect: no network of this run is confirmed, so there is no best to be behind"
