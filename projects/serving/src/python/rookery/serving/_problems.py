"""Errors as problem documents (RFC 9457): what, where, and what to do."""

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rookery.bus import BusError
from rookery.lake import LakeError
from rookery.serving._errors import (
    FilterInvalid,
    NotReady,
    RuleRefused,
    SearchInvalid,
)
from rookery.serving._models import ProblemDocument

PROBLEM = "application/problem+json"
_log = structlog.get_logger()


def handle_problems(app: FastAPI) -> None:
    """Makes an application answer every error with a problem document.

    Args:
        app: The application.
    """

    def on(kind: type[Exception], status: int, name: str, title: str) -> None:
        async def handle(request: Request, error: Exception) -> JSONResponse:
            del request
            return _answer(status, name, title, str(error), **_place(error))

        app.add_exception_handler(kind, handle)

    on(FilterInvalid, 400, "filter-invalid", "The filter cannot be used")
    on(SearchInvalid, 422, "search-invalid", "The search is not in the rule language")
    on(NotReady, 503, "not-ready", "Not ready yet")
    on(BusError, 503, "log-away", "The log does not answer")
    on(LakeError, 503, "lake-away", "The lake cannot be read")
    app.add_exception_handler(RuleRefused, _rule)
    app.add_exception_handler(RequestValidationError, _parameters)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _place(error: Exception) -> dict[str, Any]:
    match error:
        case FilterInvalid():
            return {"where": error.field}
        case SearchInvalid():
            return {"where": "q", "column": error.column, "hint": error.hint}
    return {}


_RULE_TITLES = {
    "rule-invalid": "The rule cannot be used",
    "rule-taken": "There is a rule of this name already",
    "rule-unknown": "There is no such rule",
    "rules-away": "The rules cannot be read",
    "rules-changed": "Somebody else has changed the rules",
    "rules-empty": "No rule would be left",
}


async def _rule(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RuleRefused):
        return await _unexpected(request, error)
    return _answer(
        error.status,
        error.name,
        _RULE_TITLES[error.name],
        error.message,
        where=error.where,
        line=error.line,
        column=error.column,
        hint=error.hint,
    )


async def _parameters(request: Request, error: Exception) -> JSONResponse:
    del request
    found = error.errors() if isinstance(error, RequestValidationError) else []
    places = [".".join(map(str, each["loc"][1:])) for each in found]
    texts = [
        f"{place}: {each['msg']}, not {str(each.get('input'))[:80]!r}"
        for place, each in zip(places, found, strict=True)
    ]
    return _answer(
        422,
        "parameter-invalid",
        "A parameter cannot be read",
        "; ".join(texts),
        where=places[0] if places else None,
    )


async def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        return await _unexpected(request, error)
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"nothing is at {request.url.path}: see /docs for what there is"
    answer = _answer(error.status_code, "http", str(error.detail), detail)
    answer.headers.update(error.headers or {})
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    _log.error("request failed", action="answer", path=request.url.path, exc_info=error)
    return _answer(
        500, "unexpected", "A bug", "the log of the serving process has the traceback"
    )


def _answer(
    status: int, name: str, title: str, detail: str, **place: Any
) -> JSONResponse:
    document = ProblemDocument(
        type=name, title=title, status=status, detail=detail, **place
    )
    return JSONResponse(
        document.model_dump(exclude_none=True),
        status_code=status,
        media_type=PROBLEM,
        headers={"Retry-After": "1"} if status == 503 else None,
    )
