"""Short SVG paths: relative, in whole units, so that a page of many drawings stays small."""

from __future__ import annotations

import re
from functools import lru_cache

TOKEN = re.compile(r"[A-Za-z]|-?\d*\.?\d+")
NUMBERS = {"M": 2, "L": 2, "T": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "A": 7, "Z": 0}


@lru_cache(maxsize=4096)
def short_path(path: str) -> str:
    """An absolute path as a relative one; each place is rounded by itself, so none drifts away."""
    tokens = TOKEN.findall(path)
    text, before, letter, i = "", "", "", 0
    x = y = start_x = start_y = 0
    while i < len(tokens):
        if tokens[i].isalpha():
            letter, i = tokens[i].upper(), i + 1
        many = NUMBERS[letter]
        values = [round(float(token)) for token in tokens[i : i + many]]
        i += many
        if letter == "Z":
            numbers = list[int]()
            x, y = start_x, start_y
        elif letter == "H":
            numbers, x = [values[0] - x], values[0]
        elif letter == "V":
            numbers, y = [values[0] - y], values[0]
        else:
            kept = values[:-2] if letter == "A" else []
            places = values[len(kept) :]
            numbers = kept + [v - (y if n % 2 else x) for n, v in enumerate(places)]
            x, y = places[-2:]
        if letter == "M":
            start_x, start_y = x, y
        sign = letter.lower()
        text += sign if sign != before else "" if numbers and numbers[0] < 0 else " "
        text += " ".join(map(str, numbers)).replace(" -", "-")
        before = "" if letter in "MZ" else sign
        letter = "L" if letter == "M" else letter
    return text
