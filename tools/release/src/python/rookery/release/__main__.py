"""The command line: `./pants run tools/release -- plan|publish|version|...`."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path

from rookery.release import (
    Catalog,
    Change,
    Outcome,
    Package,
    Plan,
    Publisher,
    RefusedError,
    ReleaseError,
    Request,
    Settings,
    build,
    changes_between,
    check_folder,
    commits_between,
    make_plan,
    notes,
    peek,
    read_catalog,
    summary,
    verify,
)
from rookery.release._errors import StorageError, storage_trouble
from rookery.versions import (
    VERSIONS_VARIABLE,
    VersionsError,
    package_version,
    read_history,
    read_versions,
)

USAGE, WRONG = 64, 65


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Args:
        arguments: The words of the command line; those of the process if left out.

    Returns:
        The exit code: 0; 64 for a wrong call; 65 if something must not be published; 69
        if Git, the engine, the index or the registry is not there; 70 if the build
        failed; 74 if a disk is full; 77 for wrong credentials; 78 for a setting that is
        missing or wrong.
    """
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as stop:
        return USAGE if stop.code else 0
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except (ReleaseError, VersionsError) as error:
        return _stop(error, error.exit_code)
    except OSError as error:
        # What is left are the files of this tool: its output, the settings of Pants.
        where = error.filename or "the output"
        if error.filename is None:
            # What could not be written must not be tried again when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _stop(storage_trouble(where, error), StorageError.exit_code)
    return code


