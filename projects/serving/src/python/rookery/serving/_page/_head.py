"""The head of the page: name, state, the facts that everything else rests on."""

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from rookery.serving._page import _content as content
from rookery.serving._page._components import Kpi
from rookery.serving._status import Problem, Status

LOGO = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none">
<rect width="32" height="32" rx="9" fill="#4f46e5"/>
<path d="M16 27V14m0 7 6-4.5M16 18l-5.5-4" stroke="#fff" stroke-width="2.2"
 stroke-linecap="round"/>
<circle cx="16" cy="10" r="3.6" fill="#fff"/><circle cx="23.4" cy="14.6" r="2.7"
 fill="#c7d2fe"/><circle cx="9" cy="12.6" r="2.7" fill="#c7d2fe"/></svg>"""


class Head:
    """Name, state and facts, in one line that stays on top.

    Args:
        on_theme: Called when light and dark are to change places.
    """

    def __init__(self, on_theme: Callable[[], Any]) -> None:
        with ui.element("header").classes("rk-head"):
            with ui.element("div").classes("rk-logo"):
                ui.html(LOGO, sanitize=False)
                ui.label("Rookery")
            self._state = ui.label("").props("data-testid=live")
            with ui.element("div").classes("rk-facts"):
                self._rules = _fact("Rule set", "ruleset")
                self._watermark = _fact("Archived to", "watermark")
                self._clock = _fact("UTC", "clock")
            with ui.element("div").classes("rk-tools"):
                ui.button(icon="contrast", on_click=on_theme, color=None).props(
                    "flat round dense aria-label='Dark or light'"
                )
                ui.button(
                    icon="data_object",
                    on_click=lambda: ui.navigate.to("/docs"),
                    color=None,
                ).props("flat round dense aria-label='REST interface'")
        self.set_state("Starting", "rk-warning")

    def set_state(self, text: str, tone: str) -> None:
        """Says in a word how the platform is doing.

        Args:
            text: The word.
            tone: A class of the style sheet.
        """
        self._state.set_text(text)
        self._state.classes(replace=f"rk-live {tone}".strip())

    def show(self, status: Status) -> None:
        """Shows the present facts.

        Args:
            status: The status.
        """
        worst = status.problems[0].severity if status.problems else "info"
        if worst != "info":
            self.set_state("Degraded", f"rk-{worst}")
        elif status.posts_per_second > 0:
            self.set_state("Live", "rk-on")
        else:
            self.set_state("Idle", "")
        self._rules.set_text(
            f"{status.ruleset[:8]} ({status.rules:,})" if status.ruleset else "none"
        )
        self._watermark.set_text(f"{status.watermark:,} of {status.last:,}")
        self._clock.set_text(f"{status.at:%H:%M:%S}")


def _fact(name: str, test: str) -> ui.label:
    with ui.element("span").classes("rk-fact"):
        ui.label(name)
        return ui.label("–").classes("rk-fact-value").props(f"data-testid={test}")


class Notes:
    """What a person should know, above everything else."""

    def __init__(self) -> None:
        self._frame = ui.element("div").classes("rk-notes")
        self._shown: tuple[Problem, ...] = ()

    def show(self, problems: Sequence[Problem]) -> None:
        """Shows problems; those that are shown already are not touched.

        Args:
            problems: What is the matter, the worst first.
        """
        if tuple(problems) == self._shown:
            return
        self._shown = tuple(problems)
        self._frame.clear()
        with self._frame:
            for problem in problems:
                note = ui.element("div").classes(f"rk-note rk-note-{problem.severity}")
                note.props(f"data-problem={problem.code} role=status")
                with note:
                    ui.label(problem.title).classes("rk-note-title")
                    ui.label(problem.hint).classes("rk-note-hint")


class Numbers:
    """The numbers that are looked at first."""

    def __init__(self) -> None:
        with ui.element("div").classes("rk-kpis"):
            self._posts = Kpi("posts-rate", "Posts", "/s")
            self._matches = Kpi("match-rate", "Matches", "/s")
            self._taken = Kpi("taken-in", "Posts taken in")
            self._matched = Kpi("matched", "Posts matched")
            self._matching = Kpi("match-lag", "Waiting for matching", "frames")
            self._archive = Kpi("archive-lag", "Waiting for the archive", "frames")

    def show(self, status: Status) -> None:
        """Shows the present numbers.

        Args:
            status: The status.
        """
        self._posts.show(
            value=content.compact(status.posts_per_second),
            spark=[rate.posts for rate in status.rates],
            note="matched against the rules",
        )
        self._matches.show(
            value=content.compact(status.matches_per_second),
            spark=[rate.matches for rate in status.rates],
            note=content.rate_note(status),
        )
        self._taken.show(
            value=content.compact(status.ingested.accepted),
            note=content.ingest_note(status),
        )
        self._matched.show(
            value=content.compact(status.matched.posts),
            note=content.matched_note(status),
        )
        codes = {problem.code for problem in status.problems}
        for kpi, lag, code, waited in (
            (self._matching, status.matching, "matching-stuck", "still for"),
            (self._archive, status.archiving, "archiver-behind", "oldest waits"),
        ):
            value, note = content.lag_text(lag, waited)
            kpi.show(value=value, note=note, tone="warning" if code in codes else "")
