"""The lines above a run's report: how the run ended, and that the page is being updated."""

from markupsafe import Markup

from reports import formatting
from reports.html.templating import render
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo


def banner(info: RunInfo, summary: FrontSummary) -> Markup:
    """Render a warning for a run that has not finished; empty for one that has."""
    done = f"{len(summary.trials):,} of {info.trials_asked:,} trials have ended"
    if again := sum(len(confirmed.trainings) for confirmed in summary.confirmations.values()):
        done += f", and {formatting.count(again, 'training')} that confirm the front"
    texts = {
        # run.json says "running" of a run that was killed, too.
        "running": f"This run had not ended when the report was written (running, or killed): {done}.",
        "interrupted": f"This run was interrupted: {done}. What is shown is what had ended by then.",
        "failed": f"This run failed: {done}. What is shown is what had ended by then.",
    }
    text = texts.get(info.status, "")
    if info.ended_early:
        text = f"{text} {info.ended_early}.".strip()
    if text and not summary.timed_at:
        text += " Speed has not been measured; it is taken after the last trial."
    return render("banner", text=text)


def follow(refresh: float) -> Markup:
    """Render the note that the page is updated every ``refresh`` seconds; empty if 0."""
    return render("follow", seconds=f"{refresh:g}" if refresh else "")
