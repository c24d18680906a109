"""The REST interface described for people, without anything from other servers."""

from collections.abc import Iterator
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #8881; --accent: #6366f1 }
body { font: 15px/1.55 system-ui, sans-serif; max-width: 880px; margin: 0 auto;
  padding: 32px 24px 64px }
h1 { font-size: 26px; margin: 0 0 4px } h2 { font-size: 17px; margin: 0 }
code, pre { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace }
section { border: 1px solid var(--line); border-radius: 12px; margin: 18px 0;
  padding: 16px 20px }
section > code { display: block; margin: 4px 0 8px; color: var(--accent) }
p { margin: 6px 0; white-space: pre-line } a { color: var(--accent) }
table { width: 100%; border-collapse: collapse; font-size: 14px; margin-top: 10px }
td { border-top: 1px solid var(--line); padding: 6px 10px 6px 0;
  vertical-align: top } td:first-child { width: 130px }
td:nth-child(2) { width: 150px; opacity: .7 }
"""


def docs_page(schema: dict[str, Any]) -> str:
    """Describes an interface.

    Args:
        schema: Its OpenAPI document.

    Returns:
        A page.
    """
    parts = []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(method.upper(), path, operation, schema))
    info = schema["info"]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport"'
        ' content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{_STYLE}</style>"
        f"<h1>{escape(info['title'])}</h1><p>{escape(info.get('description', ''))}</p>"
        '<p><a href="/">Dashboard</a> · <a href="/openapi.json">OpenAPI document</a>'
        f" · version {escape(info['version'])}</p>{''.join(parts)}</html>"
    )


def _operation(
    method: str, path: str, operation: dict[str, Any], schema: dict[str, Any]
) -> str:
    rows = "".join(_parameter(each) for each in operation.get("parameters", ()))
    rows += "".join(_fields(operation, schema))
    table = f"<table>{rows}</table>" if rows else ""
    return (
        f"<section><h2>{escape(operation.get('summary', ''))}</h2>"
        f"<code>{method} {escape(path)}</code>"
        f"<p>{escape(operation.get('description', ''))}</p>{table}</section>"
    )


def _fields(operation: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    """Describes the fields of the JSON object that is sent."""
    content = operation.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    if reference:
        sent = schema["components"]["schemas"][reference.split("/")[-1]]
        for name, field in sent["properties"].items():
            text = escape(field.get("description", ""))
            kind = escape(_kind(field))
            yield f"<tr><td><code>{escape(name)}</code><td>JSON, {kind}<td>{text}"


def _parameter(parameter: dict[str, Any]) -> str:
    text = escape(parameter.get("description", ""))
    kind = escape(_kind(parameter.get("schema", {})))
    return f"<tr><td><code>{escape(parameter['name'])}</code><td>{kind}<td>{text}"


def _kind(schema: dict[str, Any]) -> str:
    kinds = [each for each in schema.get("anyOf", [schema])]
    names = [
        each.get("format") or each.get("type") or each.get("$ref", "").split("/")[-1]
        for each in kinds
    ]
    default = f", default {schema['default']}" if "default" in schema else ""
    return " or ".join(name for name in names if name != "null") + default
