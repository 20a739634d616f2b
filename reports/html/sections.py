"""The sections of the page as HTML. Whatever comes from a run passes through ``escape`` here."""

import shlex
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import yaml

from reports import formatting
from reports.html.markup import count, definitions, mae, mapping, plain
from reports.model.hypervolume import volume
from reports.model.timing import conditions
from reports.model.trials import FrontSummary
from suite.runs.info import RunInfo


def banner(info: RunInfo, summary: FrontSummary) -> str:
    """What a reader must know first of a run that did not end as it should; empty for one that did."""
    done = f"{len(summary.trials):,} of {info.trials_asked:,} trials have ended"
    if again := sum(len(confirmed.trainings) for confirmed in summary.confirmations.values()):
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
    if text and not summary.timed_at:
        text += " Speed has not been measured; it is taken after the last trial."
    return f'<p class="banner" role="status">{escape(text)}</p>' if text else ""


def follow(refresh: float) -> str:
    """The line of a page that is written again while its run goes on; empty where it is not."""
    if not refresh:
        return ""
    return (
        f'<p id="follow" class="soft" data-seconds="{refresh:g}" hidden>Written again while the run goes on; '
        f"the page takes the new one every {refresh:g} seconds. "
        '<label><input type="checkbox"> hold this one</label></p>'
    )


def axes(offered: Sequence[Mapping[str, Any]]) -> str:
    """The switch of the front's horizontal axis; hidden until the script that draws it runs."""
    radios = "".join(
        f'<label><input type="radio" name="x" value="{axis["column"]}"> {axis["name"]}</label>'
        for axis in offered
    )
    return f'<fieldset id="axes" hidden><legend>Validation MAE against</legend>{radios}</fieldset>'


def legend(summary: FrontSummary) -> str:
    """What the marks of the front's chart stand for, of those that it has."""
    items = ['<li><span class="mark front"></span>on the front</li>']
    if summary.count("finished") > len(summary.front):
        items.append('<li><span class="mark others"></span>dominated</li>')
    if summary.count("stopped"):
        items.append('<li><span class="mark cut">\u00d7</span>stopped early</li>')
    if any(trial.is_tiny for trial in summary.trials):
        items.append('<li><span class="mark tiny"></span>TinyAgeNet\'s architecture, trained here</li>')
    shapes = {"pruned": "\u25bc", "int8": "\u25a0", "distilled": "\u25b2"}
    items += [
        f'<li><span class="mark made">{shapes.get(stage, chr(0x2B22))}</span>{escape(stage)}, a dashed line '
        "to its parent</li>"
        for stage in dict.fromkeys(trial.stage for trial in summary.compressed)
    ]
    if summary.parent:
        mark = '<span class="mark made">\u2b1f</span>'
        items.append(f"<li>{mark}parent, which the search pruned, a dashed line from each of the front</li>")
    items.append(
        '<li class="published"><span class="mark diamond">\u25c7</span>published, not measured here</li>'
    )
    return f'<ul class="legend" aria-label="Legend">{"".join(items)}</ul>'


def chart_note(info: RunInfo, summary: FrontSummary) -> str:
    """What the chart leaves out, and why the paper's marks have an axis of their own."""
    words = {"diverged": "diverged", "failed": "failed"}
    missing = " and ".join(f"{summary.count(s):,} {word}" for s, word in words.items() if summary.count(s))
    missing = f" Not drawn, as they have no result: {missing}." if missing else ""
    stopped = " A stopped trial is drawn at the error that it was stopped with." * bool(
        summary.count("stopped")
    )
    made = (
        " What was made from a trial (a dashed line leads to it) is at the error of its own one training."
        if summary.compressed
        else ""
    )
    objectives = ", ".join(escape("validation MAE" if o == "val_mae" else o) for o in info.objectives)
    return (
        f"<p>Blue trials are on the front over {objectives}: no other {_rivals(summary)} is as good in all "
        f"of them and better in one.{_by_confirmed_means(summary)} The line joins those that are unbeaten "
        f"in the two quantities of the chart.{made}{stopped}{missing}{_hypervolume(info, summary)}</p>"
        f"<p><b>Hollow diamonds are the paper's figures, not measured here.</b> {_published_data(info)} "
        f"Their errors are not comparable with this run's, so they have an axis of their own; dotted lines "
        f"carry the exact sizes of their networks (and latencies measured here) down to the trials. On "
        f"the axis of latency a diamond is at VGG-16's latency here over its published speed-up, of a "
        f"GPU of 2018 at 224 px and batch 32{_measured(info, summary)}.{_uncounted(info, summary)}</p>"
    )


def provenance(info: RunInfo) -> str:
    """Everything needed to repeat the run."""
    versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
    rows = [
        ("Command", f"<code>{escape(shlex.join(info.command))}</code>"),
        ("Started", escape(info.started)),
        ("Ended", escape(info.ended or "no end recorded")),
        ("Wall time", formatting.duration(info.seconds)),
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


def _hypervolume(info: RunInfo, summary: FrontSummary) -> str:
    """The front as one number; empty where it has none."""
    front = volume(info, summary)
    if front is None:
        return ""
    sizes = {"params": "parameters", "macs": "multiply-adds", "bytes": "bytes on disk"}
    tiny = ", ".join(
        f"{formatting.quantity(value)} {sizes[name]}" for name, value in front.corner.items() if name in sizes
    )
    error = f"a constant's error of {mae(front.corner['val_mae'], info)}" if "val_mae" in front.corner else ""
    point = ", and ".join(filter(None, (error, f"TinyAgeNet's {tiny}" if tiny else "")))
    if not front.share:
        return f" Hypervolume of the front: 0, as no member lies below the reference point ({point})."
    return (
        f" Hypervolume of the front: <b>{front.share:.3f}</b> of the box between zero and the reference "
        f"point ({point}). Larger is better; it compares with runs on the same data at the same resolution."
    )


def _rivals(summary: FrontSummary) -> str:
    return "confirmed trial" if summary.is_confirmed else "finished trial"


def _by_confirmed_means(summary: FrontSummary) -> str:
    """That the chart has errors of two kinds, where the front was trained again."""
    if not summary.is_confirmed:
        return ""
    return (
        " What was on the search's front is drawn at its <b>confirmed mean</b>, with its 95 % interval over "
        "seeds; all else at the error of its one training in the search, so that a lucky one may lie below "
        "the line."
    )


def _measured(info: RunInfo, summary: FrontSummary) -> str:
    """How the trials' speed was measured, for the contrast."""
    if not summary.timed_at:
        return ""
    under = escape(conditions(info, summary.timed_at))
    return f"; the trials' were measured here, at {under}"


def _uncounted(info: RunInfo, summary: FrontSummary) -> str:
    if summary.resolutions == (info.resolution,):
        return ""
    return " On the axis of multiply-adds there are none of these marks, as the trials' resolutions differ."


def _published_data(info: RunInfo) -> str:
    if info.attribute == "age":
        return (
            "They are MAEs on ChaLearn15: photographs of real people, at 224 px. VGG-16's are those of DEX, "
            'without and with external training data ("ext.").'
        )
    return "They are MAEs on SCUT-FBP5500: photographs of real people. None is published there for VGG-16."
