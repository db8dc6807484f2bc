"""Broken protocol files, each ``base.txt`` with a few edits, with the exact lines expected."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent
CATALOGUE = FOLDER / "catalogue"
BASE = (FOLDER / "base.txt").read_text(encoding="utf-8")


def edited(text: str, edits: list[tuple[str, str]]) -> str:
    for old, new in edits:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the text"
        text = text.replace(old, new)
    return text


class Case(NamedTuple):
    """``lines`` stand for ``base.json:`` and what is told after it."""

    name: str
    edits: list[tuple[str, str]]
    lines: list[str]

    def text(self) -> str:
        return edited(BASE, self.edits)


class CatalogueCase(NamedTuple):
    """A file of the catalogue with a few edits; ``lines`` stand for ``file:`` and what follows."""

    name: str
    file: str
    edits: list[tuple[str, str]]
    lines: list[str]

    def text(self) -> str:
        return edited((CATALOGUE / self.file).read_text(encoding="utf-8"), self.edits)


# The base in format 2, on the same lines.
SECOND = [
    ('"format": 1', '"format": 2'),
    ('"title": "Opening strokes",', '"title": "Opening strokes", "hands": "two-palms",'),
    ('"title": "Kneading",', '"title": "Kneading", "hands": "flat-palm",'),
    ('"title": "Closing strokes",', '"title": "Closing strokes", "hands": "two-palms",'),
]


CASES: list[Case] = [
    Case(
        "a comma is missing",
        [('"id": "base",', '"id": "base"')],
        ["4: $: found '\"title\"', expected ',' or '}'"],
    ),
    Case(
        "a comma too many at the end of an object",
        [('"last": "stroking"\n', '"last": "stroking",\n')],
        ["22: rules: found '}', expected a field name in double quotes, like \"title\""],
    ),
    Case(
        "a comma too many at the end of a list",
        [('["left", "right"]', '["left", "right",]')],
        ["44: phases[1].for_sides[2]: found ']', expected a value"],
    ),
    Case(
        "a colon is missing",
        [('"tempo": 12', '"tempo" 12')],
        ["37: phases[0].tempo: found '12', expected ':' after the field name"],
    ),
    Case(
        "a field name without quotes",
        [('"tempo": 12', "tempo: 12")],
        ["37: phases[0]: found 'tempo', expected a field name in double quotes, like \"title\""],
    ),
    Case(
        "a text in single quotes",
        [('"A base to break"', "'A base to break'")],
        ['4: title: found "\'A", expected a value'],
    ),
    Case(
        "a text without its end",
        [('"A base to break",', '"A base to break,')],
        ["4: title: a text has no end on its line, expected a closing double quote"],
    ),
    Case(
        "an unknown escape",
        [("A base to", "A \\q base to")],
        ['4: title: an unknown escape in a text, expected \\\\, \\" or \\u and four hex digits'],
    ),
    Case(
        "half an escape",
        [("A base to", "A \\u12 base to")],
        ['4: title: an unknown escape in a text, expected \\\\, \\" or \\u and four hex digits'],
    ),
    Case(
        "a comment",
        [('  "format": 1,', '  // mine\n  "format": 1,')],
        ["2: $: found '//', expected a field name in double quotes, like \"title\""],
    ),
    Case(
        "a word that is no value",
        [('"tempo": 12', '"tempo": twelve')],
        ["37: phases[0].tempo: found 'twelve', expected a value"],
    ),
    Case(
        "True with a capital letter",
        [('"tempo": 12', '"tempo": True')],
        ["37: phases[0].tempo: found 'True', expected a value"],
    ),
    Case(
        "a number with a leading zero",
        [('"tempo": 12', '"tempo": 012')],
        ["37: phases[0]: found '12', expected ',' or '}'"],
    ),
    Case(
        "a number without its fraction",
        [('"tempo": 12', '"tempo": 12.')],
        ["37: phases[0]: found '.', expected ',' or '}'"],
    ),
    Case(
        "a hexadecimal number",
        [('"tempo": 12', '"tempo": 0x0c')],
        ["37: phases[0]: found 'x0c', expected ',' or '}'"],
    ),
    Case(
        "the end is cut off",
        [
            (
                '\n  ],\n  "aftercare": [\n    { "id": "rise", "title": "Rise slowly", "text": "Stand up.", "origin": "inferred" }\n  ]\n}\n',
                "\n",
            )
        ],
        ["71: phases: found the end of the file, expected ',' or ']'"],
    ),
    Case(
        "two objects in one file",
        [
            (
                '{ "id": "rise", "title": "Rise slowly", "text": "Stand up.", "origin": "inferred" }\n  ]\n}\n',
                '{ "id": "rise", "title": "Rise slowly", "text": "Stand up.", "origin": "inferred" }\n  ]\n}\n{}\n',
            )
        ],
        ["76: $: found '{' after the end of the JSON value, expected nothing"],
    ),
    Case(
        "a bracket closes the wrong thing",
        [('"sources": ["R34", "R35"]', '"sources": ["R34", "R35"}')],
        ["14: evidence.sources: found '}', expected ',' or ']'"],
    ),
    Case(
        "a field stands twice",
        [('"tempo": 12,', '"tempo": 12,\n      "tempo": 13,')],
        ["38: phases[0].tempo: this field stands twice, expected once"],
    ),
    Case(
        "a field of the file stands twice",
        [('"stop": ["Hands down."],', '"stop": ["Hands down."],\n  "title": "Again",')],
        ["26: title: this field stands twice, expected once"],
    ),
    Case(
        "an unknown field",
        [('"tempo": 12', '"speed": 12')],
        ["37: phases[0].speed: unknown field, expected only the fields of the format"],
    ),
    Case(
        "an unknown field of the file",
        [('"stop":', '"stopp":')],
        ["25: stopp: unknown field, expected only the fields of the format"],
    ),
    Case(
        "an unknown field with a strange name",
        [('"tempo": 12', '"a.b\\tc": 12')],
        [
            "37: phases[0]: U+0009 (tab) in a text, expected plain characters",
            '37: phases[0]["a.b\\tc"]: unknown field, expected only the fields of the format',
        ],
    ),
    Case(
        "a field is missing",
        [('          "title": "Kneading",\n', "")],
        ["47: phases[1].phases[0].title: this field is missing, expected it here"],
    ),
    Case(
        "several fields of the file are missing",
        [('  "position": "Sitting on a firm chair.",\n', ""), ('  "access": "open",\n', "")],
        [
            "1: position: this field is missing, expected it here",
            "1: access: this field is missing, expected it here",
        ],
    ),
    Case(
        "NaN",
        [('"tempo": 12', '"tempo": NaN')],
        ["37: phases[0].tempo: NaN is no JSON number, expected a finite number"],
    ),
    Case(
        "Infinity",
        [('"usual": 180', '"usual": Infinity')],
        ["16: session.usual: Infinity is no JSON number, expected a finite number"],
    ),
    Case(
        "minus Infinity as a cue",
        [('"at": -10', '"at": -Infinity')],
        ["40: phases[0].cues[0].at: -Infinity is no JSON number, expected a finite number"],
    ),
    Case(
        "a number that overflows",
        [('"gap_hours": 48', '"gap_hours": 1e999')],
        ["23: course.gap_hours: 1e999 is out of range, expected at most 15 digits"],
    ),
    Case(
        "a number of twenty digits",
        [('"gap_hours": 48', '"gap_hours": 12345678901234567890')],
        ["23: course.gap_hours: 12345678901234567890 is out of range, expected at most 15 digits"],
    ),
    Case(
        "pressure too high",
        [('"pressure": 2', '"pressure": 6')],
        ["52: phases[1].phases[0].pressure: 6 is out of range, expected at most 5"],
    ),
    Case(
        "pressure zero",
        [('"pressure": 2', '"pressure": 0')],
        ["52: phases[1].phases[0].pressure: 0 is out of range, expected at least 1"],
    ),
    Case(
        "tempo too fast",
        [('"tempo": 12', '"tempo": 201')],
        ["37: phases[0].tempo: 201 is out of range, expected at most 200"],
    ),
    Case(
        "breathing too quick",
        [('"tempo": 12', '"breathing": { "in_seconds": 2, "out_seconds": 3 }')],
        ["37: phases[0].breathing: a breath of 5 s, expected 6 to 16 s in and out together"],
    ),
    Case(
        "breathing in for too long",
        [('"tempo": 12', '"breathing": { "in_seconds": 9, "out_seconds": 6 }')],
        ["37: phases[0].breathing.in_seconds: 9 is out of range, expected at most 8"],
    ),
    Case(
        "a phase longer than two hours",
        [('"max": 85', '"max": 7201')],
        ["53: phases[1].phases[0].seconds.max: 7201 is out of range, expected at most 7200"],
    ),
    Case(
        "negative seconds",
        [('"min": 25', '"min": -5')],
        ["53: phases[1].phases[0].seconds.min: -5 is out of range, expected at least 0"],
    ),
    Case(
        "a share of all the time",
        [('"more_than": 0.5', '"more_than": 1')],
        ["18: rules.share[0].more_than: 1 is out of range, expected less than 1.0"],
    ),
    Case(
        "another format", [('"format": 1', '"format": 3')], ["2: format: found 3, expected 1 or 2"]
    ),
    Case(
        "true for one",
        [('"pressure": 2', '"pressure": true')],
        ["52: phases[1].phases[0].pressure: found true, expected a whole number"],
    ),
    Case(
        "one with a fraction for the format",
        [('"format": 1', '"format": 1.0')],
        ["2: format: found 1.0, expected 1 or 2"],
    ),
    Case(
        "true for the format",
        [('"format": 1', '"format": true')],
        ["2: format: found true, expected 1 or 2"],
    ),
    Case(
        "a number in quotes",
        [('"pressure": 2', '"pressure": "2"')],
        ["52: phases[1].phases[0].pressure: found '2', expected a whole number"],
    ),
    Case(
        "a fraction for a whole number",
        [('"pressure": 2', '"pressure": 1.5')],
        ["52: phases[1].phases[0].pressure: found 1.5, expected a whole number"],
    ),
    Case(
        "a whole number written as a fraction",
        [('"pressure": 2', '"pressure": 2.0')],
        ["52: phases[1].phases[0].pressure: found 2.0, expected a whole number"],
    ),
    Case(
        "an exponent for a whole number",
        [('"gap_hours": 48', '"gap_hours": 4e1')],
        ["23: course.gap_hours: found 40.0, expected a whole number"],
    ),
    Case(
        "null for a number",
        [('"pressure": 2', '"pressure": null')],
        ["52: phases[1].phases[0].pressure: found null, expected a whole number"],
    ),
    Case(
        "null for a text",
        [('"title": "A base to break"', '"title": null')],
        ["4: title: found null, expected a text in double quotes"],
    ),
    Case(
        "a number for a text",
        [('"title": "A base to break"', '"title": 7')],
        ["4: title: found 7, expected a text in double quotes"],
    ),
    Case(
        "a text for a list",
        [('"regions": ["back"]', '"regions": "back"')],
        ["7: regions: found 'back', expected a list in [ ]"],
    ),
    Case(
        "a text for an object",
        [('{ "min": 90, "usual": 180, "max": 300 }', '"3 minutes"')],
        ["16: session: found '3 minutes', expected an object in { }"],
    ),
    Case(
        "a list for an object",
        [('{ "min": 90, "usual": 180, "max": 300 }', "[90, 180, 300]")],
        ["16: session: found a list, expected an object in { }"],
    ),
    Case(
        "a text for a phase",
        [
            (
                '"phases": [\n    {\n      "id": "opening"',
                '"phases": [\n    "rest",\n    {\n      "id": "opening"',
            )
        ],
        ["30: phases[0]: found 'rest', expected an object in { }"],
    ),
    Case(
        "one for true",
        [
            (
                '"area": "low-back",\n      "side": "both",\n      "pressure": 1,\n      "tempo"',
                '"area": "low-back",\n      "side": "both",\n      "wait": 1,\n      "pressure": 1,\n      "tempo"',
            )
        ],
        ["36: phases[0].wait: found 1, expected true or false"],
    ),
    Case(
        "a share in quotes",
        [('"more_than": 0.5', '"more_than": "0.5"')],
        ["18: rules.share[0].more_than: found '0.5', expected a number"],
    ),
    Case(
        "a share that is false",
        [('"more_than": 0.5', '"more_than": false')],
        ["18: rules.share[0].more_than: found false, expected a number"],
    ),
    Case(
        "a cue at a word",
        [('"at": -10', '"at": "end"')],
        ["40: phases[0].cues[0].at: found 'end', expected a whole number or 'half'"],
    ),
    Case(
        "a cue at a fraction",
        [('"at": -10', '"at": 1.5')],
        ["40: phases[0].cues[0].at: found 1.5, expected a whole number or 'half'"],
    ),
    Case(
        "a raw tab in a text",
        [("A base to", "A\tbase to")],
        ["4: title: U+0009 (tab) in a text, expected plain characters"],
    ),
    Case(
        "a raw escape character in a text",
        [("A base to", "A\x1bbase to")],
        ["4: title: U+001B (escape) in a text, expected plain characters"],
    ),
    Case(
        "an escaped control character",
        [("A base to", "A\\u0007base to")],
        ["4: title: U+0007 (control character) in a text, expected plain characters"],
    ),
    Case(
        "an escaped line break",
        [("A base to", "A\\nbase to")],
        ["4: title: U+000A (line end) in a text, expected plain characters"],
    ),
    Case(
        "a delete character",
        [("A base to", "A\x7fbase to")],
        ["4: title: U+007F (delete) in a text, expected plain characters"],
    ),
    Case(
        "a control character above ASCII",
        [("A base to", "A\x85base to")],
        ["4: title: U+0085 (next line) in a text, expected plain characters"],
    ),
    Case(
        "half a surrogate pair",
        [("A base to", "A\\ud83dbase to")],
        ["4: title: half a surrogate pair in a text, expected whole characters"],
    ),
    Case(
        "the wrong half of a surrogate pair",
        [("A base to", "A\\ude00base to")],
        ["4: title: half a surrogate pair in a text, expected whole characters"],
    ),
    Case(
        "half a surrogate pair in a field name",
        [('"tempo": 12', '"te\\ud83dmpo": 12')],
        [
            "37: phases[0]: half a surrogate pair in a text, expected whole characters",
            '37: phases[0]["te?mpo"]: unknown field, expected only the fields of the format',
        ],
    ),
    Case(
        "an empty text",
        [('"A base to break"', '""')],
        ["4: title: found an empty text, expected at least one character"],
    ),
    Case(
        "a title too long",
        [('"A base to break"', '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"')],
        ["4: title: 61 characters, expected at most 60"],
    ),
    Case(
        "an instruction too long",
        [
            (
                '"Flat palms glide up."',
                '"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"',
            )
        ],
        ["39: phases[0].instructions[0]: 91 characters, expected at most 90"],
    ),
    Case(
        "too many instructions",
        [('["Flat palms glide up."]', '["a", "b", "c", "d"]')],
        ["39: phases[0].instructions: 4 entries, expected at most 3"],
    ),
    Case(
        "no instructions",
        [('["Flat palms glide up."]', "[]")],
        ["39: phases[0].instructions: 0 entries, expected at least 1"],
    ),
    Case(
        "too many stop lines",
        [('["Hands down."]', '["a", "b", "c", "d"]')],
        ["25: stop: 4 entries, expected at most 3"],
    ),
    Case(
        "an id with a letter that only looks like ours",
        [('"id": "opening"', '"id": "open\\u0456ng"')],
        [
            "31: phases[0].id: found 'open\u0456ng' with U+0456 (cyrillic small letter "
            "byelorussian-ukrainian i), expected lower-case words joined by '-'"
        ],
    ),
    Case(
        "an id with a sign that nobody sees",
        [('"id": "opening"', '"id": "open\u200bing"')],
        [
            "31: phases[0].id: found 'open\\u200bing' with U+200B (zero width space), "
            "expected lower-case words joined by '-'"
        ],
    ),
    Case(
        "an id with capital letters",
        [('"id": "opening"', '"id": "Opening"')],
        ["31: phases[0].id: found 'Opening', expected lower-case words joined by '-'"],
    ),
    Case(
        "an unknown technique",
        [('"technique": "kneading",\n', '"technique": "kneeding",\n')],
        [
            "49: phases[1].phases[0].technique: unknown technique 'kneeding', expected one of: cupping, kneading, patting, point-pressure, preparing, squeezing, stroking, trituration, vibration"
        ],
    ),
    Case(
        "an unknown area",
        [
            (
                '"area": "low-back",\n          "pressure": 2',
                '"area": "moon",\n          "pressure": 2',
            )
        ],
        [
            "51: phases[1].phases[0].area: unknown area 'moon', expected one of: beside-spine, calf, collar, foot-to-knee, foot-top, heel, knee, low-back, lower-leg, mid-upper-back, nape, nape-shoulders, …"
        ],
    ),
    Case(
        "an unknown question",
        [('"fever"]', '"feever"]')],
        [
            "24: screening[1]: unknown screening question 'feever', expected one of: aneurysm, back-signs, blood-thinners, chest-breath, cups-device, cups-diabetes, cups-marks, cups-moles, deep-infection, diabetes-unsteady, disc, eye-bleed, …"
        ],
    ),
    Case(
        "an unknown source",
        [('"R35"]', '"R99"]')],
        [
            "14: evidence.sources[1]: unknown source 'R99', expected one of: R01, R02, R03, R04, R05, R05b, R06, R07, R08, R09, R10, R11, …"
        ],
    ),
    Case(
        "an unknown source as the origin",
        [('"source R15"', '"source R99"')],
        [
            "69: phases[2].origin: unknown source 'R99', expected one of: R01, R02, R03, R04, R05, R05b, R06, R07, R08, R09, R10, R11, …"
        ],
    ),
    Case(
        "a bad origin",
        [('"source R15"', '"a book"')],
        [
            "69: phases[2].origin: found 'a book', expected parts like 'base L181', 'source R15' or 'inferred', joined by '; '"
        ],
    ),
    Case(
        "an origin with a comma",
        [('"base L177; inferred"', '"base L177, inferred"')],
        [
            "41: phases[0].origin: found 'base L177, inferred', expected parts like 'base L181', 'source R15' or 'inferred', joined by '; '"
        ],
    ),
    Case(
        "an unknown access",
        [('"access": "open"', '"access": "free"')],
        ["10: access: found 'free', expected 'open', 'clearance', 'professional' or 'withheld'"],
    ),
    Case(
        "an unknown side",
        [
            (
                '"side": "both",\n      "pressure": 1,\n      "tempo"',
                '"side": "front",\n      "pressure": 1,\n      "tempo"',
            )
        ],
        ["35: phases[0].side: found 'front', expected 'left', 'right', 'both' or 'middle'"],
    ),
    Case(
        "an unknown arrow",
        [('"tempo": 12', '"arrow": "sideways"')],
        [
            "37: phases[0].arrow: found 'sideways', expected 'up', 'down', 'outward', 'inward', 'across', 'circles', 'spirals', 'zigzag' or 'still'"
        ],
    ),
    Case(
        "an unknown performer",
        [('["self"]', '["robot"]')],
        ["8: performer[0]: found 'robot', expected 'therapist', 'helper' or 'self'"],
    ),
    Case(
        "an unknown condition",
        [('"spinal-osteochondrosis"', '"flu"')],
        ["6: condition: found 'flu', expected 'diabetes-mellitus' or 'spinal-osteochondrosis'"],
    ),
    Case(
        "min over usual in a phase",
        [('{ "min": 20, "usual": 40, "max": 70 }', '{ "min": 50, "usual": 40, "max": 70 }')],
        ["38: phases[0].seconds: found 50, 40, 70, expected min <= usual <= max"],
    ),
    Case(
        "min over max in an optional phase",
        [
            (
                '"seconds": { "min": 20, "usual": 40, "max": 70 }',
                '"optional": true,\n      "seconds": { "min": 50, "usual": 0, "max": 40 }',
            )
        ],
        ["39: phases[0].seconds: found min 50 and max 40, expected min <= max"],
    ),
    Case(
        "usual over max in a phase",
        [('{ "min": 20, "usual": 40, "max": 70 }', '{ "min": 20, "usual": 80, "max": 70 }')],
        ["38: phases[0].seconds: found 20, 80, 70, expected min <= usual <= max"],
    ),
    Case(
        "min over usual in the session",
        [('"min": 90, "usual": 180', '"min": 190, "usual": 180')],
        ["16: session: found 190, 180, 300, expected min <= usual <= max"],
    ),
    Case(
        "usual over max in a course",
        [('"gap_hours": 48', '"sessions": { "min": 5, "usual": 20, "max": 10 }, "gap_hours": 48')],
        ["23: course.sessions: found 5, 20, 10, expected min <= usual <= max"],
    ),
    Case(
        "an id that differs from the file name",
        [('"id": "base"', '"id": "other"')],
        ["3: id: 'other' differs from the file name, expected 'base'"],
    ),
    Case(
        "two phases with one id",
        [('"id": "closing"', '"id": "opening"')],
        ["61: phases[2].id: the id 'opening' is taken, expected another one"],
    ),
    Case(
        "an id that a side will have",
        [('"id": "closing"', '"id": "kneading-left"')],
        ["61: phases[2].id: the id 'kneading-left' is taken, expected another one"],
    ),
    Case(
        "a step with the id of a phase",
        [('"id": "rise"', '"id": "opening"')],
        ["73: aftercare[0].id: the id 'opening' is taken, expected another one"],
    ),
    Case(
        "the id end",
        [('"id": "closing"', '"id": "end"')],
        ["61: phases[2].id: the id 'end' is taken, expected another one"],
    ),
    Case(
        "a question asked twice",
        [('"fever"]', '"under-18"]')],
        ["24: screening[1]: 'under-18' is asked twice, expected once"],
    ),
    Case(
        "no side",
        [
            (
                '      "side": "both",\n      "pressure": 1,\n      "tempo"',
                '      "pressure": 1,\n      "tempo"',
            )
        ],
        ["30: phases[0].side: this field is missing, expected 'left', 'right', 'both' or 'middle'"],
    ),
    Case(
        "a side inside a group",
        [
            (
                '"area": "low-back",\n          "pressure": 2',
                '"area": "low-back",\n          "side": "left",\n          "pressure": 2',
            )
        ],
        ["52: phases[1].phases[0].side: the group gives the side, expected no side here"],
    ),
    Case(
        "the same side twice",
        [('["left", "right"]', '["left", "left"]')],
        ["44: phases[1].for_sides: the same side twice, expected both sides"],
    ),
    Case(
        "one side only",
        [('["left", "right"]', '["left"]')],
        ["44: phases[1].for_sides: 1 entry, expected at least 2"],
    ),
    Case(
        "usual zero in a phase that is not optional",
        [('{ "min": 20, "usual": 40, "max": 70 }', '{ "min": 20, "usual": 0, "max": 70 }')],
        ['38: phases[0].seconds.usual: usual 0 is for optional phases, expected "optional": true'],
    ),
    Case(
        "an optional phase too short for its floor",
        [
            (
                '"tempo": 12,\n      "seconds": { "min": 20, "usual": 40, "max": 70 }',
                '"optional": true,\n      "seconds": { "min": 0, "usual": 0, "max": 10 }',
            )
        ],
        ["38: phases[0].seconds.max: 10 is too short for an optional phase, expected at least 15"],
    ),
    Case(
        "a cue after the shortest end",
        [('"at": -10', '"at": 25')],
        ["40: phases[0].cues[0].at: 25 lies outside the phase at its shortest, expected -20 to 20"],
    ),
    Case(
        "a cue before the start",
        [('"at": -10', '"at": -25')],
        [
            "40: phases[0].cues[0].at: -25 lies outside the phase at its shortest, expected -20 to 20"
        ],
    ),
    Case(
        "more pressure than the technique allows",
        [('"pressure": 2', '"pressure": 4')],
        [
            "52: phases[1].phases[0].pressure: 4 is outside what kneading allows, expected 1 to 3",
        ],
    ),
    Case(
        "slower than the technique allows",
        [('"tempo": 12', '"tempo": 3')],
        ["37: phases[0].tempo: 3 is outside what stroking allows, expected 4 to 20"],
    ),
    Case(
        "faster than the technique allows",
        [('"tempo": 12', '"tempo": 21')],
        ["37: phases[0].tempo: 21 is outside what stroking allows, expected 4 to 20"],
    ),
    Case(
        "a technique where it is never done",
        [
            (
                '"area": "low-back",\n          "pressure": 2',
                '"area": "knee",\n          "pressure": 2',
            )
        ],
        ["51: phases[1].phases[0].area: no kneading in 'knee', expected another area"],
    ),
    Case(
        "a technique beyond all its limits",
        [
            (
                '"area": "low-back",\n          "pressure": 2',
                '"area": "knee",\n          "tempo": 25,\n          "pressure": 4',
            )
        ],
        [
            "51: phases[1].phases[0].area: no kneading in 'knee', expected another area",
            "52: phases[1].phases[0].tempo: 25 is outside what kneading allows, expected 8 to 24",
            "53: phases[1].phases[0].pressure: 4 is outside what kneading allows, expected 1 to 3",
        ],
    ),
    Case(
        "withheld with phases",
        [('"access": "open"', '"access": "withheld",\n  "reason": "Too risky."')],
        ["30: phases: a withheld protocol is never run, expected no phases"],
    ),
    Case(
        "withheld without a reason",
        [('"access": "open"', '"access": "withheld"')],
        [
            "1: reason: this field is missing, expected why the protocol is withheld",
            "29: phases: a withheld protocol is never run, expected no phases",
        ],
    ),
    Case(
        "no session",
        [('  "session": { "min": 90, "usual": 180, "max": 300 },\n', "")],
        ["1: session: this field is missing, expected it here"],
    ),
    Case(
        "a day that does not exist",
        [('"stop":', '"reviewed": { "date": "2026-02-30", "by": "A. B." },\n  "stop":')],
        ["25: reviewed.date: there is no day '2026-02-30', expected a date like '2026-01-31'"],
    ),
    Case(
        "a date with slashes",
        [('"stop":', '"reviewed": { "date": "30/02/2026", "by": "A. B." },\n  "stop":')],
        ["25: reviewed.date: found '30/02/2026', expected a date like '2026-01-31'"],
    ),
    Case(
        "a share for a technique nobody uses",
        [
            (
                '{ "technique": "kneading", "more_than": 0.5 }',
                '{ "technique": "cupping", "more_than": 0 }',
            )
        ],
        [
            "18: rules.share[0].technique: no phase uses 'cupping', expected a technique of the phases"
        ],
    ),
    Case(
        "a share that cannot be reached at the longest",
        [('"max": 300', '"max": 340'), ('"usual": 40, "max": 60', '"usual": 40, "max": 200')],
        [
            "16: session: session.max is 340 s, but the longest plan that keeps the rules takes 335 s, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "a share that can never be reached",
        [('"more_than": 0.5', '"more_than": 0.9')],
        [
            "16: session: kneading can never have more than 0.9 of the time, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "a cap for a tag nobody has",
        [('"tag": "deep"', '"tag": "depp"')],
        ["19: rules.cap[0].tag: no phase has the tag 'depp', expected a tag of the phases"],
    ),
    Case(
        "a cap too small for the shortest",
        [('"seconds": 170', '"seconds": 45')],
        [
            "16: session: the phases tagged deep need more than the cap of 45 s even at their shortest, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "a cap too small for the longest",
        [('"seconds": 170', '"seconds": 100')],
        [
            "16: session: session.max is 300 s, but the longest plan that keeps the rules takes 195 s, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "a phase under a cap that waits",
        [('"tags": ["deep"]', '"tags": ["deep"],\n          "wait": true')],
        [
            "19: rules.cap[0].tag: a phase tagged 'deep' waits at its end, which no cap could limit, expected no wait"
        ],
    ),
    Case(
        "another technique first",
        [('"first": "stroking"', '"first": "kneading"')],
        ["20: rules.first: the first phase is 'stroking', expected 'kneading'"],
    ),
    Case(
        "another technique last",
        [('"last": "stroking"', '"last": "patting"')],
        ["21: rules.last: the last phase is 'stroking', expected 'patting'"],
    ),
    Case(
        "a session shorter than its phases",
        [('"min": 90', '"min": 60')],
        [
            "16: session: session.min is 60 s, but the shortest plan that keeps the rules takes 90 s, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "a session longer than its phases",
        [('"max": 300', '"max": 600')],
        [
            "16: session: session.max is 600 s, but the longest plan that keeps the rules takes 300 s, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "no multiple of five between the bounds",
        [('{ "min": 20, "usual": 40, "max": 60 }', '{ "min": 41, "usual": 42, "max": 44 }')],
        [
            "16: session: phase closing: no multiple of 5 s lies between 41 and 44, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "an optional phase that breaks a share",
        [
            (
                '    {\n      "id": "closing"',
                '    {\n      "id": "extra",\n      "technique": "trituration",\n      "title": "Extra",\n      "area": "low-back",\n      "side": "both",\n      "pressure": 1,\n      "optional": true,\n      "seconds": { "min": 200, "usual": 0, "max": 250 },\n      "instructions": ["More."],\n      "origin": "inferred"\n    },\n    {\n      "id": "closing"',
            )
        ],
        [
            "17: rules: when 'extra' is chosen: kneading can never have more than 0.5 of the time, expected bounds and rules that can be kept together"
        ],
    ),
    Case(
        "many faults at once",
        [
            ('"format": 1', '"format": 3'),
            ('"R35"]', '"R99"]'),
            ('"usual": 180', '"usual": "180"'),
            ('"fever"]', '"feever"]'),
            ('"tempo": 12', '"tempo": NaN,\n      "tempo": 12'),
            (
                '"area": "low-back",\n          "pressure": 2',
                '"area": "moon",\n          "side": "left",\n          "pressure": true',
            ),
            ('"id": "closing"', '"id": "opening"'),
            ('"title": "Rise slowly", ', ""),
        ],
        [
            "2: format: found 3, expected 1 or 2",
            "14: evidence.sources[1]: unknown source 'R99', expected one of: R01, R02, R03, R04, R05, R05b, R06, R07, R08, R09, R10, R11, …",
            "16: session.usual: found '180', expected a whole number",
            "24: screening[1]: unknown screening question 'feever', expected one of: aneurysm, back-signs, blood-thinners, chest-breath, cups-device, cups-diabetes, cups-marks, cups-moles, deep-infection, diabetes-unsteady, disc, eye-bleed, …",
            "37: phases[0].tempo: NaN is no JSON number, expected a finite number",
            "38: phases[0].tempo: this field stands twice, expected once",
            "52: phases[1].phases[0].area: unknown area 'moon', expected one of: beside-spine, calf, collar, foot-to-knee, foot-top, heel, knee, low-back, lower-leg, mid-upper-back, nape, nape-shoulders, …",
            "54: phases[1].phases[0].pressure: found true, expected a whole number",
            "63: phases[2].id: the id 'opening' is taken, expected another one",
            "75: aftercare[0].title: this field is missing, expected it here",
        ],
    ),
    Case(
        "fields of format 2 in format 1",
        [
            ('"pressure": 2,', '"pressure": 2, "hands": "flat-palm", "not_here": ["spine"],'),
            ('"stop": ["Hands down."],', '"stop": ["Hands down."], "leave_out": [["kneading"]],'),
        ],
        [
            '25: leave_out: a field of format 2, expected "format": 2',
            '52: phases[1].phases[0].hands: a field of format 2, expected "format": 2',
            '52: phases[1].phases[0].not_here: a field of format 2, expected "format": 2',
        ],
    ),
    Case(
        "format 2 without hands, with a field of format 1",
        [
            *SECOND[:1],
            *SECOND[2:],
            (
                '"instructions": ["Flat palms glide up."],',
                '"instructions": ["Up."], "avoid": ["Spine"],',
            ),
        ],
        [
            "30: phases[0].hands: this field is missing, expected a hand position",
            "39: phases[0].avoid: a field of format 1, expected not_here and go_lightly",
        ],
    ),
    Case(
        "unknown hands, landmarks and places",
        [
            ('"format": 1', '"format": 2'),
            ('"title": "Opening strokes",', '"title": "O", "hands": "fist", "from": "hips",'),
            ('"title": "Kneading",', '"title": "K", "hands": "flat-palm", "not_here": ["throat"],'),
            ('"title": "Closing strokes",', '"title": "C", "hands": "two-palms", "to": "sky",'),
        ],
        [
            "33: phases[0].hands: unknown hand position 'fist', expected one of: flat-palm, two-palms",
            "33: phases[0].from: unknown landmark 'hips', expected one of: low-back, shoulders",
            "50: phases[1].phases[0].not_here[0]: unknown keep-away item 'throat', "
            "expected one of: kidneys, spine",
            "63: phases[2].to: unknown landmark 'sky', expected one of: low-back, shoulders",
        ],
    ),
    Case(
        "a point that is a band, a band that is a point, passes that fall",
        [
            *SECOND[:1],
            (
                '"title": "Opening strokes",',
                '"title": "O", "hands": "two-palms", "point": "back-band",',
            ),
            (
                '"title": "Kneading",',
                '"title": "K", "hands": "flat-palm", "point": {"band": "back-t5", "number": 1},',
            ),
            (
                '"title": "Closing strokes",',
                '"title": "C", "hands": "two-palms", "passes": {"least": 5, "most": 4},',
            ),
        ],
        [
            "33: phases[0].point: unknown point 'back-band', expected one of: back-t5",
            "50: phases[1].phases[0].point.band: unknown band 'back-t5', expected one of: back-band",
            "63: phases[2].passes: found 5 and 4, expected least <= most",
        ],
    ),
    Case(
        "a short plan that leaves out the unknown, twice",
        [
            *SECOND,
            (
                '"stop": ["Hands down."],',
                '"stop": ["Hands down."], "leave_out": [["kneading"], ["kneading", "patting"]],',
            ),
        ],
        [
            "25: leave_out[1][0]: 'kneading' stands here twice, expected once",
            "25: leave_out[1][1]: unknown phase 'patting', expected one of: closing, kneading, opening",
        ],
    ),
    Case(
        "one side after the other in a group, and an id of a change to the other side",
        [
            *SECOND[:2],
            ('"title": "Kneading",', '"title": "K", "hands": "flat-palm", "in_turn": true,'),
            ('"title": "Closing strokes",', '"title": "C", "hands": "two-palms", "in_turn": true,'),
            ('"stop": ["Hands down."],', '"stop": ["Hands down."], "asks_first_side": true,'),
            ('"id": "rise"', '"id": "change-2-left"'),
        ],
        [
            "50: phases[1].phases[0].in_turn: one side after the other, expected the side 'both'",
            "73: aftercare[0].id: the id 'change-2-left' is taken, expected another one",
        ],
    ),
    Case(
        "sides in turn in format 1",
        [
            ('"tempo": 12,', '"tempo": 12, "in_turn": true,'),
            ('"stop": ["Hands down."],', '"stop": ["Hands down."], "asks_first_side": true,'),
        ],
        [
            '25: asks_first_side: a field of format 2, expected "format": 2',
            '37: phases[0].in_turn: a field of format 2, expected "format": 2',
        ],
    ),
    Case(
        "an id that is the move to another phase, a cue in light words outside the phase",
        [
            *SECOND[:1],
            ('"title": "Opening strokes",', '"title": "O", "hands": "two-palms",'),
            *SECOND[2:3],
            ('"id": "closing"', '"id": "to-opening"'),
            (
                '"title": "Closing strokes",',
                '"title": "C", "hands": "two-palms", "light": {"instructions": ["Softly."], '
                '"cues": [{"at": 50, "say": "Soft."}]},',
            ),
        ],
        [
            "61: phases[2].id: the id 'to-opening' is taken, expected another one",
            "63: phases[2].light.cues[0].at: 50 lies outside the phase at its shortest, "
            "expected -20 to 20",
        ],
    ),
]

SOME_AREAS = (
    "beside-spine, calf, collar, foot-to-knee, foot-top, heel, knee, low-back, lower-leg, "
    "mid-upper-back, nape, nape-shoulders, …"
)
SOME_SOURCES = "R01, R02, R03, R04, R05, R05b, R06, R07, R08, R09, R10, R11, …"
REGIONS = "back, collar-zone, feet, legs, neck"
TECHNIQUES = (
    "cupping, kneading, patting, point-pressure, preparing, squeezing, stroking, trituration, "
    "vibration"
)
ADULTS = '"text": "Younger than 18", '
FEVER = '"text": "Fever, a cold, or any infection", '
FEVER_OUTCOME = FEVER + '"outcomes": [{"level": "not-today", '

CATALOGUE_CASES: list[CatalogueCase] = [
    CatalogueCase(
        "an unknown group",
        "screening.json",
        [('"group": "today", ' + FEVER, '"group": "yesterday", ' + FEVER)],
        [
            "12: questions[2].group: unknown group 'yesterday', expected one of: illness, method, place, signs, today"
        ],
    ),
    CatalogueCase(
        "no group",
        "screening.json",
        [('"group": "today", ' + FEVER, FEVER)],
        ["12: questions[2].group: this field is missing, expected it here"],
    ),
    CatalogueCase(
        "asked for an unknown technique",
        "screening.json",
        [('"asked": [{"regions": ["back"]}]', '"asked": [{"techniques": ["rubbing"]}]')],
        [
            f"58: questions[48].asked[0].techniques[0]: unknown technique 'rubbing', expected one of: {TECHNIQUES}"
        ],
    ),
    CatalogueCase(
        "asked for an unknown region",
        "screening.json",
        [('"asked": [{"regions": ["back"]}]', '"asked": [{"regions": ["back", "moon"]}]')],
        [
            f"58: questions[48].asked[0].regions[1]: unknown region 'moon', expected one of: {REGIONS}"
        ],
    ),
    CatalogueCase(
        "asked for nothing at all",
        "screening.json",
        [('"asked": [{"regions": ["back"]}]', '"asked": []')],
        ["58: questions[48].asked: 0 entries, expected at least 1"],
    ),
    CatalogueCase(
        "an outcome for an unknown technique and region",
        "screening.json",
        [('"when": {"regions": ["back"]}', '"when": {"regions": ["moon"], "techniques": ["hot"]}')],
        [
            f"58: questions[48].outcomes[0].when.techniques[0]: unknown technique 'hot', expected one of: {TECHNIQUES}",
            f"58: questions[48].outcomes[0].when.regions[0]: unknown region 'moon', expected one of: {REGIONS}",
        ],
    ),
    CatalogueCase(
        "an option's outcome for an unknown technique and region",
        "screening.json",
        [
            (
                '"when": {"techniques": ["kneading"]}',
                '"when": {"techniques": ["kneeding"], "regions": ["moon"]}',
            )
        ],
        [
            f"44: questions[34].options[1].outcomes[0].when.techniques[0]: unknown technique 'kneeding', expected one of: {TECHNIQUES}",
            f"44: questions[34].options[1].outcomes[0].when.regions[0]: unknown region 'moon', expected one of: {REGIONS}",
        ],
    ),
    CatalogueCase(
        "red flags for an unknown technique and region",
        "screening.json",
        [
            ('"when": [{"regions": ["neck"]}]', '"when": [{"regions": ["throat"]}]'),
            ('"when": [{"techniques": ["cupping"]}]', '"when": [{"techniques": ["cups"]}]'),
        ],
        [
            f"61: red_flags[0].when[0].regions[0]: unknown region 'throat', expected one of: {REGIONS}",
            f"62: red_flags[1].when[0].techniques[0]: unknown technique 'cups', expected one of: {TECHNIQUES}",
        ],
    ),
    CatalogueCase(
        "a question and a red flag of unknown sources",
        "screening.json",
        [("source R29", "source R98"), ("source R17", "source R99")],
        [
            f"58: questions[48].origin: unknown source 'R98', expected one of: {SOME_SOURCES}",
            f"61: red_flags[0].origin: unknown source 'R99', expected one of: {SOME_SOURCES}",
        ],
    ),
    CatalogueCase(
        "help without urgency",
        "screening.json",
        [(FEVER_OUTCOME, FEVER_OUTCOME.replace("not-today", "help"))],
        [
            "12: questions[2].outcomes[0]: level 'help' with no urgency, expected one with the level 'help' and only there"
        ],
    ),
    CatalogueCase(
        "urgency without help",
        "screening.json",
        [(FEVER_OUTCOME, FEVER_OUTCOME + '"urgency": "same-day", ')],
        [
            "12: questions[2].outcomes[0]: level 'not-today' with an urgency, expected one with the level 'help' and only there"
        ],
    ),
    CatalogueCase(
        "an unknown urgency",
        "screening.json",
        [
            (
                '"act": "See a doctor today.", "urgency": "same-day"',
                '"act": "Go.", "urgency": "soon"',
            )
        ],
        [
            "62: red_flags[1].urgency: found 'soon', expected 'emergency', 'same-day' or 'urgent'",
        ],
    ),
    CatalogueCase(
        "an unsafe answer that clears",
        "screening.json",
        [(FEVER_OUTCOME, FEVER_OUTCOME.replace("not-today", "clear"))],
        [
            "12: questions[2].outcomes[0].level: found 'clear', expected 'changes', 'clinician', 'not-today' or 'help'"
        ],
    ),
    CatalogueCase(
        "an option of what is no choice",
        "screening.json",
        [(FEVER, FEVER + '"options": [{"id": "a", "text": "A"}], ')],
        [
            "12: questions[2]: kind 'sign' with options, expected some with the kind 'choice' and only there"
        ],
    ),
    CatalogueCase(
        "a choice without options",
        "screening.json",
        [(FEVER, FEVER + '"kind": "choice", ')],
        [
            "12: questions[2]: kind 'choice' with no options, expected some with the kind 'choice' and only there"
        ],
    ),
    CatalogueCase(
        "no outcomes",
        "screening.json",
        [(FEVER + '"outcomes": [{"level": "not-today", "act": "Another day."}], ', FEVER)],
        [
            "12: questions[2]: no outcomes, expected what an unsafe answer leads to, or 'decided' where a follow-up says it"
        ],
    ),
    CatalogueCase(
        "never cleared, but by a clinician",
        "screening.json",
        [
            (
                ADULTS + '"outcomes": [{"level": "not-today"',
                ADULTS + '"outcomes": [{"level": "clinician"',
            )
        ],
        [
            "10: questions[0]: never_cleared, but an outcome asks for a clinician's word, expected no level 'clinician'"
        ],
    ),
    CatalogueCase(
        "a choice that is never cleared, but an option by a clinician",
        "screening.json",
        [
            (
                '"when": {"techniques": ["kneading"]}, "level": "not-today", "act": "Eat first."}]}], ',
                '"level": "clinician", "act": "Ask."}]}], "never_cleared": true, ',
            )
        ],
        [
            "44: questions[34]: never_cleared, but an outcome asks for a clinician's word, expected no level 'clinician'"
        ],
    ),
    CatalogueCase(
        "two questions with one id",
        "screening.json",
        [('"id": "fever"', '"id": "unwell"')],
        ["12: questions[2].id: the id 'unwell' is taken, expected another one"],
    ),
    CatalogueCase(
        "no red flags",
        "screening.json",
        [('"red_flags": [', '"flags": [')],
        ['1: $: the list "red_flags" is missing, expected an object with it'],
    ),
    CatalogueCase(
        "no groups",
        "screening.json",
        [('"groups": [', '"group": [')],
        ['1: $: the list "groups" is missing, expected an object with it'],
    ),
    CatalogueCase(
        "an area within an unknown one",
        "areas.json",
        [('"within": ["foot-top", "foot-to-knee"]', '"within": ["foot-top", "leg"]')],
        [f"16: areas[13].within[1]: unknown area 'leg', expected one of: {SOME_AREAS}"],
    ),
    CatalogueCase(
        "a technique never on an unknown area",
        "techniques.json",
        [('"never_areas": ["knee"]', '"never_areas": ["knee", "throat"]')],
        [f"6: techniques[3].never_areas[1]: unknown area 'throat', expected one of: {SOME_AREAS}"],
    ),
    CatalogueCase(
        "a range that falls",
        "techniques.json",
        [
            (
                '"pressure": {"min": 1, "max": 3}, "tempo": {"min": 8, "max": 24}',
                '"pressure": {"min": 3, "max": 1}, "tempo": {"min": 8, "max": 301}',
            )
        ],
        [
            "6: techniques[3].pressure: found min 3 and max 1, expected min <= max",
            "6: techniques[3].tempo.max: 301 is out of range, expected at most 300",
        ],
    ),
    CatalogueCase(
        "a point that is kept from an unknown place",
        "points.json",
        [('"not_here": ["spine"]', '"not_here": ["throat"]')],
        [
            "3: points[0].not_here[0]: unknown keep-away item 'throat', "
            "expected one of: kidneys, spine"
        ],
    ),
    CatalogueCase(
        "a point in one place and in a band",
        "points.json",
        [('"bands": [', '"at": [{"view": "back", "frame": "y", "along": 0.2}], "bands": [')],
        ["4: points[1]: found both or none of at and bands, expected one of them"],
    ),
    CatalogueCase(
        "a short name too long for the stage",
        "keep_away.json",
        [('"spine bones"', '"the bones of the spine"')],
        ["3: keep_away[0].short: 22 characters, expected at most 18"],
    ),
    CatalogueCase(
        "a landmark from an unknown source",
        "landmarks.json",
        [
            (
                '"along": 0.7}], "sources": ["WHO"]',
                '"along": 0.7}], "sources": ["GRAY"]',
            ),
        ],
        ["3: landmarks[0].sources[0]: unknown source 'GRAY', expected one of: WHO"],
    ),
    CatalogueCase(
        "three hands",
        "hands.json",
        [('"count": 2', '"count": 3')],
        ["4: hands[1].count: found 3, expected 1 or 2"],
    ),
]
