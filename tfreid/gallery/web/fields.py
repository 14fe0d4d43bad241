"""What a request may say: what would have no effect is refused."""

import typing
from collections.abc import Collection, Mapping

from fastapi import HTTPException, Request
from fastapi.dependencies.models import Dependant
from starlette.datastructures import FormData

from tfreid.field_names import nearest_fields

_MOST_CHARACTERS = 40


def form_fields(dependant: Dependant) -> dict[str, bool]:
    """Returns the fields of a route's form, each with whether it takes several values."""
    return {
        one.alias: typing.get_origin(one.field_info.annotation) is list
        for one in dependant.body_params
    }


def check_request(request: Request, fields: Collection[str]) -> None:
    """Makes sure that nothing is said beside a form: no route has query parameters.

    Args:
      request: whose body is not read yet.
      fields: of its form.

    Raises:
      HTTPException: naming what would have no effect.
    """
    for name in request.query_params:
        is_field = name in fields
        hint = "send it in the form, as curl -F does" if is_field else _hint(name, fields)
        raise HTTPException(422, f"{_shown(name)}: the address takes no parameters; {hint}")
    has_body = request.headers.get("content-length", "0") != "0"
    if not fields and (has_body or "transfer-encoding" in request.headers):
        raise HTTPException(422, "this request takes no body: what it says would have no effect")


def check_form(form: FormData, fields: Mapping[str, bool]) -> None:
    """Makes sure that every field of a form counts.

    Args:
      form: as it was sent.
      fields: name of each -> whether it takes several values.

    Raises:
      HTTPException: naming fields that are not known, and those that are given too often.
    """
    faults = []
    for name in form:
        count = len(form.getlist(name))
        if name not in fields:
            faults.append(f"{_shown(name)}: no field of this request; {_hint(name, fields)}")
        elif count > 1 and not fields[name]:
            faults.append(f"{name}: takes one value and is given {count} times: give it once")
    if faults:
        raise HTTPException(422, "; ".join(faults))


def _hint(name: str, fields: Collection[str]) -> str:
    near = nearest_fields(name, fields)
    return f"did you mean {' or '.join(near)}?" if near else "/docs lists what it takes"


def _shown(name: str) -> str:
    return name if len(name) <= _MOST_CHARACTERS else f"{name[:_MOST_CHARACTERS]}…"
