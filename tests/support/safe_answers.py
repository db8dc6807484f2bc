"""The answers of somebody with whom nothing speaks against any protocol, as a form sends them."""

from __future__ import annotations

GROUPS = ("signs", "today", "illness", "place", "feet", "method", "glucose", "hands")
CHOICES = {
    "last-meal": "good",
    "diabetes": "no",
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "sglt2": "no",
    "platelets": "none",
    "blood-pressure": "no",
    "procedure": "no",
    "procedure-place": "no",
    "port-place": "no",
    "honey-patch": "yes",
    "trained": "yes",
}
READING = {
    "glucose-shown": "number",
    "glucose": "7.2",
    "unit": "mmol/L",
    "trend": "steady",
    "minutes-ago": "0",
}

# Fields that a protocol does not ask for are ignored, so these fit every protocol.
SAFE = (
    {f"none-{group}": "1" for group in GROUPS}
    | {f"q-{question}": token for question, token in CHOICES.items()}
    | READING
)
