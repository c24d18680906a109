"""The page itself: builds it once for each visitor and keeps it up to date."""

import functools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from nicegui import ui
from nicegui.events import ValueChangeEventArguments

from rookery.bus import BusError
from rookery.lake import LakeError
from rookery.serving._answers import Answers, RuleCount
from rookery.serving._counts import Dimension, Ranked
from rookery.serving._errors import NotReady, SearchInvalid
from rookery.serving._page import _content as content
from rookery.serving._page._choice import RANGES, SENTIMENTS, UNKNOWN, Choice
from rookery.serving._page._components import PostList, RuleTable
from rookery.serving._page._head import LOGO, Head, Notes, Numbers
from rookery.serving._search import SEARCH_LIMIT
from rookery.serving._status import Problem

REFRESH_SECONDS = 1.0
PAGE_POSTS = 50
MAX_POSTS = 200
TABLE_RULES = 100
CHART_POINTS = 60
SPLITS = {kind.value: kind.title() for kind in Dimension}


def add_page(answers: Answers) -> None:
    """Puts the page at `/`.

    Args:
        answers: What answers its questions.
    """

    def page(request: Request) -> None:
        Dashboard(answers, dict(request.query_params)).build()

    ui.page("/", title="Rookery", favicon=LOGO, language="en-US")(page)


@functools.cache
def _style() -> str:
    return Path(__file__).with_name("page.css").read_text(encoding="utf-8")


