"""Odd signs are named for what they are; what people write survives."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.domain.invites import read_code
from webapp.domain.signs import is_odd, kept, sign_name, typed_text

WRITTEN = {
    "a family joined": "\U0001f468\u200d\U0001f469\u200d\U0001f467 good",
    "a tone of skin": "\U0001f44d\U0001f3fd",
    "a flag": "\U0001f1e9\U0001f1ea and \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e007f",
    "a heart with its selector": "\u2764\ufe0f",
    "an emoji of Unicode 16": "\U0001fae9 \U0001fa89",
    "Persian with a non-joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
    "Hindi with a joiner": "\u0915\u094d\u200d\u0937",
    "Malayalam": "\u0d28\u0d4d\u200d",
    "Hebrew with points": "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd",
    "marks of direction": "a\u200eb\u200fc \u2066d\u2069",
    "a soft hyphen": "a\u00adb",
    "letters put together": "a\u0308 e\u0301\u0323",
    "blanks of print": "5\u00a0min, 12\u202f000, a\u2003b",
    "a no-width space and a word joiner": "a\u200bb\u2060c",
    "signs of its own": "a\uf8ffb",
    "Chinese": "肩膀好一点\u3000了",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_what_people_write_is_kept(text: str) -> None:
    assert kept(text, 500) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\0b", "a b"),
        ("a\tb\r\nc", "a b  c"),
        ("a\x1b[31mb", "a [31mb"),
        ("a\x7f\x85\x9fb", "a   b"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\ufffe\uffff\ufdd0b", "a   b"),
        ("a\ud83db", "a b"),
        ("  a \n", "a"),
        ("\u200b\u200d \ufeff", ""),
        ("", ""),
    ],
)
def test_control_characters_alone_go(text: str, left: str) -> None:
    assert kept(text, 500) == left


@pytest.mark.parametrize(
    ("text", "most", "left"),
    [
        ("abcdef", 4, "abcd"),
        ("abc def", 4, "abc"),
        ("abcd", 4, "abcd"),
        ("abc\U0001f468\u200d\U0001f469", 5, "abc"),
        ("abc\U0001f468\u200d\U0001f469", 4, "abc"),
        ("abc\U0001f468\u200d\U0001f469", 6, "abc\U0001f468\u200d\U0001f469"),
        ("abce\u0301", 4, "abc"),
        ("abc\U0001f44d\U0001f3fd", 4, "abc"),
        ("\u0301" * 9, 4, "\u0301" * 4),
    ],
)
def test_no_sign_is_cut_in_two(text: str, most: int, left: str) -> None:
    assert kept(text, most) == left


@given(st.text(max_size=60), st.integers(1, 60))
def test_what_is_kept_is_text_and_no_longer(text: str, most: int) -> None:
    found = kept(text, most)
    assert len(found) <= most
    assert not [sign for sign in found if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp")]
    found.encode()
    assert kept(found, most) == found


@pytest.mark.parametrize(
    ("sign", "name"),
    [
        ("\u00a0", "U+00A0 (no-break space)"),
        ("\u202f", "U+202F (narrow no-break space)"),
        ("\u3000", "U+3000 (ideographic space)"),
        ("\u2028", "U+2028 (line separator)"),
        ("\u200b", "U+200B (zero width space)"),
        ("\ufeff", "U+FEFF (byte order mark)"),
        ("\f", "U+000C (form feed)"),
        ("\v", "U+000B (vertical tab)"),
        ("\x85", "U+0085 (next line)"),
        ("\x01", "U+0001 (control character)"),
        ("\u202e", "U+202E (right-to-left override)"),
        ("\U000e0041", "U+E0041 (tag latin capital letter a)"),
        ("\uffff", "U+FFFF (no known sign)"),
    ],
)
def test_signs_that_nobody_sees_have_names(sign: str, name: str) -> None:
    assert sign_name(sign) == name
    assert is_odd(sign)


def test_what_is_seen_is_not_odd() -> None:
    assert not [sign for sign in " aä手“”👍:" if is_odd(sign)]


@pytest.mark.parametrize("around", ["\u00a0", "\u200b", "\ufeff", "\u200e", "\u202a", "\u2060"])
def test_what_a_copy_brings_along_does_not_count(around: str) -> None:
    assert typed_text(f"{around} 15 {around}") == "15"
    assert read_code(f"{around}bcdf{around}ghjk{around}") == "BCDFGHJK"
    assert typed_text(f"1{around}5") == f"1{around}5", "inside it stays: who knows what was meant"
