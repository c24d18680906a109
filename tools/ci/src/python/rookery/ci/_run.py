"""Runs a pipeline on this machine, one job after the other, as Buildkite would."""

from __future__ import annotations

import contextlib
import enum
import json
import os
import shutil
import signal
import sys
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from rookery.ci._agent import STORE, artifacts
from rookery.ci._conditions import holds
from rookery.ci._environment import (
    build_variables,
    condition_variables,
    inherited,
    job_variables,
)
from rookery.ci._errors import CiError
from rookery.ci._images import ONE_ENGINE
from rookery.ci._job import Job, install_agent
from rookery.ci._plan import PlannedStep, read_plan
from rookery.ci._processes import TimedOut


class Outcome(enum.Enum):
    """How a step ended."""

    PASSED = "passed"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    INTERRUPTED = "interrupted"
    NOT_RUN = "not run"
    LEFT_OUT = "left out"

    @property
    def stops(self) -> bool:
        """Whether what depends on it does not run, and the build is red."""
        return self not in (Outcome.PASSED, Outcome.LEFT_OUT)


# What `buildkite-agent step get outcome` calls them.
_OUTCOMES = {Outcome.PASSED: "passed", Outcome.LEFT_OUT: "neutral"}


@dataclass(frozen=True)
class Result:
    """How one step ended.

    Attributes:
        key: Its key.
        outcome: How it ended.
        seconds: How long it took, all jobs and tries together.
        reason: Why it ended like that, where there is something to say.
    """

    key: str
    outcome: Outcome
    seconds: float = 0.0
    reason: str = ""


