"""The answers of somebody with whom nothing speaks against any protocol, as a form sends them."""

from __future__ import annotations

GROUPS = ("signs", "today", "illness", "place", "feet", "method", "glucose")
CHOICES = {
    "last-meal": "good",
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "last-insulin": "never",
    "dka-history": "no",
    "honey-patch": "yes",
    "trained": "yes",
}
READING = {
    "glucose-shown": "number",
    "glucose": "7.2",
    "unit": "mmol/L",
    "minutes-ago": "0",
}

# Fields that a protocol does not ask for are ignored, so these fit every protocol.
SAFE = (
    {f"none-{group}": "1" for group in GROUPS}
    | {f"q-{question}": token for question, token in CHOICES.items()}
    | READING
)
