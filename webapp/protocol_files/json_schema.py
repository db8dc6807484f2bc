"""JSON Schema of protocol files, generated from the models."""

from __future__ import annotations

import json

from webapp.domain.protocol import Protocol


def schema_text() -> str:
    """The schema as it lies in ``protocols/schema/protocol.schema.json``."""
    schema = Protocol.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "Steady Hands protocol, formats 1 and 2"
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