@dataclass
class Runner:
    """Runs the steps of one build in a work tree.

    Attributes:
        root: The work tree.
        store: Where artifacts, annotations, meta-data and logs are kept.
        env: The environment of the runner.
        out: Where the output of the jobs goes, as it comes.
        results: What ended so far, in order.
        interrupted: Whether somebody asked for the end.
    """

    root: Path
    store: Path
    env: Mapping[str, str]
    out: BinaryIO
    results: dict[str, Result] = field(default_factory=dict)
    interrupted: bool = False
    _pending: list[PlannedStep] = field(default_factory=list)
    _build: dict[str, str] = field(default_factory=dict)
    _jobs: int = 0
    _working: bool = False

    def run(self, pipeline: str) -> dict[str, Result]:
        """Runs a pipeline to its end.

        Args:
            pipeline: What would be uploaded, as YAML.

        Returns:
            How each step ended, by key, in the order in which they ended.
        """
        tools = install_agent(self.store / "bin", sys.executable)
        before = inherited(self.env)
        path = f"{tools}{os.pathsep}{before.get('PATH', os.defpath)}"
        here = {"PATH": path, STORE: str(self.store), ONE_ENGINE: "true"}
        variables = build_variables(self.root, self.env, str(uuid.uuid4()))
        self._build = before | variables | here
        self._pending = read_plan(pipeline, self._build)
        with self._signals():
            while self._pending:
                self._one()
        return self.results

    def _one(self) -> None:
        step = self._next()
        self._pending.remove(step)
        uploads = len(self._uploads())
        result = self._result(step)
        self.results[step.key] = result
        self._tell(step, result)
        self._insert(self._uploads()[uploads:])

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Lets Ctrl-C end the running job, and the rest be told as not run."""

        def interrupt(number: int, _: FrameType | None) -> None:
            # Once: ending the job takes a moment, which nothing may cut short.
            self.interrupted = True
            for name in previous:
                signal.signal(name, signal.SIG_IGN)
            if self._working:
                raise KeyboardInterrupt

        previous = {
            name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)
        }
        for name in previous:
            signal.signal(name, interrupt)
        try:
            yield
        finally:
            for name, handler in previous.items():
                signal.signal(name, handler)

    def _next(self) -> PlannedStep:
        for step in self._pending:
            if all(needed.key in self.results for needed in step.dependencies):
                return step
        names = ", ".join(step.key for step in self._pending)
        raise CiError(f"pipeline: these steps wait for each other: {names}")

    def _result(self, step: PlannedStep) -> Result:
        if self.interrupted:
            return Result(step.key, Outcome.NOT_RUN, reason="interrupted")
        red = [
            needed.key
            for needed in step.dependencies
            if self.results[needed.key].outcome.stops and not needed.allow_failure
        ]
        if red:
            reason = f"after {', '.join(red)}"
            return Result(step.key, Outcome.NOT_RUN, reason=reason)
        if step.condition is not None:
            if not holds(step.condition, condition_variables(self._build)):
                reason = f"only where {step.condition}"
                return Result(step.key, Outcome.LEFT_OUT, reason=reason)
        begin = time.monotonic()
        outcome, reason = self._parts(step)
        return Result(step.key, outcome, time.monotonic() - begin, reason)

    def _parts(self, step: PlannedStep) -> tuple[Outcome, str]:
        count = step.parallelism or 1
        ended = [self._tries(step, part) for part in range(count)]
        worst = [end for end in ended if end[0] is not Outcome.PASSED]
        if not worst:
            return ended[0]
        outcome, reason = worst[0]
        if count > 1:
            reason = f"{len(worst)} of {count} jobs: {reason}"
        return outcome, reason

    def _tries(self, step: PlannedStep, part: int) -> tuple[Outcome, str]:
        tries = 0
        while True:
            if self.interrupted:
                return Outcome.INTERRUPTED, ""
            try:
                status = self._job(step, part, tries)
            except TimedOut:
                minutes = (step.timeout_seconds or 0) / 60
                return Outcome.TIMED_OUT, f"after {minutes:g} min"
            except KeyboardInterrupt:
                return Outcome.INTERRUPTED, ""
            finally:
                self._working = False
            again = f"tried {tries + 1} times" if tries else ""
            if status == 0:
                return Outcome.PASSED, again
            if not self._again(step, status, tries):
                reason = f"exit code {status}" + (f", {again}" if again else "")
                return Outcome.FAILED, reason
            tries += 1
            self._say(f"{step.key}: exit code {status}, which is tried again")

    def _again(self, step: PlannedStep, status: int, tries: int) -> bool:
        return any(
            rule.exit_status in (None, status) and tries < rule.limit
            for rule in step.retries
        )

    def _job(self, step: PlannedStep, part: int, tries: int) -> int:
        self._jobs += 1
        job = f"{self._jobs:04}"
        made = self.store / "jobs" / job
        made.parent.mkdir(exist_ok=True)
        made.write_text(step.key, "utf-8")
        env = self._build | job_variables(step, job, part, tries)
        self._say(f"{step.key}: {env['BUILDKITE_LABEL']}")
        for line in step.command.splitlines():
            self._say_plain(f"$ {line}")
        logs = self.store / "logs"
        logs.mkdir(exist_ok=True)
        with (logs / f"{job}-{urllib.parse.quote(step.key, safe='')}.log").open(
            "wb"
        ) as log:

            def write(data: bytes) -> None:
                log.write(data)
                log.flush()
                self.out.write(data)
                self.out.flush()

            self._working = True
            return Job(step, job, self.root, self.store, env, write).run()

    def _tell(self, step: PlannedStep, result: Result) -> None:
        folder = self.store / "outcomes"
        folder.mkdir(exist_ok=True)
        name = urllib.parse.quote(step.key, safe="").replace(".", "%2E")
        word = _OUTCOMES.get(result.outcome, "hard_failed")
        (folder / name).write_text(word, "utf-8")
        took = f" in {result.seconds:.0f} s" if result.seconds else ""
        reason = f": {result.reason}" if result.reason else ""
        self._say(f"{step.key}: {result.outcome.value}{took}{reason}")

    def _uploads(self) -> list[Path]:
        return sorted((self.store / "uploads").glob("*.json"))

    def _insert(self, uploads: list[Path]) -> None:
        # Later uploads go before earlier ones, as on Buildkite: behind the step itself.
        for path in uploads:
            upload = json.loads(path.read_text("utf-8"))
            # Only its number is of use from now on; it may hold secrets.
            path.write_text("{}", "utf-8")
            known = frozenset(self.results) | {step.key for step in self._pending}
            self._pending[:0] = read_plan(upload["text"], upload["env"], known)

    def _say(self, text: str) -> None:
        self._say_plain(f"\n=== {datetime.now(timezone.utc):%H:%M:%S}  {text}")

    def _say_plain(self, text: str) -> None:
        self.out.write(f"{text}\n".encode())
        self.out.flush()


def prepare_store(folder: Path, *, keep_artifacts: bool) -> Path:
    """Makes the folder of the stand-in, without what an earlier run left there.

    Args:
        folder: The folder.
        keep_artifacts: Whether artifacts of the earlier run stay, for single steps.

    Returns:
        The folder.
    """
    if folder.exists():
        for entry in folder.iterdir():
            if keep_artifacts and entry.name == "artifacts":
                _as_earlier(entry)
            elif entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _as_earlier(kept: Path) -> None:
    """Puts the artifacts of an earlier run before those of all jobs of this one."""
    found = artifacts(kept.parent)
    earlier = kept.with_name("earlier")
    for name, path in found.items():
        target = earlier / name
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    shutil.rmtree(kept)
    if earlier.exists():
        kept.mkdir()
        earlier.rename(kept / "0000")


def restore(root: Path, store: Path) -> int:
    """Puts the artifacts of a run into the work tree, where the steps made them.

    Args:
        root: The work tree.
        store: The folder of the stand-in.

    Returns:
        How many files.
    """
    found = artifacts(store)
    for name, path in found.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy2(path, target)
    return len(found)
