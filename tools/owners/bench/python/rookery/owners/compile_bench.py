"""Compiles owners for 100,000 files, measured against comparing all with all.

A made-up repository: 100,000 files in 10,000 folders, an OWNERS file in every tenth of
them, every other one with two `per-file` lines. The baseline gives the same answers
without the two ideas of the compiler, that owners depend on the chain and the name
alone, and that a dictionary finds the line of a folder: it walks the folders of each
file, and compares each file with each line. Since that takes
minutes, it gets every 500th file, and its time is scaled up; both must agree on those.
Both use one core, and CPU time is what holds on a machine with other work.

    python tools/owners/bench/python/rookery/owners/compile_bench.py [rounds]
"""

from __future__ import annotations

import re
import statistics
import sys
import time

from rookery.owners import OwnersTree, compile_codeowners

FOLDERS = 10_000
FILES_PER_FOLDER = 10
SAMPLE = 500
BUDGET_SECONDS = 2.0


def make_repository() -> tuple[dict[str, str], list[str]]:
    """Returns the OWNERS files with their texts, and all paths."""
    texts = {"OWNERS": "root@example.com"}
    paths = ["OWNERS"]
    for number in range(FOLDERS):
        folder = f"area{number % 50}/project{number % 1000}/part{number}"
        paths += [f"{folder}/file{n}.{'pc'[n % 2]}y" for n in range(FILES_PER_FOLDER)]
        if number % 10 == 0:
            lines = [f"owner{number % 70}@example.com"]
            if number % 20 == 0:
                lines += ["per-file *.py=py@example.com", "per-file file3.cy=c@x.com"]
            texts[f"{folder}/OWNERS"] = "\n".join(lines)
            paths.append(f"{folder}/OWNERS")
    return texts, paths


def expression(pattern: str) -> str:
    """Returns a regular expression for a line as this repository has them."""
    head, _, glob = pattern.partition("**/")
    name = glob.replace(".", "[.]").replace("*", "[^/]*")
    return head.lstrip("/*") + ("(.*/)?" + name if glob else ".*")


def naive(
    tree: OwnersTree, lines: list[tuple[re.Pattern[str], str]], paths: list[str]
) -> None:
    """Works out the owners of each file anew, and compares it with each line."""
    for path in paths:
        found = next(owners for line, owners in reversed(lines) if line.fullmatch(path))
        wanted = tree.decide(path).owners
        if tuple(found.split()) != wanted:
            raise AssertionError(f"{path}: {found} is not {wanted}")


def main() -> None:
    """Prints one table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    texts, paths = make_repository()
    sample = paths[::SAMPLE]
    fast: list[float] = []
    text = ""
    for _ in range(rounds):
        begin = time.process_time()
        text = compile_codeowners(OwnersTree.from_texts(texts), paths, {})
        fast.append(time.process_time() - begin)
    split = [line.partition(" ") for line in text.splitlines() if line[:1] not in "#"]
    lines = [(re.compile(expression(pattern)), owners) for pattern, _, owners in split]
    tree = OwnersTree.from_texts(texts)
    begin = time.process_time()
    naive(tree, lines, sample)
    base = (time.process_time() - begin) * len(paths) / len(sample)
    best = statistics.median(fast)
    print(f"{len(paths):,} files, {len(texts):,} OWNERS files, {len(split):,} lines")
    print(f"{'what':<28}{'CPU seconds':>12}{'ratio':>8}")
    print(f"{'compile and verify':<28}{best:>12.2f}{1:>8}")
    print(f"{'every file with every line':<28}{base:>12.0f}{base / best:>8.0f}")
    verdict = "within" if best <= BUDGET_SECONDS else "over"
    print(f"{verdict} the budget of {BUDGET_SECONDS} s")


if __name__ == "__main__":
    main()
