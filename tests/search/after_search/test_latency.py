"""Which trials are timed beside VGG-16 when the search is over."""

import dataclasses

from suite.search.after_search.latency import paper_networks
from tests.search.after_search.test_evaluation import TINY, row


def test_the_papers_network_is_timed_once_though_others_dominate_it() -> None:
    other = row(0, dataclasses.replace(TINY, widths=(4, 8, 16, 16, 16)))
    rows = [other, row(1, TINY), row(2, dataclasses.replace(TINY, learning_rate=0.01))]
    assert [found["id"] for found in paper_networks(rows, [other])] == ["t0001"]


def test_a_network_that_the_front_shows_is_not_timed_twice() -> None:
    rows = [row(0, TINY), row(1, TINY)]
    assert paper_networks(rows, rows[:1]) == []


def test_a_trial_without_a_result_and_a_reference_are_not_compact_networks_of_the_paper() -> None:
    rows = [row(0, TINY, "diverged"), row(1, dataclasses.replace(TINY, network="vgg16"))]
    assert paper_networks(rows, []) == []
