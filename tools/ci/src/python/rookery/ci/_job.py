"""One job, as the agent runs it: hooks, command, artifacts, in the agent's order.

Each hook is sourced by a shell of its own, and what it exports reaches everything after
it; options of the shell do not. So does the agent:
https://buildkite.com/docs/agent/v3/hooks
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rookery.ci._agent import upload
from rookery.ci._plan import PlannedStep
from rookery.ci._processes import Shell, TimedOut

# The agent runs commands like this, unless it is told otherwise.
_SHELL = ("/bin/bash", "-e", "-c")
# What a hook exported is read from here; a hook that exits leaves it out, and has failed
# or had nothing to export.
_WRAPPER = 'source "$1"; code=$?; env -0 >"$2"; exit "$code"'
# Made by each shell for itself.
_OF_THE_SHELL = {"_", "SHLVL", "PWD", "OLDPWD"}


@dataclass
class Job:
    """One try of one part of a step.

    Attributes:
        step: The step.
        id: The job's name among the artifacts; later jobs have greater ones.
        root: The work tree.
        store: The folder of the stand-in for the agent.
        env: The environment it begins with.
        write: Where its output goes.
    """

    step: PlannedStep
    id: str
    root: Path
    store: Path
    env: dict[str, str]
    write: Callable[[bytes], object]
    _shell: Shell = field(init=False)

    def __post_init__(self) -> None:
        seconds = self.step.timeout_seconds
        deadline = None if seconds is None else time.monotonic() + seconds
        self._shell = Shell(self.root, self.write, deadline)

    def run(self) -> int:
        """Runs the job.

        Returns:
            Its exit status: of the hook that failed, else of the command.

        Raises:
            TimedOut: It took longer than it may. Its processes are ended, and the hook
                `pre-exit` ran.
        """
        try:
            status = self._phases()
        except TimedOut as late:
            self._shell = Shell(self.root, self.write, time.monotonic() + 60)
            self._hook("pre-exit")
            raise TimedOut from late
        else:
            return self._hook("pre-exit") or status
        finally:
            # A hook may start what the command needs; after the job it ends.
            self._shell.close()

    def _phases(self) -> int:
        status = self._hook("post-checkout") or self._hook("pre-command")
        if status == 0:
            status = self._command()
            self.env["BUILDKITE_COMMAND_EXIT_STATUS"] = str(status)
            status = self._hook("post-command") or status
            status = self._artifacts() or status
        return status

    def _command(self) -> int:
        if self._hook_file("command").exists():
            return self._hook("command")
        return self._shell.run((*_SHELL, self.step.command), self.env)

    def _artifacts(self) -> int:
        if not self.step.artifacts:
            return 0
        status = self._hook("pre-artifact")
        if status == 0:
            count = upload(self.store, self.step.artifacts, self.root, self.id)
            if not count:
                self.write(b"no artifact to keep\n")
            status = self._hook("post-artifact")
        return status

    def _hook_file(self, name: str) -> Path:
        return self.root / ".buildkite" / "hooks" / name

    def _hook(self, name: str) -> int:
        path = self._hook_file(name)
        if not path.exists():
            return 0
        exported = self.store / "hook.env"
        exported.unlink(missing_ok=True)
        command = ("/bin/bash", "-c", _WRAPPER, "hook", str(path), str(exported))
        status = self._shell.run(command, self.env)
        if exported.exists():
            self._take_over(exported.read_bytes())
            # It may hold secrets.
            exported.unlink()
        self.env["BUILDKITE_LAST_HOOK_EXIT_STATUS"] = str(status)
        if status:
            self.write(f"hook {name} ended with exit code {status}\n".encode())
        return status

    def _take_over(self, exported: bytes) -> None:
        pairs = (os.fsdecode(item).partition("=") for item in exported.split(b"\0"))
        after = {name: value for name, _, value in pairs if name}
        for name in _OF_THE_SHELL:
            after.pop(name, None)
            if name in self.env:
                after[name] = self.env[name]
        self.env.clear()
        self.env.update(after)


def install_agent(folder: Path, python: str) -> Path:
    """Puts the stand-in for the agent into a folder, as `buildkite-agent`.

    Args:
        folder: The folder, to be the first on PATH.
        python: The interpreter that runs it.

    Returns:
        The folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / "agent.py"
    # A copy: the sandbox that the runner was started from may go before its jobs do.
    shutil.copyfile(Path(__file__).with_name("_agent.py"), source)
    program = folder / "buildkite-agent"
    words = shlex.join([python, "-I", "-S", str(source)])
    program.write_text(f'#!/bin/sh\nexec {words} "$@"\n', "utf-8")
    program.chmod(0o755)
    return folder