def _stop(reason: object, code: int) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="release", description="Publishes wheels and images, by the tags in Git."
    )
    parser.add_argument(
        "--root", type=Path, default=Path(), help="the repository (default: here)"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    plan = commands.add_parser("plan", help="say what would be published, and why")
    _which(plan)
    plan.add_argument("--json", action="store_true", help="print JSON, for programs")
    plan.set_defaults(run=_plan)

    publish = commands.add_parser("publish", help="build and publish it")
    _which(publish)
    publish.set_defaults(run=_publish)

    check = commands.add_parser(
        "check", help="compare what `./pants package ::` made with the versions by Git"
    )
    check.add_argument(
        "folder", type=Path, nargs="?", default=Path("dist"), help="default: dist"
    )
    check.set_defaults(run=_check)

    verify_ = commands.add_parser(
        "verify", help="install published wheels into an empty environment and use them"
    )
    _which(verify_)
    verify_.set_defaults(run=_verify)

    version = commands.add_parser("version", help="print the version of a package")
    version.add_argument("package", metavar="PACKAGE")
    version.set_defaults(run=_version)

    notes_ = commands.add_parser(
        "notes", help="list the commits that changed a package since its last tag"
    )
    notes_.add_argument("package", metavar="PACKAGE")
    notes_.add_argument("--since", metavar="COMMIT", help="instead of the last tag")
    notes_.set_defaults(run=_notes)
    return parser


def _which(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--packages",
        nargs="+",
        default=[],
        metavar="PACKAGE",
        help="these alone (default: all)",
    )
    parser.add_argument("--dev", action="store_true", help="development versions, too")


def _catalog(root: Path) -> Catalog:
    with (root / "pants.toml").open("rb") as file:
        settings = tomllib.load(file)["GLOBAL"]
    return read_catalog(peek(root), settings.get("build_file_prelude_globs", ()))


def _make_plan(
    options: argparse.Namespace, publisher: Publisher, *, anyway: bool = False
) -> Plan:
    root: Path = options.root
    history = read_history(root)
    catalog = _catalog(root)

    @functools.cache
    def changes(commit: str) -> Collection[Change]:
        return changes_between(root, commit, history.commit)

    @functools.cache
    def published(package: Package, version: str) -> bool | None:
        return None if anyway else publisher.exists(package, version)

    request = Request(frozenset(options.packages), options.dev)
    return make_plan(catalog, history, changes, published, request)


def _plan(options: argparse.Namespace) -> int:
    settings = Settings.load(os.environ)
    plan = _make_plan(options, Publisher(settings, options.root, build))
    if options.json:
        print(json.dumps(_fields(plan), indent=2))
    else:
        _print_plan(plan, settings)
    for refusal in plan.refusals:
        print(f"error: {refusal}", file=sys.stderr)
    return WRONG if plan.refusals else 0


def _fields(plan: Plan) -> dict[str, object]:
    return {
        "commit": plan.commit,
        "built": plan.built,
        "packages": [
            {
                "package": entry.package.name,
                "kind": entry.package.kind,
                "target": entry.package.target,
                "version": entry.version,
                "requires": list(entry.package.requires),
                "action": entry.action,
                "reason": entry.reason,
            }
            for entry in plan.entries
        ],
        "refusals": list(plan.refusals),
    }


def _print_plan(plan: Plan, settings: Settings) -> None:
    rows = [("package", "kind", "version", "action", "reason")]
    for entry in plan.entries:
        package = entry.package
        rows.append(
            (package.name, package.kind, entry.version, entry.action, entry.reason)
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    print(f"commit {plan.commit}, {plan.built}")
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    for where, what in ((settings.index, "index"), (settings.registry, "registry")):
        if not where:
            print(f"no {what} is set, so what it holds is not known")


def _publish(options: argparse.Namespace) -> int:
    settings = Settings.load(os.environ)
    publisher = Publisher(settings, options.root, build, _report)
    plan = _make_plan(options, publisher)
    for refusal in plan.refusals[1:]:
        print(f"error: {refusal}", file=sys.stderr)
    outcomes, failure = publisher.publish(plan)
    print(summary(outcomes))
    if failure is not None:
        return _stop(failure, failure.exit_code)
    return 0


def _report(outcome: Outcome) -> None:
    name, version = outcome.entry.package.name, outcome.entry.version
    print(f"{outcome.state}: {name} {version}: {outcome.detail}", flush=True)


def _check(options: argparse.Namespace) -> int:
    history = read_history(options.root)
    catalog = _catalog(options.root)
    versions = {
        name: str(package_version(name, history).version) for name in catalog.names
    } | dict(read_versions(os.environ.get(VERSIONS_VARIABLE, "")))
    right, wrong = check_folder(options.folder, versions, history.commit, history.built)
    for line in right:
        print(line)
    for line in wrong:
        print(f"error: {line}", file=sys.stderr)
    print(f"{len(right)} files right, {len(wrong)} problems")
    return WRONG if wrong else 0


def _verify(options: argparse.Namespace) -> int:
    settings = Settings.load(os.environ)
    settings.require_index()
    # It is published already, so nothing has to be asked about that.
    plan = _make_plan(options, Publisher(settings, options.root, build), anyway=True)
    by_name = {entry.package.name: entry for entry in plan.entries}
    wheels: dict[str, str] = {}
    for entry in plan.wanted:
        if entry.package.kind == "wheel":
            for name in (*entry.package.requires, entry.package.name):
                wheels[name] = by_name[name].version
    if not wheels:
        raise RefusedError("no wheel of this commit is released, so none is verified")
    for line in verify(settings, wheels):
        print(line)
    print(f"verified: {', '.join(f'{name} {wheels[name]}' for name in wheels)}")
    return 0


def _version(options: argparse.Namespace) -> int:
    name = options.package
    versions = read_versions(os.environ.get(VERSIONS_VARIABLE, ""))
    if name in versions:
        print(versions[name])
    else:
        print(package_version(name, read_history(options.root)).version)
    return 0


def _notes(options: argparse.Namespace) -> int:
    root: Path = options.root
    history = read_history(root)
    catalog = _catalog(root)
    packages = {package.name: package for package in catalog.packages}
    if options.package not in packages:
        raise RefusedError(
            f"{options.package}: no such package; there are {', '.join(sorted(packages))}"
        )
    found = package_version(options.package, history)
    # The tag on this very commit is what the notes lead up to.
    tags = [
        tag
        for tag in history.tags
        if tag.name.startswith(f"{options.package}/v") and tag.distance
    ]
    last = min(tags, key=lambda tag: tag.distance, default=None)
    since = options.since or (last.commit if last else None)
    name = options.since or (last.name if last else "the beginning")
    print(f"{options.package} {found.version}, since {name}:")
    for line in notes(
        packages[options.package], commits_between(root, since, history.commit)
    ):
        print(f"- {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
