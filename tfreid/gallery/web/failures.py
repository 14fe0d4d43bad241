"""Errors as answers: `{"error": what is wrong and what to do}`."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.routing import Match
from starlette.types import Scope

from tfreid.errors import DataError, ServingError, UsageError

_OF_PATHS = {
    404: "there is nothing at {path}: /docs lists what there is",
    405: "{path} cannot be asked by {method}: /docs lists what it takes",
}
_OF_FIELDS = {
    "missing": "must be given",
    "int_parsing": "expected a whole number",
    "greater_than_equal": "expected {ge} or more",
    "less_than_equal": "expected {le} or less",
    "less_than": "expected less than {lt}",
}
"""pydantic's types of errors -> what is said of a field."""


class ErrorAnswer(BaseModel):
    """What every error is answered with."""

    error: str


RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "What is wrong with the request."},
    "5XX": {"model": ErrorAnswer, "description": "The gallery, its database or its model failed."},
}
"""Errors as OpenAPI describes them, in place of the framework's own form."""


def answer_failures(app: FastAPI, router: APIRouter) -> None:
    """Has an app answer every error as JSON, none with a traceback.

    Args:
      app: whose errors.
      router: has the routes of which several are of one path.
    """

    def answer(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": text}, status, headers)

    @app.exception_handler(AnyHTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        text, status = error.detail, error.status_code
        if text == HTTPStatus(status).phrase:  # The framework's own.
            form = _OF_PATHS.get(status, "the request cannot be answered: {path}")
            text = form.format(path=request.url.path, method=request.method)
        headers = error.headers
        if status == 405 and (methods := _methods_at(router, request.scope)):
            headers = {"Allow": methods}
        return answer(status, text, headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(422, "; ".join(dict.fromkeys(map(_fault, error.errors()))))

    @app.exception_handler(UsageError)
    def misuse(request: Request, error: UsageError) -> JSONResponse:
        return answer(400, str(error))

    @app.exception_handler(DataError)
    def data(request: Request, error: DataError) -> JSONResponse:
        return answer(500, str(error))

    @app.exception_handler(ServingError)
    def unavailable(request: Request, error: ServingError) -> JSONResponse:
        return answer(503, str(error))

    @app.exception_handler(Exception)
    def unexpected(request: Request, error: Exception) -> JSONResponse:
        return answer(500, "the server failed, which is not your fault; its log says how")


def _methods_at(router: APIRouter, scope: Scope) -> str:
    """The methods of a path, of which the framework tells those of one route."""
    fitting = (one.path for one in router.routes if one.matches(scope)[0] is not Match.NONE)
    path = next(fitting, None)
    methods = {method for one in router.routes if one.path == path for method in one.methods}
    return ", ".join(sorted(methods))


def _fault(found: Mapping[str, Any]) -> str:
    """The field and the fault: what was sent, a picture perhaps, does not come back."""
    limits = found.get("ctx", {})
    if isinstance(limits.get("error"), UsageError):
        text = str(limits["error"])
    else:
        form = _OF_FIELDS.get(found["type"], "not as /docs describes it")
        text = form.format(**limits)
    return f"{'.'.join(map(str, found['loc'][1:])) or 'the request'}: {text}"