class Dashboard:
    """One visitor's page.

    Args:
        answers: What answers its questions.
        address: The query of the address: filters, and `dark` for the theme.
    """

    def __init__(self, answers: Answers, address: dict[str, str]) -> None:
        self._answers = answers
        self._choice = Choice.of(address)
        self._dark = {"1": True, "0": False}.get(address.get("dark", ""))
        self._by = Dimension.RULE
        self._colours = content.Colours()
        self._limit = PAGE_POSTS
        self._epoch = 0
        self._setting = False

    def build(self) -> None:
        """Puts the elements on the page and starts to keep them up to date."""
        ui.add_css(_style())
        ui.colors(primary="#4f46e5", positive="#10b981", negative="#ef4444")
        self._theme = ui.dark_mode(self._dark)
        self._head = Head(self._toggle_theme)
        with ui.element("main").classes("rk-main"):
            self._notes = Notes()
            self._numbers = Numbers()
            with ui.element("div").classes("rk-filters"):
                self._build_filters()
            with ui.element("div").classes("rk-grid"):
                with ui.element("div").classes("rk-left"):
                    self._build_chart()
                    self._build_rules()
                self._build_posts()
        ui.timer(REFRESH_SECONDS, self.refresh)

    def _build_filters(self) -> None:
        choice = self._choice
        self._search = (
            ui.input(
                placeholder='Search in the rule language: fire OR "power cut" -drill',
                value=choice.search,
                on_change=self._chosen,
            )
            .props("outlined dense clearable debounce=350 aria-label=Search")
            .props("data-testid=search")
            .classes("rk-search")
        )
        with self._search.add_slot("prepend"):
            ui.icon("search", size="18px")
        self._selects = {
            "rule": self._select("rule", {"": "All rules"}, searchable=True),
            "source": self._select("source", {"": "All sources"}),
            "language": self._select("language", {"": "All languages"}),
            "sentiment": self._select("sentiment", SENTIMENTS),
            "time": self._select("time", RANGES),
        }
        ui.button("Reset", on_click=self._clear, color=None).props(
            "flat no-caps"
        ).classes("rk-reset")

    def _select(
        self, name: str, options: dict[str, str], searchable: bool = False
    ) -> ui.select:
        value = getattr(self._choice, name)
        select = ui.select(
            content.options(options.items(), options[""], value),
            value=value,
            on_change=self._chosen,
            with_input=searchable,
        )
        select.props(f"outlined dense options-dense aria-label={name.title()}")
        return select.props(f"data-testid={name}").classes(f"rk-{name}-filter")

    def _build_chart(self) -> None:
        with ui.element("section").classes("rk-card"):
            self._chart_note = _heading("Matched posts over time", self._build_split)
            self._chart = ui.echart(
                content.chart(content.NO_VOLUME, self._by, self._colours)
            ).classes("rk-chart")

    def _build_split(self) -> None:
        ui.toggle(SPLITS, value=self._by.value, on_change=self._split).props(
            "unelevated dense no-caps toggle-color=primary"
        )

    def _build_rules(self) -> None:
        with ui.element("section").classes("rk-card"):
            self._rules_note = _heading("Rules")
            self._rules = RuleTable(self._choose_rule)

    def _build_posts(self) -> None:
        with ui.element("section").classes("rk-card rk-posts-card"):
            self._posts_note = _heading("Matched posts")
            self._posts = PostList(self._choose_rule, self._show_more)

    async def refresh(self) -> None:
        """Brings everything on the page up to date."""
        try:
            status = await self._answers.status()
            self._head.show(status)
            self._notes.show(status.problems)
            self._numbers.show(status)
            newest = self._answers.newest()
            await self._show_counts(newest, status.rules)
            await self._show_posts(newest, [each.code for each in status.problems])
        except NotReady as error:
            self._trouble("Starting", "warning", str(error))
        except (BusError, LakeError) as error:
            self._trouble("Interrupted", "error", str(error))

    def _trouble(self, state: str, severity: str, text: str) -> None:
        self._head.set_state(state, f"rk-{severity}")
        self._notes.show([Problem(state.lower(), severity, state, text)])

    async def _show_counts(self, newest: datetime | None, current: int) -> None:
        answers, colours = self._answers, self._colours
        asked = self._choice.asked(newest)
        wide = self._choice.without("rule").asked(newest)
        rules = await answers.rules(wide, limit=TABLE_RULES)
        totals = await answers.totals(wide)
        # First, so that the largest rules have the first colours.
        rows = content.rule_rows(rules, totals.posts, colours)
        self._rules.show(rules=rows, chosen=self._choice.rule)
        self._rules_note.set_text(content.rules_note(rules, current))
        volume = await answers.volume(asked, by=self._by, points=CHART_POINTS)
        options = content.chart(volume, self._by, colours)
        if options != self._chart.options:
            self._chart.options.clear()
            self._chart.options.update(options)
            self._chart.update()
        self._chart_note.set_text(f"{content.bucket_text(volume.width)}, UTC")
        facets = await answers.facets(self._choice.asked(newest))
        self._offer(rules, facets.sources, facets.languages)

    def _offer(
        self,
        rules: list[RuleCount],
        sources: tuple[Ranked, ...],
        languages: tuple[Ranked, ...],
    ) -> None:
        offered = {
            "rule": ("All rules", [(rule.id, rule.id) for rule in rules]),
            "source": ("All sources", [(s.key or "", s.key or "") for s in sources]),
            "language": (
                "All languages",
                [(each.key or UNKNOWN, each.key or "not known") for each in languages],
            ),
        }
        for name, (everything, names) in offered.items():
            select = self._selects[name]
            chosen = getattr(self._choice, name)
            options = content.options(sorted(names), everything, chosen)
            if options != select.options:
                select.set_options(options)

    async def _show_posts(self, newest: datetime | None, problems: list[str]) -> None:
        choice = self._choice
        try:
            page = await self._answers.posts(
                choice.asked(newest), limit=self._limit, search=choice.search
            )
        except SearchInvalid as error:
            self._search.error = error.shown
            self._posts.show(empty=content.UNREADABLE)
            return
        self._search.error = None
        now = datetime.now(UTC)
        posts = [
            content.post_card(row, self._colours, now=now)
            for row in page.posts.to_pylist()
        ]
        full = self._limit >= MAX_POSTS
        searching = bool(choice.search.strip())
        self._posts.show(
            posts=posts,
            epoch=self._epoch,
            more=page.next is not None and not full,
            note=content.end_note(page, full=full, limit=SEARCH_LIMIT),
            empty=content.empty_state(problems, choice.narrows(), searching),
        )
        note = "those the search finds, newest first" if searching else "newest first"
        self._posts_note.set_text(note if posts else "")

    async def _chosen(self, event: ValueChangeEventArguments[Any]) -> None:
        del event
        if self._setting:
            return
        given = {name: select.value or "" for name, select in self._selects.items()}
        await self._choose(Choice.of({**given, "search": self._search.value or ""}))

    async def _choose_rule(self, rule: str) -> None:
        chosen = "" if rule == self._choice.rule else rule
        await self._choose(replace(self._choice, rule=chosen))

    async def _clear(self) -> None:
        await self._choose(Choice())

    async def _choose(self, choice: Choice) -> None:
        if choice == self._choice:
            return
        self._choice = choice
        self._limit = PAGE_POSTS
        self._epoch += 1
        self._setting = True
        for name, select in self._selects.items():
            value = getattr(choice, name)
            known = dict(select.options)
            if value not in known:
                select.set_options({**known, value: value})
            select.set_value(value)
        self._search.set_value(choice.search)
        self._setting = False
        query = urlencode(choice.chosen)
        ui.navigate.history.replace(f"/?{query}" if query else "/")
        await self.refresh()

    async def _show_more(self) -> None:
        self._limit = min(MAX_POSTS, self._limit + PAGE_POSTS)
        self._epoch += 1
        await self.refresh()

    async def _split(self, event: ValueChangeEventArguments[Any]) -> None:
        self._by = Dimension(event.value)
        await self.refresh()

    def _toggle_theme(self) -> None:
        self._theme.set_value(not self._theme.value)


def _heading(text: str, tools: Any = None) -> ui.label:
    with ui.element("div").classes("rk-card-head"):
        with ui.element("h2"):
            ui.label(text)
        note = ui.label("").classes("rk-muted")
        if tools is not None:
            tools()
    return note
