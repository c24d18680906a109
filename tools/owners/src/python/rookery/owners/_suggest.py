"""The fewest reviewers for a change.

Choosing the smallest set of people who together own all files is set cover, which is
NP-hard; taking whoever owns most of what is left is within a factor of ln(n) of it
(Chvatal 1979, https://doi.org/10.1287/moor.4.3.233).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from rookery.owners._model import Step
from rookery.owners._tree import OwnersTree


@dataclass(frozen=True)
class Reviewer:
    """Someone who should review a change.

    Attributes:
        owner: The e-mail address.
        covers: The files this reviewer is chosen for.
        because: The OWNERS lines that say so, as `path:line`.
        last_resort: Whether nobody else could be chosen.
    """

    owner: str
    covers: tuple[str, ...]
    because: tuple[str, ...]
    last_resort: bool


@dataclass(frozen=True)
class Suggestion:
    """Who should review a change.

    Attributes:
        reviewers: The reviewers, in the order they were chosen.
        free: Files that anyone may approve.
        uncovered: Files that nobody else owns.
    """

    reviewers: tuple[Reviewer, ...]
    free: tuple[str, ...]
    uncovered: tuple[str, ...]


def suggest(
    tree: OwnersTree, paths: Iterable[str], *, without: Collection[str] = ()
) -> Suggestion:
    """Chooses the fewest owners who can approve all files of a change.

    Owners marked `#{LAST_RESORT_SUGGESTION}` are chosen only for what is left when
    nobody else owns it. Of two who own as many files the nearer one is chosen, then the
    first in the alphabet.

    Args:
        tree: The OWNERS files.
        paths: The files of the change.
        without: Who must not be chosen, such as the author.

    Returns:
        The reviewers, with reasons.
    """
    free: list[str] = []
    candidates: dict[str, dict[str, Step]] = {}
    left: set[str] = set()
    for path in sorted(set(paths)):
        decision = tree.decide(path)
        if decision.anyone:
            free.append(path)
            continue
        left.add(path)
        for step in decision.steps:
            for owner in step.owners:
                if owner not in without:
                    _remember(candidates.setdefault(owner, {}), path, step)
    chosen: list[Reviewer] = []
    for last_resort in (False, True):
        usable = {
            owner: {
                path: step
                for path, step in steps.items()
                if last_resort or not step.last_resort
            }
            for owner, steps in candidates.items()
        }
        while True:
            best = _best(usable, left)
            if best is None:
                break
            covered = sorted(left & set(usable[best]))
            because = dict.fromkeys(usable[best][path].source for path in covered)
            chosen.append(Reviewer(best, tuple(covered), tuple(because), last_resort))
            left -= set(covered)
    return Suggestion(tuple(chosen), tuple(free), tuple(sorted(left)))


def _remember(steps: dict[str, Step], path: str, step: Step) -> None:
    # The first line that names an owner is the nearest; one that does so without
    # reserve counts more.
    known = steps.get(path)
    if known is None or (known.last_resort and not step.last_resort):
        steps[path] = step


def _best(usable: dict[str, dict[str, Step]], left: set[str]) -> str | None:
    def rank(owner: str) -> tuple[int, int, str]:
        covered = [path for path in usable[owner] if path in left]
        far = sum(usable[owner][path].distance for path in covered)
        return -len(covered), far, owner

    owners = [owner for owner, steps in usable.items() if not left.isdisjoint(steps)]
    return min(owners, key=rank, default=None)
