"""The sections of the page as HTML. Whatever comes from a run passes through ``escape`` here."""

import shlex
from collections import Counter
from html import escape

import yaml

from reports import numerals
from reports.confirmation import Training
from reports.markup import count, definitions, mae, mapping, plain
from reports.published import published
from reports.timing import conditions
from reports.trials import Standing, Trial, reference
from reports.volume import volume
from suite.runs import RunInfo


def banner(info: RunInfo, standing: Standing) -> str:
    """What a reader must know first of a run that did not end as it should; empty for one that did."""
    done = f"{len(standing.trials)} of {info.trials_asked} trials have ended"
    if again := sum(len(confirmed.trainings) for confirmed in standing.confirmations.values()):
        done += f", and {count(again, 'training')} that confirm the front"
    texts = {
        # run.json says "running" of a run that was killed, too.
        "running": f"This run had not ended when the report was written (running, or killed): {done}.",
        "interrupted": f"This run was interrupted: {done}. What is shown is what had ended by then.",
        "failed": f"This run failed: {done}. What is shown is what had ended by then.",
    }
    text = texts.get(info.status, "")
    if info.ended_early:
        text = f"{text} {info.ended_early}.".strip()
    if text and not standing.timed_at:
        text += " Speed has not been measured; it is taken after the last trial."
    return f'<p class="banner" role="status">{escape(text)}</p>' if text else ""


def answer(info: RunInfo, standing: Standing) -> str:
    """The result in a sentence, then a tile for the best, the knee and the smallest of the front."""
    best, smallest = standing.best, standing.smallest
    if best is None or smallest is None:
        return '<p class="lead">No trial has finished, so there is no front.</p>'
    lead = (
        f"The most accurate of {count(standing.count('finished'), 'finished trial')} is "
        f"<b>{escape(best.id)}</b>, with a validation MAE of <b>{mae(best.error, info)}</b>"
        f"{_over_seeds(best)} and {numerals.quantity(best.params)} parameters, {_against(best, info)}"
    )
    if standing.knee and standing.knee.id == best.id:
        lead += "; it is also the knee of the front"
    elif standing.knee:
        knee = standing.knee
        lead += f"; the knee of the front is <b>{escape(knee.id)}</b> ({_short(knee, info)})"
    if smallest.id != best.id:
        lead += f"; its smallest member is <b>{escape(smallest.id)}</b> ({_short(smallest, info)})"
    titles: dict[str, list[str]] = {}
    chosen = {"lowest error": best, "knee": standing.knee, "smallest": smallest}
    for title, trial in chosen.items():
        if trial:
            titles.setdefault(trial.id, []).append(title)
    by_id = {trial.id: trial for trial in standing.trials}
    tiles = "".join(_tile(" and ".join(names), by_id[id_], info) for id_, names in titles.items())
    return f'<p class="lead">{lead}.</p>{_sobering(best, info)}<div class="tiles">{tiles}</div>'


def chart_note(info: RunInfo, standing: Standing) -> str:
    """What the charts leave out, and why the paper's marks have an axis of their own."""
    words = {"stopped": "stopped early", "diverged": "diverged", "failed": "failed"}
    missing = " and ".join(f"{standing.count(s)} {word}" for s, word in words.items() if standing.count(s))
    missing = f" Not drawn, as they did not train to their end: {missing}." if missing else ""
    untimed = sum(t.finished and not t.timing.known for t in standing.trials)
    speed = f" Not timed, so not in the speed chart: {count(untimed, 'finished trial')}." if untimed else ""
    objectives = ", ".join(escape("validation MAE" if o == "val_mae" else o) for o in info.objectives)
    return (
        f"<p>Blue trials are on the front over {objectives}: no other {_rivals(standing)} is as good in all "
        f"of them and better in one.{_by_confirmed_means(standing)} The line joins those that are unbeaten "
        f"in the two quantities of its chart."
        f"{missing}{speed}{_hypervolume(info, standing)}</p>"
        f"<p><b>Hollow diamonds are the paper's figures, not measured here.</b> {_published_data(info)} "
        f"Their errors are not comparable with this run's, so they have an axis of their own; dotted lines "
        f"carry their exact sizes (in the speed chart, VGG-16's 1{numerals.TIMES}) down to the trials. "
        f"Their speed-ups are the published ones, of a GPU of 2018 at 224 px and batch 32"
        f"{_measured(info, standing)}.{_uncounted(info, standing)}</p>"
    )


def failures(standing: Standing) -> str:
    """Trials without a result, each with its cause."""
    stopped = standing.count("stopped")
    early = f"<p>{_stopped_early(standing)}</p>" if stopped else ""
    again = [t for confirmed in standing.confirmations.values() for t in confirmed.trainings]
    ended: tuple[Trial | Training, ...] = (*standing.trials, *again)
    lost = [trial for trial in ended if not trial.finished and trial.status != "stopped"]
    if not lost:
        others = "other " if stopped else ""
        return f"{early}<p>None: every {others}trial that ended, finished.</p>"
    items = "".join(
        f"<li><b>{escape(trial.id)}</b> {escape(trial.status)} after {count(trial.epochs_run, 'epoch')}: "
        f"{escape(trial.cause or 'no cause was recorded')}</li>"
        for trial in lost
    )
    return f"{early}<ul>{items}</ul>"


