"""Pictures that would not show what their words say: each kind with a broken file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.broken.cases import BASE, SECOND, edited
from tests.support.builders import shipped
from webapp.domain.picture_faults import faults_of
from webapp.domain.pictures import BOTH_WAYS, picture_of
from webapp.protocol_files.json_reader import Fault
from webapp.protocol_files.loader import BadFileError, load_catalogue, load_protocol
from webapp.settings import shipped as shipped_folder

CATALOGUE = shipped().catalogue
SHIPPED = shipped_folder("protocols")
ANYWHERE: dict[str, Any] = {"position": "On a mat."}
FACE_UP: dict[str, Any] = {"position": "Lying face up.", "postures": ["face-up"]}
PRESS = {"technique": "point-pressure", "hands": "finger-press", "tempo": None}

# What the first phase is and the file besides; the place that is told, and a part of the message.
KINDS = [
    pytest.param(
        {"area": "low-back", "side": "middle"},
        ANYWHERE,
        "side",
        "no picture lights the middle alone",
        id="a side that lights nothing",
    ),
    pytest.param(
        {"area": "calf", "arrow": "zigzag"},
        ANYWHERE,
        "arrow",
        "no arrow 'zigzag' is drawn there, expected one of: still, up",
        id="an arrow without a way",
    ),
    pytest.param(
        {**PRESS, "area": "foot-top", "point": "sp6"},
        ANYWHERE,
        "point",
        "lies outside the area 'foot-top', expected the area lower-leg",
        id="a point outside its area",
    ),
    pytest.param(
        {**PRESS, "area": "buttocks", "point": {"band": "back-band", "number": 1}},
        ANYWHERE,
        "point.band",
        "lies outside the area 'buttocks'",
        id="a band outside its area",
    ),
    pytest.param(
        {"area": "whole-back", "arrow": "up", "not_here": ["spine", "kidneys"]},
        ANYWHERE,
        "not_here[1]",
        "'kidneys' is lit in the picture of 'whole-back'",
        id="a keep-away item that is lit",
    ),
    pytest.param(
        {**PRESS, "area": "lower-leg", "point": "st36", "not_here": ["kneecap", "shin"]},
        ANYWHERE,
        None,
        "",
        id="a point beside what it keeps off",
    ),
    pytest.param(
        {"area": "calf", "arrow": "up", "direction": "knee down to the heel"},
        ANYWHERE,
        "arrow",
        "'up' contradicts the direction 'knee down to the heel', expected 'down'",
        id="an arrow against its words",
    ),
    pytest.param(
        {"area": "sole", "arrow": "down", "direction": "heel to toes"},
        ANYWHERE,
        "arrow",
        "'down' runs against 'heel to toes'",
        id="an arrow against the places in its words",
    ),
    pytest.param(
        {"area": "calf", "arrow": "up", "from": "below-hollow", "to": "heel"},
        ANYWHERE,
        "arrow",
        "'up' runs against from 'below-hollow' to 'heel'",
        id="an arrow against its landmarks",
    ),
    pytest.param(
        {"area": "whole-back", "arrow": "up"},
        FACE_UP,
        "area",
        "drawn from behind, which the position hides",
        id="a view that the position hides",
    ),
    pytest.param(
        {**PRESS, "area": "upper-back", "point": "back-t5"},
        FACE_UP,
        "area",
        "drawn from behind, which the position hides",
        id="a point that the position hides",
    ),
    pytest.param(
        {"area": "calf", "arrow": "up"}, FACE_UP, None, "", id="a calf from its inner side"
    ),
    pytest.param(
        {
            "area": "calf",
            "arrow": "up",
            "hands": "flat-palm",
            "instructions": ["Both hands glide."],
        },
        ANYWHERE,
        "hands",
        "'flat-palm' does not fit the words 'Both hands', expected a position of two",
        id="one hand for two",
    ),
    pytest.param(
        {"area": "calf", "arrow": "up", "hands": "ring", "instructions": ["One hand holds it."]},
        ANYWHERE,
        "hands",
        "'ring' does not fit the words 'One hand', expected a position of one",
        id="two hands for one",
    ),
    pytest.param(
        {"technique": "stretching", "area": "calf", "hands": "flat-palm", "tempo": None},
        ANYWHERE,
        "hands",
        "no stretch is drawn with it, expected one of: hold-heel-and-sole",
        id="a stretch that nobody drew",
    ),
]


def file_of(changes: dict[str, Any], rest: dict[str, Any], version: int = 2) -> str:
    """The base of the broken files with another first phase."""
    raw = json.loads(edited(BASE, SECOND) if version == 2 else BASE) | rest
    raw["rules"] = {}
    phase = {**raw["phases"][0], **changes}
    raw["phases"] = [{key: value for key, value in phase.items() if value is not None}]
    raw["session"] = {"min": 20, "usual": 40, "max": 70}
    return json.dumps(raw, indent=1)


def faults(text: str, folder: Path) -> tuple[Fault, ...]:
    path = folder / "base.json"
    path.write_text(text, encoding="utf-8")
    try:
        load_protocol(path, CATALOGUE)
    except BadFileError as error:
        return error.bad.faults
    return ()


@pytest.mark.parametrize(("phase", "rest", "field", "message"), KINDS)
def test_a_file_of_format_2_is_refused(
    phase: dict[str, Any], rest: dict[str, Any], field: str | None, message: str, tmp_path: Path
) -> None:
    """Every kind loaded before these checks were there."""
    text = file_of(phase, rest)
    found = faults(text, tmp_path)
    if field is None:
        assert not found
        return
    assert [fault.where() for fault in found] == [f"phases[0].{field}"]
    assert message in found[0].message
    assert ", expected " in found[0].message
    assert len(found[0].message) < 250
    named = field.partition("[")[0].rpartition(".")[2]
    line = text.splitlines()[found[0].line - 1]
    assert f'"{named}"' in line or "kidneys" in line


IN_FORMAT_1 = [
    ({"area": "low-back", "side": "middle"}, ANYWHERE, "side"),
    ({"area": "calf", "arrow": "zigzag"}, ANYWHERE, "arrow"),
    ({"area": "whole-back", "arrow": "up", "avoid": ["The kidneys"]}, ANYWHERE, "avoid"),
    ({"area": "whole-back", "arrow": "up"}, FACE_UP, "area"),
    ({"technique": "point-pressure", "area": "calf", "tempo": None}, ANYWHERE, "technique"),
    ({"technique": "stretching", "area": "calf", "tempo": None}, ANYWHERE, "technique"),
]


@pytest.mark.parametrize(("phase", "rest", "field"), IN_FORMAT_1)
def test_in_format_1_it_is_a_warning_and_words_stand_there(
    phase: dict[str, Any], rest: dict[str, Any], field: str, tmp_path: Path
) -> None:
    path = tmp_path / "base.json"
    path.write_text(file_of(phase, rest, 1), encoding="utf-8")
    entry = load_protocol(path, CATALOGUE)
    warned = [w for w in entry.warnings if "characters on the stage" not in w.message]
    assert [w.where() for w in warned] == [f"phases[0].{field}"]
    plan = shipped().plan(entry.protocol, 40)
    step = next(step for step in plan.steps if step.hands_on)
    assert picture_of(CATALOGUE, "base", step.id, step, plan.seen_from) is None


def test_an_arrow_against_its_words_is_left_out_in_format_1(tmp_path: Path) -> None:
    path = tmp_path / "base.json"
    wrong = {"area": "calf", "arrow": "up", "direction": "knee down to the heel"}
    path.write_text(file_of(wrong, ANYWHERE, 1), encoding="utf-8")
    entry = load_protocol(path, CATALOGUE)
    assert [w.where() for w in entry.warnings] == ["phases[0].arrow"]
    phase = next(entry.protocol.all_phases())
    found = picture_of(CATALOGUE, "base", phase.id, phase, BOTH_WAYS)
    assert found
    assert (found.shape, found.mark) == ("calf", "")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            '"at": "s 0.19 0.65"',
            '"at": "s 0.53 0.65"',
            "views[0].points.st36: drawn at s 0.53 0.65, expected 0.19 0.65 within 0.03",
        ),
        (
            '"ki3": {"at": "s 1 0.64"',
            '"ki3": {"at": "s 0.8 0.42"',
            "views[2].points.ki3: the place of 'sp6', expected another place",
        ),
        (
            '"thigh": {"lit": ["t 0.5..0.92 x 0.32..0.98"]',
            '"thigh": {"lit": []',
            "views[0].shapes.thigh: lights nothing, expected a patch",
        ),
        (
            '"tip-of-blade": [155, 203]',
            '"tip-of-blade": [155, 248]',
            "views[7].landmarks.tip-of-blade: drawn at y 0.41 0.42, expected 0.3 0.42 within 0.03",
        ),
    ],
    ids=["a point elsewhere", "two in one place", "an empty shape", "a blade that hangs low"],
)
def test_a_drawing_that_is_wrong_is_refused(old: str, new: str, line: str, tmp_path: Path) -> None:
    text = (SHIPPED / "catalogue" / "views.json").read_text(encoding="utf-8")
    assert text.count(old) == 1
    (tmp_path / "views.json").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(BadFileError) as error:
        load_catalogue(tmp_path, SHIPPED / "catalogue")
    number = text[: text.index(old)].count("\n") + 1
    assert f"views.json:{number}: {line}" in str(error.value)


def test_an_area_that_no_view_draws_is_named_with_those_that_are() -> None:
    areas = CATALOGUE.areas | {"palm": CATALOGUE.areas["hand"].model_copy(update={"id": "palm"})}
    catalogue = CATALOGUE.model_copy(update={"areas": areas})
    phase = next(shipped().entries["dm-legs-feet"].protocol.all_phases())
    (fault,) = faults_of(catalogue, "theirs", phase.model_copy(update={"area": "palm"}), BOTH_WAYS)
    assert fault.field == ("area",)
    assert fault.text.startswith("no view draws it, expected one of: back-of-head, beside-spine, ")
