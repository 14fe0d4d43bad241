"""The API's reference as a page that loads nothing from elsewhere."""

from collections.abc import Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Any


def reference_page(openapi: Mapping[str, Any]) -> str:
    """Returns HTML that describes an API.

    Args:
      openapi: the API as OpenAPI describes it.
    """
    schemas = openapi.get("components", {}).get("schemas", {})
    operations = [
        _operation(path, method, operation, schemas)
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
    ]
    template = resources.files("tfreid.gallery.web").joinpath("reference.html").read_text("utf-8")
    return Template(template).substitute(
        title=escape(openapi["info"]["title"]),
        description=escape(openapi["info"]["description"]),
        operations="\n".join(operations),
    )


def _operation(path: str, method: str, operation: Mapping, schemas: Mapping) -> str:
    fields = [
        (one["name"], one["schema"], one["required"]) for one in operation.get("parameters", [])
    ]
    for content in operation.get("requestBody", {}).get("content", {}).values():
        body = _resolved(content["schema"], schemas)
        required = body.get("required", [])
        fields += [(name, one, name in required) for name, one in body["properties"].items()]
    answers = next(one for code, one in operation["responses"].items() if code.startswith("2"))
    answer = "; ".join(
        f"{kind}: {_kind(content.get('schema', {}), schemas)}"
        for kind, content in answers.get("content", {}).items()
    )
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_kind(one, schemas))}"
        f"{'' if required else ', optional'}. {escape(one.get('description', ''))}</dd>"
        for name, one, required in fields
    )
    return (
        f'<section class="card"><h2><code>{method.upper()} {escape(path)}</code></h2>'
        f"<p>{escape(operation.get('description', ''))}</p><dl>{rows}"
        f"<dt>answer</dt><dd>{escape(answer)}</dd></dl></section>"
    )


def _resolved(schema: Mapping, schemas: Mapping) -> Mapping:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _kind(schema: Mapping, schemas: Mapping) -> str:
    """A type in words, such as `list of text`; objects with their fields."""
    schema = _resolved(schema, schemas)
    if "anyOf" in schema:
        return " or ".join(_kind(one, schemas) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}), schemas)}"
    if "properties" in schema:
        inside = (f"{name}: {_kind(one, schemas)}" for name, one in schema["properties"].items())
        return "{" + ", ".join(inside) + "}"
    if "contentMediaType" in schema:
        return "file"
    return schema.get("format") or schema.get("type", "bytes")
