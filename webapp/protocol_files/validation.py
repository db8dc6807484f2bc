"""Validation: a JSON value as a pydantic model, or its faults in words with line and JSON path."""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from webapp.domain.protocol import Model
from webapp.domain.signs import sign_name
from webapp.protocol_files import json_reader
from webapp.protocol_files.json_reader import Document, Fault

ModelT = TypeVar("ModelT", bound=Model)


def validate(
    document: Document, value: object, place: json_reader.Path, model: type[ModelT]
) -> tuple[ModelT | None, list[Fault]]:
    """``value`` as ``model``, or None with every fault of it at once."""
    try:
        return model.model_validate_json(to_json(value), strict=True), []
    except ValidationError as error:
        return None, model_faults(document, value, place, error.errors(include_url=False))


def to_json(value: object) -> str:
    """Back to text: in JSON mode the strict models take lists for tuples, and nothing else."""
    return json.dumps(value)


def model_faults(
    document: Document, value: object, place: json_reader.Path, errors: list[ErrorDetails]
) -> list[Fault]:
    """The model's complaints, one for each place, with line and path in the file.

    A value that was refused in reading stands in as 0 or marred: of that nothing more is told.
    """
    told = {fault.path for fault in document.faults}
    around = {path[:n] for path in told for n in range(len(path))}
    messages: dict[json_reader.Path, list[tuple[str, str]]] = {}
    for error in errors:
        path = (*place, *path_in(value, error["loc"]))
        marred = path in told or (error["type"] == "value_error" and path in around)
        if not marred and is_real(error):
            messages.setdefault(path, []).append(describe_error(error))
    return [Fault(document.line(p), p, join_messages(m)) for p, m in messages.items()]


def is_real(error: ErrorDetails) -> bool:
    """False where a list only seems too short, because entries of it have faults of their own."""
    least = error.get("ctx", {}).get("min_length", 0)
    return error["type"] != "too_short" or len(error["input"]) < least


def join_messages(messages: list[tuple[str, str]]) -> str:
    """What is wrong, once, and everything that would have been right."""
    wrong = messages[0][0]
    expected = " or ".join(dict.fromkeys(text for _, text in messages if text))
    return f"{wrong}, expected {expected}" if expected else wrong


def path_in(value: object, location: tuple[str | int, ...]) -> json_reader.Path:
    """The model's location without the names of union members, which stand in no file."""
    path: list[str | int] = []
    inner: object = value
    for number, part in enumerate(location):
        in_list = isinstance(inner, list) and isinstance(part, int) and part < len(inner)
        if in_list or (isinstance(inner, dict) and part in inner):
            inner = inner[part]  # type: ignore[index]
        elif not (isinstance(inner, dict) and number == len(location) - 1):
            continue
        path.append(part)
    return tuple(path)


EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text in double quotes",
    "bool_type": "true or false",
    "tuple_type": "a list in [ ]",
    "dict_type": "an object in { }",
    "model_type": "an object in { }",
}
FORMS = {
    "origin": "parts like 'base L181', 'source R15' or 'inferred', joined by '; '",
    "date": "a date like '2026-01-31'",
}


def describe_error(error: ErrorDetails) -> tuple[str, str]:
    """What is wrong and what is expected, without the words of the model library."""
    found = f"found {quote_value(error['input'])}"
    match error["type"]:
        case "missing":
            return "this field is missing", "it here"
        case "extra_forbidden":
            return "unknown field", "only the fields of the format"
        case "string_pattern_mismatch":
            form = FORMS.get(str(error["loc"][-1]), "lower-case words joined by '-'")
            return found + odd_sign_in(error["input"]), form
        case "string_too_short":
            return "found an empty text", "at least one character"
        case "literal_error":
            return found, str(error["ctx"]["expected"])
        case "value_error":
            return str(error["ctx"]["error"]), ""
    return beyond_a_limit(error) or (
        found,
        EXPECTED.get(error["type"], "what the format asks for here"),
    )


def odd_sign_in(text: str) -> str:
    """The name of the first sign that only looks like one of those that are expected."""
    odd = next((sign for sign in text if not sign.isascii()), None)
    return f" with {sign_name(odd)}" if odd else ""


def beyond_a_limit(error: ErrorDetails) -> tuple[str, str] | None:
    """Return what is too long, short, small or large, and the limit; None for other errors."""
    context = error.get("ctx", {})
    out_of_range = f"{quote_value(error['input'])} is out of range"
    match error["type"]:
        case "string_too_long":
            return f"{len(error['input'])} characters", f"at most {context['max_length']}"
        case "too_long":
            return count_entries(error["input"]), f"at most {context['max_length']}"
        case "too_short":
            return count_entries(error["input"]), f"at least {context['min_length']}"
        case "greater_than_equal":
            return out_of_range, f"at least {context['ge']}"
        case "less_than_equal":
            return out_of_range, f"at most {context['le']}"
        case "less_than":
            return out_of_range, f"less than {context['lt']}"
    return None


def count_entries(found: list[object]) -> str:
    """Return the number of entries in words."""
    return "1 entry" if len(found) == 1 else f"{len(found)} entries"


def quote_value(value: object) -> str:
    """A value as it stands in the file, cut short; texts in single quotes."""
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:39] + "…")
    return json.dumps(value)
