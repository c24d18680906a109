"""A picture of throughput against the number of rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rookery.matching_bench._report import Result

_TITLES: Final = {"phrases": "One phrase a rule", "rules": "Mixed rules"}
_OURS: Final = ("PhraseTable.find", "Matcher")


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
        1, len(workloads), figsize=(7.5 * len(workloads), 6), squeeze=False
    )
    for axis, workload in zip(axes[0], workloads, strict=True):
        chosen = [each for each in results if each.workload == workload]
        for number, label in enumerate(dict.fromkeys(each.label for each in chosen)):
            points = [
                (each.rules, each.posts_per_second)
                for each in chosen
                if each.label == label and each.posts_per_second is not None
            ]
            if not points:
                continue
            ours = label.startswith(_OURS)
            axis.plot(
                *zip(*sorted(points), strict=True),
                label=label,
                marker="o" if ours else "osv^D"[number % 5],
                markersize=4,
                linewidth=2.4 if ours else 1.1,
                linestyle="-" if ours else "--",
                color=(
                    f"C{number % 10}"
                    if not ours
                    else ("#b30000", "#ff7f0e")[label.startswith("Matcher")]
                ),
                alpha=0.55 if "threads" in label else 1.0,
            )
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="rules",
            ylabel="posts/s",
            title=_TITLES.get(workload, workload),
        )
        axis.grid(which="major", alpha=0.3)
        axis.legend(fontsize=7, loc="lower left")
    figure.tight_layout()
    # Without it, the same results would make another file with each version.
    figure.savefig(path, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
