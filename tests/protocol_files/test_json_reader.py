"""What ``json`` reads without a fault, the fault locator reads the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webapp.protocol_files.json_reader import NotJsonError, locate_faults, parse, strict_value
from webapp.settings import shipped

TEXTS = st.text(max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
# What JSON is made of, put together as it comes.
PIECES = st.one_of(
    st.sampled_from('{}[],:" \n\t/é\ufeff٣'),
    st.sampled_from(['"a"', '"a":', '"a\\"', "\\n", "\\u0041", "\\ud800", "\x7f", "\ud800", "x\t"]),
    st.sampled_from(["1", "-0", "1.5", "1e5", "123456789012345", "1234567890123456", "NaN"]),
    st.sampled_from(["-Infinity", "true", "null", "nul", "[" * 33, "]" * 33, '{"a":1,"a":2}']),
)


def outcome(text: str, *, quick: bool, stored: bool = False) -> object:
    """The value with its types and all faults; or the one that stopped the reading."""
    try:
        read = parse if quick else locate_faults
        document = read(text, stored=stored)
    except NotJsonError as error:
        return error.fault
    return repr(document.value), document.faults, document.line(()), document.line(("a", 0))


@given(VALUES, st.sampled_from([None, 1]), st.booleans())
@example({"a": [["deep"]]}, 1, True)
def test_whatever_is_json_is_read_the_same(value: object, indent: int | None, plain: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=plain)
    for stored in (False, True):
        assert outcome(text, quick=True, stored=stored) == outcome(text, quick=False, stored=stored)


@given(st.lists(PIECES, max_size=12))
@example(["[" * 33, "]" * 33])
@example(["[", '"]]"', "[" * 32, "]" * 32, "]"])
@example(['{"a":1,"a":2}'])
@example(['"', "\x7f", '"'])
def test_whatever_is_no_json_is_refused_the_same(pieces: list[str]) -> None:
    text = "".join(pieces)
    for stored in (False, True):
        assert outcome(text, quick=True, stored=stored) == outcome(text, quick=False, stored=stored)


@pytest.mark.parametrize(
    "text", ['{"a":1,"a":2}', "NaN", '"\\u0000"', "[" * 33 + "]" * 33, "1e400"]
)
def test_what_may_be_a_fault_is_left_to_the_locator(text: str) -> None:
    with pytest.raises(ValueError, match=r"perhaps|twice|deep|no JSON"):
        strict_value(text)


def test_the_shipped_files_need_no_locator() -> None:
    files = [
        path for path in sorted(shipped("protocols").rglob("*.json")) if "schema" not in path.name
    ]
    assert len(files) > 20
    for path in files:
        assert strict_value(Path(path).read_text(encoding="utf-8")) is not None, path.name


ODD = {
    "\u00a0": "U+00A0 (no-break space)",
    "\u2003": "U+2003 (em space)",
    "\u202f": "U+202F (narrow no-break space)",
    "\u3000": "U+3000 (ideographic space)",
    "\u2028": "U+2028 (line separator)",
    "\u2029": "U+2029 (paragraph separator)",
    "\u0085": "U+0085 (next line)",
    "\f": "U+000C (form feed)",
    "\v": "U+000B (vertical tab)",
    "\u200b": "U+200B (zero width space)",
    "\u200d": "U+200D (zero width joiner)",
    "\u2060": "U+2060 (word joiner)",
    "\ufeff": "U+FEFF (byte order mark)",
    "\u200e": "U+200E (left-to-right mark)",
    "\u3164": "U+3164 (hangul filler)",
    "\0": "U+0000 (null)",
    "\x1a": "U+001A (control character)",
}
PLACES = {
    "at the start": '{0}{{"format": 1}}',
    "before a key": '{{{0}"format": 1}}',
    "after a key": '{{"format"{0}: 1}}',
    "before a value": '{{"format":{0}1}}',
    "after a number": '{{"format": 1{0}}}',
    "after a word": '{{"format": true{0}}}',
    "after a text": '{{"format": "a"{0}}}',
    "after a comma": '{{"format": 1,{0}"id": 2}}',
    "before a comma": '{{"format": 1{0},"id": 2}}',
    "in a list": "[1,{0}2]",
    "at the end": '{{"format": 1}}\n{0}',
    "alone": "{0}",
}


@pytest.mark.parametrize("sign", ODD)
@pytest.mark.parametrize("place", PLACES)
def test_a_blank_that_is_none_is_named_for_what_it_is(place: str, sign: str) -> None:
    with pytest.raises(NotJsonError) as refused:
        parse(PLACES[place].format(sign))
    assert ODD[sign] in refused.value.fault.message
    assert "end of the file" not in refused.value.fault.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": "x\u2028y"}', "U+2028 (line separator) in a text, expected plain characters"),
        ('{"a": "x\\u2029y"}', "U+2029 (paragraph separator) in a text, expected plain characters"),
        ('{"a": "x\u202ey"}', "U+202E (right-to-left override) in a text, expected plain"),
        ('{"a": "x\\u0085y"}', "U+0085 (next line) in a text, expected plain characters"),
    ],
)
def test_signs_that_break_or_turn_a_line_are_named(text: str, message: str) -> None:
    (fault,) = parse(text).faults
    assert fault.message.startswith(message)
    assert parse(text, stored=True).faults == []


@pytest.mark.parametrize("sign", ["\u200d", "\u200c", "\u00ad", "\u00a0", "\u200f", "\U0001fae9"])
def test_signs_that_texts_need_are_taken(sign: str) -> None:
    assert parse(f'{{"a": "x{sign}y"}}').value == {"a": f"x{sign}y"}
