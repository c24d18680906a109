"""A picture of throughput against the number of rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rookery.matching_bench._report import Result

_TITLES: Final = {"phrases": "One phrase a rule", "rules": "Mixed rules"}
_OURS: Final = ("PhraseTable.find", "Matcher")
# None of them is one of ours.
_COLORS: Final = (
    "#1f77b4",
    "#2ca02c",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#bcbd22",
    "#17becf",
    "#393b79",
    "#637939",
    "#000000",
)


def plot(results: Sequence[Result], path: Path) -> None:
    """Draws it.

    Args:
        results: The results.
        path: The file, a PNG.
    """
    # Imported here: who wants no picture does without.
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    workloads = list(dict.fromkeys(result.workload for result in results))
    figure, axes = pyplot.subplots(
        max(len(workloads), 1), 1, figsize=(10, 5.2 * len(workloads)), squeeze=False
    )
    for axis, workload in zip(axes[:, 0], workloads, strict=True):
        lines = _lines([each for each in results if each.workload == workload])
        for number, (label, points) in enumerate(lines):
            ours = label.startswith(_OURS)
            axis.plot(
                *zip(*points, strict=True),
                label=label,
                marker="o" if ours else "osv^D"[number % 5],
                markersize=4,
                linewidth=2.4 if ours else 1.1,
                linestyle="-" if ours else "--",
                color=_color(label, number),
                alpha=0.5 if "threads" in label else 1.0,
            )
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="rules",
            ylabel="posts/s",
            title=_TITLES.get(workload, workload),
        )
        axis.grid(which="major", alpha=0.3)
        axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    figure.tight_layout()
    # With the version in it, the same results would make another file after an update.
    figure.savefig(path, dpi=100, metadata={"Software": None})
    pyplot.close(figure)


def _lines(results: Sequence[Result]) -> list[tuple[str, list[tuple[int, float]]]]:
    """Gathers the points of each side; the fastest with the most rules come first."""
    found: dict[str, list[tuple[int, float]]] = {}
    for each in results:
        if each.posts_per_second is not None:
            point = (each.rules, each.posts_per_second)
            found.setdefault(each.label, []).append(point)
    lines = [(label, sorted(points)) for label, points in found.items()]
    return sorted(lines, key=lambda line: line[1][-1], reverse=True)


def _color(label: str, number: int) -> str:
    if label.startswith("Matcher"):
        return "#ff7f0e"
    if label.startswith(_OURS):
        return "#b30000"
    return _COLORS[number % len(_COLORS)]
