"""The page: whole, offline, honest about what is missing, and deaf to what its data would smuggle in."""

import dataclasses
import json
import math
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from reports.figures import style
from reports.html.figure import figure_markup
from reports.html.page import page, write_report
from reports.model.trials import summarise
from suite.runs.tables import Run, read_run
from tests.support.synthetic_runs import MakeRun, confirmed_run, pruned_from_a_parent


def own(html: str) -> str:
    """The page without plotly.js."""
    return html.replace(get_plotlyjs(), "")


def text(html: str) -> str:
    """What a reader sees: no style, no scripts, no tags."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", own(html), flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", bare)))


def charts(html: str) -> list[dict[str, Any]]:
    return [
        json.loads(found) for found in re.findall(r'<script type="application/json">(.*?)</script>', html)
    ]


def data_of(html: str) -> dict[str, Any]:
    """What the page's scripts draw from."""
    found = re.findall(r'<script type="application/json" id="(?:data|later)">(.*?)</script>', html)
    assert len(found) == 2
    return dict(json.loads(found[0])) | dict(json.loads(found[1]))


def data_named(run: Run, name: str) -> Run:
    return dataclasses.replace(
        run, info=dataclasses.replace(run.info, data=dataclasses.replace(run.info.data, name=name))
    )


def test_fifty_trials_are_one_file_below_five_and_a_half_megabytes(make_run: MakeRun, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    write_report(make_run(trials=50), target)
    assert 4_500_000 < target.stat().st_size < 5_500_000
    assert not list(tmp_path.glob("*.partial"))


def test_nothing_is_loaded_from_anywhere(make_run: MakeRun) -> None:
    html = own(page(make_run(trials=8)))
    markup = re.sub(r"<script.*?</script>", "", html, flags=re.DOTALL)
    assert re.findall(r"\b(?:src|href|action|data|poster)\s*=[^>]*", markup) == [
        'href="#trials"',
        'href="#claims"',
    ]
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert "@import" not in html
    assert "url(" not in html
    assert "default-src 'none'" in html
    assert "unsafe" not in html[: html.index("<title>")]


def test_the_page_says_its_charset_and_fits_a_phone(make_run: MakeRun) -> None:
    html = page(make_run(trials=2))
    assert html.index('<meta charset="utf-8">') < 1024
    assert '<meta name="viewport" content="width=device-width' in html
    assert "prefers-color-scheme: dark" in html


def test_sections_come_in_their_order(make_run: MakeRun) -> None:
    headings = re.findall(r"<h2>(.*?)</h2>", own(page(make_run(trials=8))))
    assert headings == [
        "Which network to ship", "The front", "The answer in detail", "The front in detail", "The request",
        "Confirmed", "How the search went", "Trials",
        "The paper's claims", "Provenance",
    ]  # fmt: skip


def test_the_answer_names_best_knee_and_smallest_against_the_exact_references(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=40)
    result = summarise(run)
    seen = text(page(run))
    lead = seen[: seen.index("The request")]
    for trial in (result.best, result.knee, result.smallest):
        assert trial.id in lead
        assert f"{trial.val_mae:.2f}" in lead
    assert f"{134_674_341 / result.best.params:.3g}\u00d7 fewer than VGG-16" in lead


def test_the_chart_stands_before_the_details_and_says_what_it_draws(make_run: MakeRun) -> None:
    html = page(make_run(trials=8))
    places = [
        html.index(f'id="{name}"')
        for name in ("shipped", "front-chart", "axes", "limits", "export", "ratios", "beside", "network")
    ]
    assert places == sorted(places)
    assert html.index("The paper's claims in this run") > places[-2]
    assert "on the front: one training of 12 epochs, not confirmed" in text(html)
    assert "told apart" not in text(html[: html.index('id="limits"')])
    picture = re.search(r'<svg class="picture".*?</svg>', html, flags=re.DOTALL).group()
    assert "validation MAE after 12 epochs, years" in picture
    assert 'class="single"' in picture
    assert not re.search(r'class="(?:member|alike|ship|again)"', picture)


def test_the_chart_of_a_confirmed_front_marks_what_the_verdict_says(make_run: MakeRun) -> None:
    html = page(confirmed_run(make_run))
    said = text(html)
    assert "on the front: mean of 3 trainings of 12 epochs, with its 95 % interval" in said
    assert "confirmed, off the front one training of 12 epochs, not confirmed" in said
    assert "t003 and t002 cannot be told apart from the best: each of them may be it." in said
    assert "The answer, t003, is one of them." in said
    picture = re.search(r'<svg class="picture".*?</svg>', html, flags=re.DOTALL).group()
    marks = {
        name: picture.count(f'class="{name}"') for name in ("member", "single", "again", "alike", "ship")
    }
    assert marks == {"member": 3, "single": 0, "again": 1, "alike": 2, "ship": 1}


def test_an_answer_that_is_worse_than_the_best_is_said_to_be(make_run: MakeRun) -> None:
    said = text(page(confirmed_run(make_run), tolerance=5.0))
    assert "The answer, t000, is worse than the best, by at most 1." in said


def test_a_best_network_that_stands_alone_is_named(make_run: MakeRun) -> None:
    members = {"t000": (1000, 8.0, {1: 8.1, 2: 8.2, 3: 8.3}), "t001": (2000, 7.0, {1: 5.1, 2: 5.2, 3: 5.3})}
    said = text(page(confirmed_run(make_run, members)))
    assert "With 95 % confidence, t001 is better than every other confirmed network." in said


def test_a_shortened_training_is_said_plainly(make_run: MakeRun) -> None:
    seen = text(page(make_run(trials=3)))
    assert "validated at 48 px ; the images are stored at 64 px" in seen
    assert "2,000 of 4,000 training images (50%)" in seen
    assert "one training with one seed , so there is no interval" in seen
    assert "could not be read" not in seen


def test_skipped_images_are_counted(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    skipped = dataclasses.replace(run.info, data=dataclasses.replace(run.info.data, skipped=3))
    assert "3 images of the source could not be read and were skipped" in text(
        page(dataclasses.replace(run, info=skipped))
    )


def test_full_training_at_full_resolution_is_not_called_short(make_run: MakeRun) -> None:
    run = make_run(trials=3, resolution=224)
    run.trials["train_images"] = 4000
    full = dataclasses.replace(run.info.data, side=224, train_images=4000)
    seen = text(page(dataclasses.replace(run, info=dataclasses.replace(run.info, data=full))))
    assert "images are stored at" not in seen
    assert "training images (" not in seen
    assert "The paper works at" not in seen


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("running", "had not ended when the report was written (running, or killed)"),
        ("interrupted", "was interrupted"),
        ("failed", "This run failed"),
    ],
)
def test_an_unfinished_run_says_so_first(make_run: MakeRun, status: str, said: str) -> None:
    run = make_run(trials=5, trials_asked=16, status=status, latency=False, test=False, ended="")
    seen = text(page(run))
    top = seen[: seen.index("The request")]
    assert said in top
    assert "5 of 16 trials have ended" in top
    assert "Speed has not been measured" in top
    assert set(data_of(page(run))["trials"]["ms"]) == {None}


