"""The REST interface for rules, under /api/rules."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Response
from fastapi.exceptions import RequestValidationError

from rookery.matching import store
from rookery.serving._models import ProblemDocument
from rookery.serving._rule_models import (
    MAX_ID,
    BacktestGiven,
    BacktestModel,
    ChangedModel,
    ClauseModel,
    EntryModel,
    ExplainGiven,
    HistoryModel,
    NewRulesGiven,
    PatchGiven,
    RuleGiven,
    StoredRuleModel,
)
from rookery.serving._rulebook import Rulebook, read_rule, read_rules

_ETAGS = re.compile(r'\s*(?:(?P<weak>W/)?"(?P<tag>[^"]*)"|(?P<any>\*))\s*(?:,|$)')

_Name = Annotated[
    str,
    Path(max_length=MAX_ID, description="Its name; `/`, `#` and such are escaped."),
]
_By = Annotated[
    str | None,
    Query(max_length=100, description="Who changes it; by default `rest`."),
]
_Note = Annotated[str, Query(max_length=500, description="Why, for the history.")]


def expected(
    if_match: Annotated[
        str | None,
        Header(
            max_length=1_000,
            description="The `ETag` of an answer: the version that has to be in force."
            " Else nothing is changed, and the answer is 412.",
        ),
    ] = None,
) -> tuple[str, ...] | None:
    """Reads the versions of which one has to be in force; None: any."""
    if if_match is None:
        return None
    tags: list[str] = []
    place = 0
    while place < len(if_match):
        found = _ETAGS.match(if_match, place)
        if found is None:
            message = (
                'give the ETag with its quotation marks, such as "1342565f59cf58da"'
            )
            where = ("header", "If-Match")
            raise RequestValidationError(
                [{"loc": where, "msg": message, "input": if_match, "type": "etag"}]
            )
        if found["any"]:
            return None
        if not found["weak"]:
            tags.append(found["tag"])
        place = found.end()
    return tuple(tags)


_Expected = Annotated[tuple[str, ...] | None, Depends(expected)]


def _problem(text: str) -> dict[str, Any]:
    return {"model": ProblemDocument, "description": text}


_UNKNOWN: dict[int | str, dict[str, Any]] = {
    404: _problem("There is no rule of this name.")
}
_REFUSED: dict[int | str, dict[str, Any]] = {
    409: _problem("It contradicts the rules there are, or a change at the same time."),
    412: _problem("Another version is in force than `If-Match` says."),
    413: _problem("The request is too large."),
}


def rules_api(book: Rulebook) -> APIRouter:
    """Makes the REST interface for rules.

    Args:
        book: What reads and changes them.

    Returns:
        Routes under /rules.
    """
    router = APIRouter(prefix="/rules", tags=["rules"])

    def changed(response: Response, done: store.Done) -> ChangedModel:
        response.headers["ETag"] = f'"{done.version}"'
        return ChangedModel.of(done)

    @router.get("/history", summary="Who has changed rules, when, how and why")
    async def history(
        rule: Annotated[
            str | None, Query(max_length=MAX_ID, description="Only of this rule.")
        ] = None,
        limit: Annotated[
            int, Query(ge=1, le=10_000, description="At most so many.")
        ] = 100,
    ) -> HistoryModel:
        """The audit trail, newest first; the newest 10,000 changes are kept."""
        entries = await book.history(rule, limit)
        return HistoryModel(entries=tuple(map(EntryModel.of, entries)))

    @router.post("/explain", summary="Why a rule matches a post, or why not")
    async def explain(given: ExplainGiven) -> ClauseModel:
        """Says clause by clause what is true of the post, and where it stands."""
        return ClauseModel.of(await book.explain(given))

    @router.post("/backtest", summary="What a rule would have matched")
    async def backtest(given: BacktestGiven) -> BacktestModel:
        """Tries a rule on the posts in the lake, before it is in force.

        It takes 20 seconds and 5,000,000 posts at most, and one at a time is tried.
        """
        return BacktestModel.of(await book.backtest(given))

    @router.post("", summary="Add rules", status_code=201, responses=_REFUSED)
    async def add(
        given: NewRulesGiven,
        response: Response,
        expect: _Expected,
        by: _By = None,
        note: _Note = "",
    ) -> ChangedModel:
        """Adds all rules, or none. Within a second they are in use."""
        rules = await read_rules(given.rules)
        done = await book.change(store.Add(rules), by=by, note=note, expect=expect)
        return changed(response, done)

    @router.get("/{name:path}", summary="One rule", responses=_UNKNOWN)
    async def one(name: _Name, response: Response) -> StoredRuleModel:
        """A rule in force. The name `history` cannot be asked for."""
        rule, version = await book.rule(name)
        response.headers["ETag"] = f'"{version}"'
        return StoredRuleModel.of(rule, version)

    @router.put("/{name:path}", summary="Set a rule", responses=_REFUSED)
    async def put(
        name: _Name,
        given: RuleGiven,
        response: Response,
        expect: _Expected,
        by: _By = None,
        note: _Note = "",
    ) -> ChangedModel:
        """Replaces a rule, or adds it where there is none of this name."""
        change = store.Change(
            name, read_rule(given.rule), given.tags, given.enabled, create=True
        )
        done = await book.change(change, by=by, note=note, expect=expect)
        return changed(response, done)

    @router.patch(
        "/{name:path}", summary="Change a rule", responses=_UNKNOWN | _REFUSED
    )
    async def patch(
        name: _Name,
        given: PatchGiven,
        response: Response,
        expect: _Expected,
        by: _By = None,
        note: _Note = "",
    ) -> ChangedModel:
        """Changes what is given of a rule: its expression, its tags, its switch."""
        rules = None if given.rule is None else read_rule(given.rule)
        change: store.Edit = store.Change(name, rules, given.tags, given.enabled)
        if rules is None and given.tags is None and given.enabled is not None:
            change = store.Switch((name,), given.enabled)
        done = await book.change(change, by=by, note=note, expect=expect)
        return changed(response, done)

    @router.delete(
        "/{name:path}", summary="Remove a rule", responses=_UNKNOWN | _REFUSED
    )
    async def remove(
        name: _Name,
        response: Response,
        expect: _Expected,
        by: _By = None,
        note: _Note = "",
        allow_empty: Annotated[
            bool, Query(description="Also if it is the last one.")
        ] = False,
    ) -> ChangedModel:
        """Removes a rule; what it matched before stays."""
        change = store.Remove((name,), allow_empty)
        done = await book.change(change, by=by, note=note, expect=expect)
        return changed(response, done)

    return router
