"""Errors as answers: `{"error": what is wrong and what to do}`."""

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as AnyHTTPException

from tfreid.errors import DataError, ServingError, UsageError


def answer_failures(app: FastAPI) -> None:
    """Has an app answer every error as JSON, none with a traceback."""

    def answer(status: int, text: str, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse({"error": text}, status, headers)

    @app.exception_handler(AnyHTTPException)
    def http(request: Request, error: HTTPException) -> JSONResponse:
        return answer(error.status_code, error.detail, error.headers)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        # The place and the fault: what was sent, a picture perhaps, does not come back.
        faults = [f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()]
        return answer(422, "; ".join(faults))

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