def test_a_finished_run_has_no_banner(make_run: MakeRun) -> None:
    assert 'class="banner"' not in page(make_run(trials=5))


def test_no_trial_at_all_and_none_finished_still_make_a_page(make_run: MakeRun) -> None:
    assert "No trial has finished" in text(page(make_run(trials=0, status="interrupted")))
    seen = text(page(make_run(trials=2, statuses=["diverged", "failed"])))
    assert "No trial has finished" in seen
    assert "t000 diverged after 4 epochs: the loss is NaN at step 212" in seen
    assert "t001 failed after 0 epochs: the worker was killed" in seen


def test_one_trial_makes_a_page_without_a_knee(make_run: MakeRun) -> None:
    seen = text(page(make_run(trials=1)))
    assert "smallest error so far, of 1 finished trial, is that of t000" in seen
    assert "knee" not in seen[: seen.index("The request")]


def test_a_front_no_better_than_a_constant_is_called_that(make_run: MakeRun) -> None:
    run = make_run(trials=5)
    easy = dataclasses.replace(run.info.data, constant_val_mae=1.0)
    seen = text(page(dataclasses.replace(run, info=dataclasses.replace(run.info, data=easy))))
    assert "No trial does better than a constant" in seen


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'${title}"


def test_strings_of_a_run_stay_text_wherever_they_appear(make_run: MakeRun, tmp_path: Path) -> None:
    run = make_run(trials=6, statuses=["finished"] * 4 + ["diverged", "failed"])
    fields = {f.name: HOSTILE for f in dataclasses.fields(run.info.data) if f.type is str}
    info = dataclasses.replace(
        run.info,
        data=dataclasses.replace(run.info.data, **fields),
        name=HOSTILE, command=["suite", HOSTILE], search_file=HOSTILE, git_revision=HOSTILE,
        started=HOSTILE, ended=HOSTILE, versions={HOSTILE: HOSTILE}, hardware={HOSTILE: [HOSTILE]},
        latency={HOSTILE: HOSTILE},
        search={"name": HOSTILE, "description": HOSTILE, "sampler": HOSTILE, "vary": {HOSTILE: HOSTILE}},
    )  # fmt: skip
    trials, epochs = run.trials.copy(), run.epochs.copy()
    trials["id"], epochs["id"] = trials["id"] + HOSTILE, epochs["id"] + HOSTILE
    trials["cause"] = HOSTILE
    html = own(page(Run(run.folder, info, trials, epochs)))
    assert "<img" not in html
    assert html.count("</script") == page(run).count("</script")
    assert "<script>alert" not in html
    assert text(html).count("<script>alert(1)</script>") > 20
    labels = json.dumps(charts(html))
    assert "<img" not in labels  # plotly would read it as markup
    assert "&lt;img" in labels


