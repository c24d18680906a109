"""What a process says about its own state."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing a process needs in order to do its work.

    Attributes:
        ok: Whether it is there.
        detail: What a person needs to know, such as what is waited for.
    """

    ok: bool
    detail: str = ""


class Health:
    """Named checks. The process is ready when all of them are well."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}

    def set(self, name: str, ok: bool, detail: str = "") -> None:
        """Records the state of one thing the process needs.

        Args:
            name: What it is, such as `bus`.
            ok: Whether it is there.
            detail: What a person needs to know.
        """
        self._checks[name] = Check(ok, detail)

    @property
    def ready(self) -> bool:
        """Whether every check is well."""
        return all(check.ok for check in self._checks.values())

    def report(self) -> dict[str, object]:
        """Returns the checks in a form that can be written as JSON."""
        return {
            "ready": self.ready,
            "checks": {
                name: {"ok": check.ok, "detail": check.detail}
                for name, check in sorted(self._checks.items())
            },
        }
