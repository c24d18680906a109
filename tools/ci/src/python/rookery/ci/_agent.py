"""A stand-in for `buildkite-agent`, for pipelines that run on one machine.

The runner puts it on PATH under that name. It does what jobs ask of the agent with files
in the folder that `ROOKERY_CI_STORE` names, and nothing else: whatever it does not know
ends with 64 instead of being ignored. Standard library only, and run as a file, so that
it starts in a few milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import urllib.parse
from collections.abc import Iterator, Sequence
from pathlib import Path

STORE = "ROOKERY_CI_STORE"


class AgentError(Exception):
    """What was asked for is not there."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command of the agent.

    Args:
        arguments: The words after `buildkite-agent`; those of the process if left out.

    Returns:
        Its exit code: 0; 1 for nothing found; 64 for a command that is not known here;
        100 for a meta-data key that does not exist.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as stop:
        return 64 if stop.code else 0
    store = os.environ.get(STORE, "")
    if not store:
        print(f"buildkite-agent: {STORE} names no folder", file=sys.stderr)
        return 78
    try:
        return int(options.run(Path(store), options) or 0)
    except (AgentError, OSError) as error:
        print(f"buildkite-agent: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="buildkite-agent", allow_abbrev=False)
    nouns = parser.add_subparsers(required=True)

    artifact = nouns.add_parser("artifact").add_subparsers(required=True)
    upload = artifact.add_parser("upload")
    upload.add_argument("globs")
    upload.set_defaults(run=_upload)
    download = artifact.add_parser("download")
    download.add_argument("glob")
    download.add_argument("folder", type=Path)
    download.add_argument("--step", default="")
    download.set_defaults(run=_download)

    annotate = nouns.add_parser("annotate")
    annotate.add_argument("body", nargs="?")
    annotate.add_argument(
        "--style", choices=["success", "info", "warning", "error"], default="info"
    )
    annotate.add_argument("--context", default="default")
    annotate.add_argument("--append", action="store_true")
    annotate.add_argument("--priority", type=int, default=3)
    annotate.set_defaults(run=_annotate)

    facts = nouns.add_parser("meta-data").add_subparsers(required=True)
    setter = facts.add_parser("set")
    setter.add_argument("key")
    setter.add_argument("value", nargs="?")
    setter.set_defaults(run=_set)
    getter = facts.add_parser("get")
    getter.add_argument("key")
    getter.add_argument("--default")
    getter.set_defaults(run=_get)
    exists = facts.add_parser("exists")
    exists.add_argument("key")
    exists.set_defaults(run=_exists)
    facts.add_parser("keys").set_defaults(run=_keys)

    pipeline = nouns.add_parser("pipeline").add_subparsers(required=True)
    steps = pipeline.add_parser("upload")
    steps.add_argument("file", nargs="?", type=Path)
    steps.set_defaults(run=_pipeline)

    step = nouns.add_parser("step").add_subparsers(required=True)
    outcome = step.add_parser("get")
    outcome.add_argument("attribute", choices=["outcome"])
    outcome.add_argument("--step", default=os.environ.get("BUILDKITE_STEP_KEY", ""))
    outcome.set_defaults(run=_outcome)
    return parser


# --- Artifacts: <store>/artifacts/<job>/<path>, jobs in the order of their upload ---------


def glob(pattern: str) -> re.Pattern[str]:
    """Translates a glob of artifact paths: `**` crosses folders, `*` does not.

    Args:
        pattern: The glob; a set in braces, as in `*.{whl,pex}`, is one of its members.

    Returns:
        A regular expression for a whole path.
    """
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    known |= {"{": "(?:", ",": "|", "}": ")"}
    pieces = re.split(r"(\*\*/|\*\*|[*?{},])", pattern)
    return re.compile("".join(known.get(piece) or re.escape(piece) for piece in pieces))


def _upload(store: Path, options: argparse.Namespace) -> None:
    upload(store, options.globs.split(";"), Path(), os.environ["BUILDKITE_JOB_ID"])


def upload(store: Path, globs: Sequence[str], folder: Path, job: str) -> int:
    """Keeps the files that globs name.

    Args:
        store: The folder of the stand-in.
        globs: The globs, from the folder on.
        folder: Where the job works.
        job: The id of the job.

    Returns:
        How many files there were.
    """
    count = 0
    for pattern in (text.strip() for text in globs):
        matches = glob(pattern)
        # Only what a pattern can reach is walked: all of it, or its fixed beginning.
        fixed = re.split(r"[*?{]", pattern)[0].rpartition("/")[0]
        for path in sorted(_files(folder / fixed)):
            name = path.relative_to(folder).as_posix()
            # What was kept is no result to keep again.
            if matches.fullmatch(name) and store not in path.absolute().parents:
                _keep(path, store / "artifacts" / job / name)
                count += 1
    return count


def _files(folder: Path) -> Iterator[Path]:
    for top, folders, names in os.walk(folder):
        if ".git" in folders:
            folders.remove(".git")
        yield from (Path(top, name) for name in names)


def _keep(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copy2(source, target)


def artifacts(store: Path) -> dict[str, Path]:
    """Returns every artifact by its path; of the same path, the one uploaded last.

    Args:
        store: The folder of the stand-in.

    Returns:
        Where each lies in the store.
    """
    found: dict[str, Path] = {}
    root = store / "artifacts"
    jobs = root.iterdir() if root.is_dir() else ()
    # Jobs are numbered by the runner.
    for job in sorted(jobs):
        for path in sorted(_files(job)):
            found[path.relative_to(job).as_posix()] = path
    return found


def _download(store: Path, options: argparse.Namespace) -> None:
    matches = glob(options.glob)
    count = 0
    for name, path in artifacts(store).items():
        job = path.relative_to(store / "artifacts").parts[0]
        if matches.fullmatch(name) and _of_step(store, job, options.step):
            _keep(path, options.folder / name)
            count += 1
    if not count:
        raise AgentError(f"no artifact matches {options.glob!r}")
    print(f"downloaded {count} files: {options.glob}", file=sys.stderr)


def _of_step(store: Path, job: str, step: str) -> bool:
    return not step or (store / "jobs" / job).read_text("utf-8") == step


# --- Everything else is one small file each -------------------------------------------------


def _safe(name: str) -> str:
    return urllib.parse.quote(name, safe="").replace(".", "%2E")


def _annotate(store: Path, options: argparse.Namespace) -> None:
    body = sys.stdin.read() if options.body is None else options.body
    path = store / "annotations" / f"{_safe(options.context)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    if options.append and path.exists():
        body = json.loads(path.read_text("utf-8"))["body"] + body
    note = {"context": options.context, "style": options.style, "body": body}
    path.write_text(json.dumps(note), "utf-8")


def _facts(store: Path) -> Path:
    folder = store / "meta-data"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _set(store: Path, options: argparse.Namespace) -> None:
    value = sys.stdin.read() if options.value is None else options.value
    (_facts(store) / _safe(options.key)).write_text(value, "utf-8")


def _get(store: Path, options: argparse.Namespace) -> None:
    path = _facts(store) / _safe(options.key)
    if path.exists():
        sys.stdout.write(path.read_text("utf-8"))
    elif options.default is not None:
        sys.stdout.write(options.default)
    else:
        raise AgentError(f"no meta-data under the key {options.key!r}")


def _exists(store: Path, options: argparse.Namespace) -> int:
    return 0 if (_facts(store) / _safe(options.key)).exists() else 100


def _keys(store: Path, _: argparse.Namespace) -> None:
    for path in sorted(_facts(store).iterdir()):
        print(urllib.parse.unquote(path.name))


def _pipeline(store: Path, options: argparse.Namespace) -> None:
    if options.file is None and sys.stdin.isatty():
        raise AgentError("no pipeline: name a file, or send it to standard input")
    text = sys.stdin.read() if options.file is None else options.file.read_text("utf-8")
    if not text.strip():
        raise AgentError("the pipeline is empty")
    folder = store / "uploads"
    folder.mkdir(parents=True, exist_ok=True)
    # The runner reads it when the job is done, with the variables of this moment.
    upload = {"text": text, "env": dict(os.environ)}
    path = folder / f"{len(list(folder.iterdir())):03}.json"
    # Secrets of the job are among them.
    path.touch(mode=0o600)
    path.write_text(json.dumps(upload), "utf-8")


def _outcome(store: Path, options: argparse.Namespace) -> None:
    path = store / "outcomes" / _safe(options.step)
    if not path.exists():
        raise AgentError(f"step {options.step!r} has no outcome")
    print(path.read_text("utf-8"))


if __name__ == "__main__":
    sys.exit(main())
