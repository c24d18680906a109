"""The REST interface under /api."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query

from rookery.serving._answers import Answers
from rookery.serving._counts import Dimension
from rookery.serving._filters import Filter, Place, Sentiment
from rookery.serving._models import (
    DeadModel,
    DeadsModel,
    FacetsModel,
    PostsModel,
    ProblemDocument,
    RuleModel,
    RulesModel,
    StatusModel,
    VolumeModel,
)
from rookery.serving._rulebook import Rulebook
from rookery.serving._rules_api import rules_api

MAX_NAME = 1_024
MAX_SEARCH = 4_096


def asked_for(
    rule: Annotated[
        str | None,
        Query(max_length=MAX_NAME, description="Id of a rule that the post matched."),
    ] = None,
    source: Annotated[
        str | None, Query(max_length=MAX_NAME, description="Name of the source.")
    ] = None,
    language: Annotated[
        str | None,
        Query(
            max_length=MAX_NAME,
            description="Declared language, else the detected one (BCP 47). An empty"
            " value asks for posts whose language is not known.",
        ),
    ] = None,
    sentiment: Annotated[
        Sentiment | None, Query(description="Class of the sentiment score.")
    ] = None,
    start: Annotated[
        datetime | None,
        Query(description="First moment, inclusive, with a time zone (RFC 3339)."),
    ] = None,
    end: Annotated[
        datetime | None, Query(description="Last moment, exclusive.")
    ] = None,
) -> Filter:
    """Reads the filter that most questions share."""
    return Filter(rule, source, language, sentiment, start, end)


_Asked = Annotated[Filter, Depends(asked_for)]

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemDocument, "description": "A parameter contradicts another."},
    422: {"model": ProblemDocument, "description": "A parameter cannot be read."},
    503: {"model": ProblemDocument, "description": "Starting, or the log is away."},
}


def api(answers: Answers) -> APIRouter:
    """Makes the REST interface.

    Args:
        answers: What answers.

    Returns:
        Routes under /api.
    """
    router = APIRouter(prefix="/api", responses=_PROBLEMS)

    @router.get("/status", summary="How the platform is doing", tags=["platform"])
    async def status() -> StatusModel:
        """Totals, rates, lag of each stage, the watermark, and what is wrong.

        Everything is computed from one view: the lake up to `watermark`, and the log
        behind it up to `last`.
        """
        return StatusModel.of(await answers.status())

    @router.get("/volume", summary="Counts over time", tags=["counts"])
    async def volume(
        asked: _Asked,
        by: Annotated[
            Dimension | None,
            Query(description="What to split by; none: each post once."),
        ] = None,
        points: Annotated[
            int, Query(ge=1, le=1000, description="About how many buckets.")
        ] = 60,
        width: Annotated[
            int | None,
            Query(ge=1, le=525_600, description="Minutes in a bucket, exactly."),
        ] = None,
        top: Annotated[
            int, Query(ge=1, le=50, description="Series shown by themselves.")
        ] = 8,
    ) -> VolumeModel:
        """Matched posts in each bucket of time, without holes.

        Times are widened to whole minutes. A post that matched several rules counts
        under each of them when split by rule; `totals` counts it once.
        """
        counted = await answers.volume(
            asked, by=by, points=points, width=width, top=top
        )
        return VolumeModel.of(counted, await answers.totals(asked))

    @router.get("/rules", summary="The rules with their counts", tags=["counts"])
    async def rules(
        asked: _Asked,
        limit: Annotated[
            int, Query(ge=1, le=1000, description="At most so many.")
        ] = 100,
    ) -> RulesModel:
        """The rules of the current set, and former ones that have posts."""
        counted = await answers.rules(asked, limit=limit)
        current = answers.live.rules
        return RulesModel(
            ruleset=None if current is None else current.version,
            rules=tuple(map(RuleModel.of, counted)),
        )

    router.include_router(rules_api(Rulebook(answers.live)))

    @router.get("/facets", summary="What posts can be filtered by", tags=["counts"])
    async def facets(asked: _Asked) -> FacetsModel:
        """Sources and languages with their counts, and the time that has posts."""
        return FacetsModel.of(await answers.facets(asked))

    @router.get("/posts", summary="The matched posts", tags=["posts"])
    async def posts(
        asked: _Asked,
        q: Annotated[
            str | None,
            Query(
                max_length=MAX_SEARCH,
                description="What the post has to match, in the rule language.",
            ),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 50,
        cursor: Annotated[
            str | None,
            Query(max_length=4096, description="The `next` of the page before."),
        ] = None,
    ) -> PostsModel:
        """Posts, newest first, with the places of the words that matched.

        A page of a search may be short, even empty, and still have a `next`: the
        search stops after a number of posts and goes on from there.
        """
        below = None if cursor is None else Place.parse(cursor)
        page = await answers.posts(asked, below=below, limit=limit, search=q)
        return PostsModel.of(page)

    @router.get("/dead", summary="Dead letters", tags=["platform"])
    async def dead(
        limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 50,
        below: Annotated[
            int | None, Query(ge=1, description="The `next` of the page before.")
        ] = None,
    ) -> DeadsModel:
        """Records that could not be processed, each with its reason, newest first."""
        letters = await answers.dead(below=below, limit=limit)
        last = letters[-1].sequence if len(letters) == limit else None
        return DeadsModel(letters=tuple(map(DeadModel.of, letters)), next=last)

    @router.api_route(
        "/{path:path}",
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        include_in_schema=False,
    )
    async def nothing(path: str) -> None:
        # Else the page would answer, with a page.
        raise HTTPException(404, f"Nothing is at /api/{path}")

    return router