def provenance(info: RunInfo) -> str:
    """Everything needed to repeat the run."""
    versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
    rows = [
        ("Command", f"<code>{escape(shlex.join(info.command))}</code>"),
        ("Started", escape(info.started)),
        ("Ended", escape(info.ended or "no end recorded")),
        ("Wall time", numerals.duration(info.seconds)),
        ("Git revision", f"<code>{escape(info.git_revision or 'none: not run from a checkout')}</code>"),
        ("Versions", escape(versions)),
        ("Hardware", mapping(info.hardware)),
        ("Latency", mapping(info.latency) if info.latency else "not measured"),
        ("Data fingerprint", f"<code>{escape(info.data.fingerprint)}</code>"),
        ("Data folder", f"<code>{escape(info.data.folder)}</code>"),
        ("Search file", f"<code>{escape(info.search_file)}</code>"),
        ("Seed", str(info.seed)),
        ("Schema version", str(info.schema_version)),
    ]
    space = yaml.safe_dump(plain(info.search), sort_keys=False, allow_unicode=True, default_flow_style=None)
    return f"{definitions(rows)}<h3>Search space, as resolved</h3><pre>{escape(space)}</pre>"


# --- pieces -----------------------------------------------------------------------------------------


def _stopped_early(standing: Standing) -> str:
    """How many trials a rung stopped after which epochs; why each was is in the table of trials."""
    stopped = [trial for trial in standing.trials if trial.status == "stopped"]
    at = Counter(trial.epochs_run for trial in stopped)
    rungs = ", ".join(f"{at[epoch]} after epoch {epoch}" for epoch in sorted(at))
    return (
        f"{count(len(stopped), 'trial')} stopped early, as the search space asks ({rungs}): the table of "
        "trials has the place that each had among those that had come as far. Their errors are those of a "
        "training cut short, so none is on the front."
    )


def _short(trial: Trial, info: RunInfo) -> str:
    return f"{mae(trial.error, info)}, {numerals.quantity(trial.params)} parameters"


def _over_seeds(trial: Trial) -> str:
    """What the error is a mean of, where it is one."""
    if not trial.confirmed or not trial.confirmed.errors:
        return ""
    return f" (confirmed: the mean of {count(len(trial.confirmed.errors), 'new seed')})"


def _against(trial: Trial, info: RunInfo) -> str:
    """How many times fewer parameters than VGG-16 and TinyAgeNet, both counted exactly."""
    parts = []
    for key in ("vgg16", "tiny"):
        if (network := reference(info, key)) is None or not trial.params > 0:
            continue
        name = published().networks[key].name
        factor = network.params / trial.params
        if network.params == trial.params:
            parts.append(f"exactly as many as {name}")
        elif factor >= 1:
            parts.append(f"{numerals.ratio(factor)} fewer than {name}")
        else:
            parts.append(f"{numerals.ratio(1 / factor)} as many as {name}")
    return " and ".join(parts) or "with no reference counted"


def _sobering(best: Trial, info: RunInfo) -> str:
    if not best.error >= info.data.constant_val_mae:
        return ""
    return (
        f'<p class="banner">No trial does better than a constant: predicting the median training label is '
        f"off by {mae(info.data.constant_val_mae, info)}.</p>"
    )


def _tile(title: str, trial: Trial, info: RunInfo) -> str:
    lines = [escape(line) for line in trial.design]
    if trial.timing.known:
        speed = numerals.ratio(trial.timing.speedup.value)
        lines.append(f"{speed} as fast as VGG-16, {numerals.digits(trial.timing.ms)}\u00a0ms an image")
        lines.append(f"at {escape(conditions(info, (trial.timing.side,)))}")
    return (
        f'<div class="tile"><h3>{title}</h3><p class="figure">{mae(trial.error, info)}</p>'
        f"<p><b>{escape(trial.id)}</b>, {numerals.quantity(trial.params)} parameters, "
        f"{numerals.quantity(trial.bytes, 'B')}<br>{'<br>'.join(lines)}</p></div>"
    )


def _hypervolume(info: RunInfo, standing: Standing) -> str:
    """The front as one number; empty where it has none."""
    front = volume(info, standing)
    if front is None:
        return ""
    sizes = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes on disk"}
    tiny = ", ".join(
        f"{numerals.quantity(value)} {sizes[name]}" for name, value in front.corner.items() if name in sizes
    )
    error = f"a constant's error of {mae(front.corner['val_mae'], info)}" if "val_mae" in front.corner else ""
    point = ", and ".join(filter(None, (error, f"TinyAgeNet's {tiny}" if tiny else "")))
    return (
        f" Hypervolume of the front: <b>{front.share:.3f}</b> of the box between zero and the reference "
        f"point ({point}). Larger is better; it compares with runs on the same data at the same resolution."
    )


def _rivals(standing: Standing) -> str:
    return "confirmed trial" if standing.is_confirmed else "finished trial"


def _by_confirmed_means(standing: Standing) -> str:
    """That the chart has errors of two kinds, where the front was trained again."""
    if not standing.is_confirmed:
        return ""
    return (
        " What was on the search's front is drawn at its <b>confirmed mean</b>, with its 95 % interval over "
        "seeds; all else at the error of its one training in the search, so that a lucky one may lie below "
        "the line."
    )


def _measured(info: RunInfo, standing: Standing) -> str:
    """How the trials' speed was measured, for the contrast."""
    if not standing.timed_at:
        return ""
    under = escape(conditions(info, standing.timed_at))
    return f"; the trials' were measured here, at {under}, and the latencies below them are of one image"


def _uncounted(info: RunInfo, standing: Standing) -> str:
    if standing.resolutions == (info.resolution,):
        return ""
    return " The chart of multiply-adds has none of these marks, as the trials' resolutions differ."


def _published_data(info: RunInfo) -> str:
    if info.attribute == "age":
        return (
            "They are MAEs on ChaLearn15: photographs of real people, at 224 px. VGG-16's are those of DEX, "
            'without and with external training data ("ext.").'
        )
    return "They are MAEs on SCUT-FBP5500: photographs of real people. None is published there for VGG-16."
