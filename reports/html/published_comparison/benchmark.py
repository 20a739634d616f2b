"""What a later benchmark found about the methods."""

from markupsafe import Markup

from reports.html.templating import render
from reports.model.points import Comparison
from reports.published.numbers import published
from suite.runs.info import RunInfo


def benchmark_table(comparison: Comparison, info: RunInfo) -> Markup:
    """Render the benchmark's errors, one column per method; empty if methods did not vary."""
    benchmark = published().benchmark
    if "method" not in comparison.varied or info.unit != benchmark.unit:
        return Markup("")
    methods = list(next(iter(benchmark.mae.values())))
    return render(
        "published_benchmark",
        benchmark=benchmark,
        titles=("published, test MAE", *(f"{method}, {benchmark.unit}" for method in methods)),
        rows=[(data, [errors[method] for method in methods]) for data, errors in benchmark.mae.items()],
    )