def test_no_string_in_a_figure_ends_its_script_early() -> None:
    drawn = style.bare_figure(height=100)
    drawn.update_layout(title_text="</script><b>")
    html = figure_markup(drawn, "a <figure>")
    assert html.count("</script") == 1
    assert charts(html)[0]["layout"]["title"]["text"] == "</script><b>"
    assert 'aria-label="a &lt;figure&gt;"' in html


def test_a_data_set_called_script_is_shown_by_that_name(make_run: MakeRun) -> None:
    assert "<script> : procedural renderer" in text(page(data_named(make_run(trials=3), "<script>")))


def test_published_marks_are_called_published_and_lie_at_exact_sizes(make_run: MakeRun) -> None:
    html = page(make_run(trials=8))
    published = data_of(html)["published"]
    assert published["data"] == "ChaLearn15"
    by_label = {mark["label"]: mark for mark in published["marks"]}
    assert set(by_label) == {"VGG-16", "VGG-16, ext.", "ThinAgeNet", "TinyAgeNet"}
    assert (by_label["TinyAgeNet"]["params"], by_label["TinyAgeNet"]["mae"]) == (934_869, 3.427)
    vgg16_ms = 15.47e9 / 4e7  # as the run was made
    assert by_label["TinyAgeNet"]["ms"] == pytest.approx(vgg16_ms / 5.5, rel=1e-3)
    assert "Hollow diamonds are the paper's figures, not measured here." in text(html)
    assert "not comparable with this run's" in text(html)


def test_the_table_has_every_trial_and_headers_that_sort(make_run: MakeRun) -> None:
    run = make_run(trials=12)
    html = own(page(run))
    table = re.search(r'<table class="sortable">.*?</table>', html, flags=re.DOTALL).group()
    heads = re.findall(r'<th scope="col"[^>]*><button type="button">', table)
    rows = re.findall(r"<tr(?: class=front)?><th scope=\"row\".*?</tr>", table)
    assert len(rows) == 12
    assert all(row.count("<td") + 1 == len(heads) for row in rows)
    columns = {column["title"]: column for column in data_of(html)["columns"]}
    assert len(columns) == len(heads)
    assert columns["params"]["keys"] == "params"
    assert 934_869 in data_of(html)["trials"]["params"]
    assert '<div class="scroll" tabindex="0" role="region"' in html


