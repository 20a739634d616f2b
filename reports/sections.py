"""The sections of the page as HTML. Whatever comes from a run passes through ``escape`` here."""

import math
import shlex
from collections.abc import Mapping
from html import escape
from statistics import median
from typing import Any

import yaml

from reports import numerals
from reports.markup import count, definitions, inline, mae, mapping, plain, sizes
from reports.published import published
from reports.trials import Standing, Trial, reference
from suite.runs import RunInfo

PAPER_RESOLUTION = 224


def banner(info: RunInfo, standing: Standing) -> str:
    """What a reader must know first of a run that did not end as it should; empty for one that did."""
    done = f"{len(standing.trials)} of {info.trials_asked} trials have ended"
    texts = {
        "running": f"This run was still running when the report was written: {done}.",
        "interrupted": f"This run was interrupted: {done}. What is shown is what had ended by then.",
        "failed": f"This run failed: {done}. What is shown is what had ended by then.",
    }
    text = texts.get(info.status, "")
    timed = any(math.isfinite(trial.speedup.value) for trial in standing.trials)
    if text and not timed:
        text += " Speed has not been measured; it is taken after the last trial."
    return f'<p class="banner" role="status">{escape(text)}</p>' if text else ""


def answer(info: RunInfo, standing: Standing) -> str:
    """The result in a sentence, then a tile for the best, the knee and the smallest of the front."""
    best, smallest = standing.best, standing.smallest
    if best is None or smallest is None:
        return '<p class="lead">No trial has finished, so there is no front.</p>'
    lead = (
        f"The most accurate of {count(standing.count('finished'), 'finished trial')} is "
        f"<b>{escape(best.id)}</b>, with a validation MAE of <b>{mae(best.val_mae, info)}</b> and "
        f"{numerals.quantity(best.params)} parameters, {_against(best, info)}"
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
    by_id = {trial.id: trial for trial in standing.front}
    tiles = "".join(_tile(" and ".join(names), by_id[id_], info) for id_, names in titles.items())
    return f'<p class="lead">{lead}.</p>{_sobering(best, info)}<div class="tiles">{tiles}</div>'


def asked(info: RunInfo, standing: Standing) -> str:
    """What the run was asked to do and on what, with every way in which it fell short of the full task."""
    data, search = info.data, info.search
    vary: Mapping[str, Any] = search.get("vary") or {}
    known = [trial.trials_known for trial in standing.trials if math.isfinite(trial.trials_known)]
    informed = f"; it knew {median(known):.0f} results when it suggested a trial (median)" if known else ""
    objectives = ", ".join(f"validation MAE ({info.unit})" if o == "val_mae" else o for o in info.objectives)
    name = str(search.get("name") or info.search_file)
    rows = [
        ("Search", escape(f"{name}: {search.get('description') or ''}".removesuffix(": "))),
        ("Objectives", escape(objectives) + ", all minimised"),
        ("Varied", f"{count(len(vary), 'dimension')}{_dimensions(vary)}"),
    ]
    right = [
        ("Trials", _ended(info, standing)),
        ("Sampler", f"{escape(inline(search.get('sampler', 'not recorded')))}{informed}"),
        ("Seed", f"{info.seed}; {info.max_concurrent} trials at a time"),
        ("Data", f"<b>{escape(data.name)}</b>: {escape(data.origin)}"),
        ("Attribute", f"{escape(info.attribute)}, in {info.unit}"),
        ("Images", _images(info)),
        ("Protocol", escape(data.protocol)),
        ("A constant", f"predicting the median training label is off by {mae(data.constant_val_mae, info)}"),
    ]
    notes = "".join(f"<li>{note}</li>" for note in limits(info))
    both = f'<div class="pair">{definitions(rows)}{definitions(right)}</div>'
    return f'{both}<h3>Read it with this in mind</h3><ul class="notes">{notes}</ul>'


def limits(info: RunInfo) -> list[str]:
    """Plain sentences, as HTML, on what keeps the numbers from being the last word."""
    data = info.data
    notes = []
    if info.resolution < data.side:
        notes.append(
            f"Trials train and are validated at <b>{info.resolution} px</b>; "
            f"the images are stored at {data.side} px."
        )
    if info.resolution < PAPER_RESOLUTION:
        notes.append(f"The paper works at {PAPER_RESOLUTION} px; this run at {info.resolution} px.")
    if data.train_images < data.train_images_stored:
        share = data.train_images / data.train_images_stored
        notes.append(
            f"Every trial trains on <b>{data.train_images:,} of {data.train_images_stored:,}</b> "
            f"training images ({share:.0%}), the same ones."
        )
    if data.skipped:
        notes.append(
            f"<b>{count(data.skipped, 'image')}</b> of the source could not be read and "
            f"{'was' if data.skipped == 1 else 'were'} skipped."
        )
    if info.search.get("seeds", 1) > 1:
        return [*notes, "The front and the answer above use validation errors only."]
    notes.append(
        "Each point is <b>one training with one seed</b>, so there is no interval: small differences "
        "between trials may be chance. The front and the answer above use validation errors only."
    )
    return notes


def chart_note(info: RunInfo, standing: Standing) -> str:
    """What the charts leave out, and why the paper's marks have an axis of their own."""
    lost = [(standing.count("diverged"), "diverged"), (standing.count("failed"), "failed")]
    missing = " and ".join(f"{n} {word}" for n, word in lost if n)
    missing = f" Not drawn, as they have no result: {missing}." if missing else ""
    untimed = sum(t.finished and not math.isfinite(t.speedup.value) for t in standing.trials)
    speed = f" Not timed, so not in the speed chart: {count(untimed, 'finished trial')}." if untimed else ""
    objectives = ", ".join(escape("validation MAE" if o == "val_mae" else o) for o in info.objectives)
    return (
        f"<p>Blue trials are on the front over {objectives}: no other finished trial is as good in all of "
        f"them and better in one. The line joins those that are unbeaten in the two quantities of its chart."
        f"{missing}{speed}</p>"
        f"<p><b>Hollow diamonds are the paper's figures, not measured here.</b> {_published_data(info)} "
        f"Their errors are not comparable with this run's, so they have an axis of their own; dotted lines "
        f"carry their exact sizes (in the speed chart, VGG-16's 1{numerals.TIMES}) down to the trials. "
        f"Their speed-ups are the published ones, of a GPU of 2018 at batch 32.</p>"
    )


def failures(standing: Standing) -> str:
    """Trials without a result, each with its cause."""
    lost = [trial for trial in standing.trials if not trial.finished]
    if not lost:
        return "<p>None: every trial that ended, finished.</p>"
    items = "".join(
        f"<li><b>{escape(trial.id)}</b> {escape(trial.status)} after {count(trial.epochs_run, 'epoch')}: "
        f"{escape(trial.cause or 'no cause was recorded')}</li>"
        for trial in lost
    )
    return f"<ul>{items}</ul>"


def provenance(info: RunInfo) -> str:
    """Everything needed to repeat the run."""
    versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
    rows = [
        ("Command", f"<code>{escape(shlex.join(info.command))}</code>"),
        ("Started", escape(info.started)),
        ("Ended", escape(info.ended or "not yet")),
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


def _short(trial: Trial, info: RunInfo) -> str:
    return f"{mae(trial.val_mae, info)}, {numerals.quantity(trial.params)} parameters"


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
    if not best.val_mae >= info.data.constant_val_mae:
        return ""
    return (
        f'<p class="banner">No trial does better than a constant: predicting the median training label is '
        f"off by {mae(info.data.constant_val_mae, info)}.</p>"
    )


def _tile(title: str, trial: Trial, info: RunInfo) -> str:
    speed = ""
    if math.isfinite(trial.speedup.value):
        speed = f"<br>{numerals.ratio(trial.speedup.value)} as fast as VGG-16 at {info.resolution}\u00a0px"
    return (
        f'<div class="tile"><h3>{title}</h3><p class="figure">{mae(trial.val_mae, info)}</p>'
        f"<p><b>{escape(trial.id)}</b>, {numerals.quantity(trial.params)} parameters, "
        f"{numerals.quantity(trial.bytes, 'B')}<br>widths {sizes(trial.widths)}"
        f"<br>depths {sizes(trial.depths)}{speed}</p></div>"
    )


def _ended(info: RunInfo, standing: Standing) -> str:
    counts = ", ".join(f"{standing.count(s)} {s}" for s in ("finished", "diverged", "failed"))
    asked_for = f"{len(standing.trials)} of {info.trials_asked} asked for"
    return f"{asked_for}: {counts}; {len(standing.front)} on the front"


def _images(info: RunInfo) -> str:
    data = info.data
    return (
        f"{data.train_images:,} for training, {data.val_images:,} for validation, "
        f"{data.test_images:,} for the test; {info.resolution}\u00a0px a side"
    )


def _dimensions(vary: Mapping[str, Any]) -> str:
    items = "".join(
        f"<li><code>{escape(str(name))}</code> {escape(inline(over))}</li>" for name, over in vary.items()
    )
    return f'<ul class="plain">{items}</ul>' if items else ""


def _published_data(info: RunInfo) -> str:
    if info.attribute == "age":
        return (
            "They are MAEs on ChaLearn15: photographs of real people, at 224 px. VGG-16's are those of DEX, "
            'without and with external training data ("ext.").'
        )
    return "They are MAEs on SCUT-FBP5500: photographs of real people. None is published there for VGG-16."