def test_test_errors_and_speed_are_dashes_until_they_are_known(make_run: MakeRun) -> None:
    bare = page(make_run(trials=3, statuses=["finished"] * 3, test=False, latency=False))
    table = re.search(r'<table class="sortable">.*?</table>', bare, flags=re.DOTALL).group()
    assert table.count("<td>\u2013</td>") == 3 * 3  # test MAE, latency, speed-up


def test_the_error_of_one_pass_is_named_where_a_run_has_it_and_the_page_says_which_is_drawn(
    make_run: MakeRun,
) -> None:
    earlier = make_run(trials=3)
    assert "one pass" not in {column["title"] for column in data_of(own(page(earlier)))["columns"]}
    assert "mirror image , the paper's protocol: two passes" in text(page(earlier))
    trials = earlier.trials.assign(val_mae_one_pass_years=earlier.trials["val_mae_years"] + 0.25)
    html = own(page(dataclasses.replace(earlier, trials=trials)))
    shown = {column["title"]: column for column in data_of(html)["columns"]}
    assert shown["one pass"]["unit"] == "val MAE, years"
    assert "In one pass, the networks of the front err by 0.25\u00a0years more on average" in html.replace(
        "&nbsp;", "\u00a0"
    )
    of_trials = data_of(html)["trials"]
    assert of_trials["one_pass"] == pytest.approx([value + 0.25 for value in of_trials["val"]])


def test_provenance_has_what_repeats_the_run(make_run: MakeRun) -> None:
    run = make_run(trials=3)
    seen = text(page(run))
    folded = seen[seen.rindex("Provenance") :]
    for part in (
        run.info.git_revision, run.info.data.fingerprint, "suite run --search tiny --set base.epochs=12",
        "torch 2.13.0", run.info.started, run.info.ended, "6\u00a0min 40\u00a0s".replace("\u00a0", " "),
        "cores: 2", "rounds: 15", "learning_rate: {low: 0.0005, high: 0.02, log: true}",
    ):  # fmt: skip
        assert part in folded
    assert "<details>" in page(run)


def test_a_run_read_from_its_folder_gives_the_same_page(make_run: MakeRun) -> None:
    run = make_run(trials=6)
    assert page(read_run(run.folder)) == page(run)


def test_colours_of_figures_are_those_that_the_script_replaces() -> None:
    script = (Path(style.__file__).parents[1] / "html" / "script" / "figures.js").read_text(encoding="utf-8")
    (themed,) = re.findall(r"const THEMED = \{(.*?)\}", script, flags=re.DOTALL)
    assert re.findall(r'"(#\w{6})"', themed) == [style.FRONT, style.PUBLISHED, style.GROUND]


def heads(html: str) -> list[str]:
    return re.findall(r'<button type="button">(.*?)</button>', own(html))


def rows_of(html: str) -> list[str]:
    return re.findall(r"<tr(?: class=front)?><th scope=\"row\" class=text.*?</tr>", own(html))


def test_networks_with_their_own_stages_are_named_in_table_and_tiles(make_run: MakeRun) -> None:
    run = make_run(trials=1, configs=[{"network": "vgg16", "method": "dex"}])
    html = page(run)
    (row,) = rows_of(html)
    assert ">VGG-16</td>" in row
    assert ">dex</td>" in row
    assert "16\u00a032\u00a064" not in own(html)
    assert "TinyAgeNet" not in row


def test_columns_that_say_the_same_of_all_trials_are_left_out(make_run: MakeRun) -> None:
    plain = heads(page(make_run(trials=3)))
    assert not {"method", "KL<small>over bins</small>"} & set(plain)
    assert "lambda<small>L1 weight, KL mean over bins</small>" in plain
    assert "macs<small>48 px</small>" in plain
    varied = [{"method": "coral"}, {"kl_over_bins": "sum", "resolution": 32}, {"train_images": 700}]
    shown = heads(page(make_run(trials=3, configs=varied)))
    assert {"method", "KL<small>over bins</small>", "lambda<small>L1 weight</small>"} <= set(shown)
    assert {"resolution<small>px</small>", "images<small>training</small>"} <= set(shown)
    assert "macs<small>at its resolution</small>" in shown


def test_speed_is_said_with_its_resolution_batch_and_device(make_run: MakeRun) -> None:
    run = make_run(trials=1)
    html = page(run)
    tile = text(re.search(r'<div class="tile">.*?</div>', html, flags=re.DOTALL).group())
    speedup = run.trials["speedup_vs_vgg16_at_224"][0]
    assert f"{speedup:.3g}\u00d7 as fast as VGG-16" in tile
    assert "ms per image at 224 px, batch 4, CPU with 1 thread" in tile
    assert "latency<small>ms per image, 224 px</small>" in heads(html)
    assert "a GPU of 2018 at 224 px and batch 32; the trials' were measured here, at 224 px, batch 4" in text(
        html
    )


def test_the_most_accurate_has_a_tile_though_it_be_off_the_front(make_run: MakeRun) -> None:
    run = make_run(trials=30, seed=2, objectives=["params", "macs"])
    best = summarise(run).best
    lead = text(page(run))
    assert f"finished trials, is that of {best.id}" in lead
    assert not best.on_front


def test_stopped_trials_are_told_from_those_without_a_result(make_run: MakeRun) -> None:
    statuses = ["finished", "finished", "stopped", "stopped", "diverged"]
    run = make_run(trials=5, statuses=statuses)
    shown_page = text(page(run))
    assert "2 finished, 2 stopped early, 1 diverged, 0 failed" in shown_page
    assert "Not drawn, as they have no result: 1 diverged" in shown_page
    assert "A stopped trial is drawn at the error that it was stopped with." in shown_page
    assert "2 trials stopped early, as the search space asks (2 after epoch 2)" in shown_page
    assert "9th of 12 by front rank at epoch 2, where the first 4 go on" in shown_page
    shown = summarise(run)
    assert {trial.status for trial in shown.front} == {"finished"}
    assert shown.best is not None
    assert shown.best.status == "finished"


@pytest.mark.parametrize(
    ("table", "column", "cell"),
    [
        ("trials", "label_deviation", -math.inf),
        ("trials", "params", -1),
        ("trials", "learning_rate", math.inf),
        ("epochs", "epoch", 2**62),
        ("epochs", "val_mae_years", math.inf),
    ],
)
def test_a_number_that_no_training_has_leaves_the_rest_of_the_page(
    table: str, column: str, cell: float, make_run: MakeRun
) -> None:
    run = make_run(trials=4, statuses=["finished"] * 4)
    rows = getattr(run, table).copy()
    rows.loc[rows.index[1], column] = cell
    assert "t003" in text(page(dataclasses.replace(run, **{table: rows})))


def test_a_run_in_which_all_were_stopped_but_one_has_a_page(make_run: MakeRun) -> None:
    shown_page = text(page(make_run(trials=4, statuses=["finished", "stopped", "stopped", "stopped"])))
    assert "None: every other trial that ended, finished." in shown_page


def test_a_search_that_gave_up_says_so_first(make_run: MakeRun) -> None:
    why = "300 suggestions in a row were out of bounds.params (9)"
    shown_page = text(page(make_run(trials=3, statuses=["finished"] * 3, ended_early=why, out_of_bounds=512)))
    assert f"{why}." in shown_page
    assert "512 out of bounds and not trained" in shown_page


def test_without_scripts_each_of_the_front_has_its_line_to_the_parent_that_was_pruned(
    make_run: MakeRun,
) -> None:
    run = make_run(trials=12)
    assert own(page(run)).count('class="lineage"') == 0
    pruned = pruned_from_a_parent(run)
    found = summarise(pruned)
    assert found.parent.id == "parent"
    assert "parent" not in {trial.id for trial in (*found.trials, *found.compressed)}
    html = own(page(pruned))
    assert html.count('class="lineage"') == len(found.front) > 1
    assert "parent, which the search pruned" in text(html)
