"""Clinicians' words that are kept for clients, at the real pages."""

from __future__ import annotations

import json

import pytest

from tests.support.page import Page
from tests.support.visitor import Visitor
from webapp.domain.clinician_word import KeptWord
from webapp.maintenance import erase, jsonl
from webapp.storage.clinician_words import words_of_client
from webapp.storage.courses import Courses

NAPE, FEET, BACK = "oc-self-nape", "dm-legs-feet", "oc-classic-lumbar"
SAID = {"who": "doctor", "on": "2026-03-01", "confirmed": "yes"}
ULCER = {"q_foot_ulcer_before": "yes", "q_foot_ulcer_place": "yes"}
DAY_MS = 24 * 3_600_000


def client_of(visitor: Visitor) -> str:
    """A client, chosen by the next forms."""
    return Courses(visitor.storage).add_client(visitor.clock.now()).id


def told(
    visitor: Visitor, client: str, protocol: str = NAPE, **fields: str
) -> tuple[str, list[KeptWord]]:
    """A screening whose word was told, and what is kept now."""
    screening = visitor.screened(protocol, client=client, **({"q_heart": "yes"} | fields))
    assert visitor.post(f"/screenings/{screening}/word", SAID).status_code == 303
    return screening, words_of_client(visitor.storage, client)


def heading(visitor: Visitor, screening: str) -> str:
    return visitor.page(f"/screenings/{screening}").by_id("verdict").text


def test_a_word_is_asked_for_once_and_covers_other_protocols(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    _, (kept,) = told(shipped_visitor, client)
    assert (kept.question, kept.answer, kept.who, kept.on) == ("heart", "yes", "doctor", SAID["on"])
    again = shipped_visitor.screened(BACK, client=client, q_heart="yes")
    assert heading(shipped_visitor, again) == "Clear, with a clinician's word"
    assert shipped_visitor.post("/sessions", {"screening": again}).status_code == 303
    more = shipped_visitor.screened(BACK, client=client, q_heart="yes", q_lymph="yes")
    assert heading(shipped_visitor, more) == "Ask a clinician first"
    refused = shipped_visitor.screened("oc-honey-back", client=client, q_heart="yes")
    assert heading(shipped_visitor, refused) == "Not today"


def test_a_word_is_of_one_client_alone(shipped_visitor: Visitor) -> None:
    told(shipped_visitor, client_of(shipped_visitor))
    other = client_of(shipped_visitor)
    screening = shipped_visitor.screened(NAPE, client=other, q_heart="yes")
    assert heading(shipped_visitor, screening) == "Ask a clinician first"
    assert words_of_client(shipped_visitor.storage, other) == []


def test_the_word_of_somebody_without_a_code_is_kept_once_there_is_one(
    shipped_visitor: Visitor,
) -> None:
    screening = shipped_visitor.screened(NAPE, q_heart="yes")
    assert shipped_visitor.post(f"/screenings/{screening}/word", SAID).status_code == 303
    made = shipped_visitor.post("/sessions", {"screening": screening})
    shipped_visitor.done(made.headers["Location"].rsplit("/", 1)[1], "start")
    (client,) = Courses(shipped_visitor.storage).clients()
    assert [w.question for w in words_of_client(shipped_visitor.storage, client.id)] == ["heart"]


def test_a_word_ends_with_its_answer(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    told(shipped_visitor, client)
    shipped_visitor.screened(NAPE, client=client)
    assert words_of_client(shipped_visitor.storage, client) == []
    screening = shipped_visitor.screened(NAPE, client=client, q_heart="yes")
    assert heading(shipped_visitor, screening) == "Ask a clinician first"


def test_a_word_that_has_ended_is_asked_for_on_the_protocol_page(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    address = f"/protocols/{NAPE}?client={client}"
    assert 'id="words"' not in shipped_visitor.page(address).source
    told(shipped_visitor, client)
    assert "It counts until" in shipped_visitor.page(address).by_id("words").text
    shipped_visitor.clock.forward(185 * DAY_MS // 1000)
    page = shipped_visitor.page(address)
    panel = page.by_id("words").text
    assert "Ask a clinician first" in panel
    assert "Heart disease" in panel
    assert page.source.index('id="words"') < page.source.index("Continue to the questions")
    screening = shipped_visitor.screened(NAPE, client=client, q_heart="yes")
    assert heading(shipped_visitor, screening) == "Ask a clinician first"


def test_a_word_that_is_known_to_be_needed_is_asked_for_first(shipped_visitor: Visitor) -> None:
    """Somebody answered, has no word yet, and comes back to the same or another protocol."""
    client = client_of(shipped_visitor)
    shipped_visitor.screened(NAPE, client=client, q_heart="yes", q_blood_pressure="controlled")
    page = shipped_visitor.page(f"/protocols/{NAPE}?client={client}")
    assert "A clinician has agreed" in page.by_id("words").text
    assert "pressure" not in page.by_id("words").text  # by hand it needs no word
    thai = shipped_visitor.page(f"/protocols/oc-thai?client={client}").by_id("words").text
    assert "High blood pressure" in thai
    honey = shipped_visitor.page(f"/protocols/oc-honey-back?client={client}").by_id("words").text
    assert "Heart" not in honey  # no word opens it
    form = {"question": "heart", "back": NAPE} | SAID
    assert shipped_visitor.post(f"/clients/{client}/words", form).status_code == 303
    screening = shipped_visitor.screened(
        NAPE, client=client, q_heart="yes", q_blood_pressure="controlled"
    )
    assert heading(shipped_visitor, screening) == "Clear, with a clinician's word"
    other = client_of(shipped_visitor)
    assert 'id="words"' not in shipped_visitor.page(f"/protocols/{NAPE}?client={other}").source


def test_a_word_is_renewed_in_two_steps_from_the_protocol_page(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    told(shipped_visitor, client)
    shipped_visitor.clock.forward(185 * DAY_MS // 1000)
    today = shipped_visitor.clock.wall_time().date().isoformat()
    address = f"/clients/{client}/words"
    form = {"question": "heart", "back": NAPE}
    opened = shipped_visitor.post(address, form | {"open": "1"})
    assert (opened.status_code, "Has a clinician agreed" in opened.text) == (200, True)
    assert shipped_visitor.post(address, form | SAID).status_code == 422  # half a year ago
    said = form | {"who": "specialist", "on": today}
    asked = shipped_visitor.post(address, said)
    assert (asked.status_code, "Is this right?" in asked.text) == (200, True)
    done = shipped_visitor.post(address, said | {"confirmed": "yes"})
    assert done.headers["Location"] == f"/protocols/{NAPE}?client={client}"
    screening = shipped_visitor.screened(NAPE, client=client, q_heart="yes")
    assert heading(shipped_visitor, screening) == "Clear, with a clinician's word"


@pytest.mark.parametrize("question", ["", "lymph", "no-such"])
def test_a_word_that_is_not_there_cannot_be_renewed(
    shipped_visitor: Visitor, question: str
) -> None:
    client = client_of(shipped_visitor)
    told(shipped_visitor, client)
    for address in (f"/clients/{client}/words", f"/clients/{client}/words/remove"):
        assert shipped_visitor.post(address, SAID | {"question": question}).status_code == 404


def test_a_removed_word_refuses_what_has_not_begun(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    screening, _ = told(shipped_visitor, client)
    made = shipped_visitor.post("/sessions", {"screening": screening})
    session_id = made.headers["Location"].rsplit("/", 1)[1]
    page = shipped_visitor.page(f"/clients/{client}")
    assert "The doctor, 1 March 2026. It counts until 31 August 2026." in page.by_id("words").text
    removed = shipped_visitor.post(f"/clients/{client}/words/remove", {"question": "heart"})
    assert removed.headers["Location"] == f"/clients/{client}"
    assert 'id="words"' not in shipped_visitor.page(f"/clients/{client}").source
    answer = shipped_visitor.act(session_id, "start")
    assert answer.status_code == 409
    assert "word no longer counts" in answer.text


def test_a_foot_comes_back_when_its_team_agrees(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    places = {"place_foot_ulcer_place": "sole:left"}
    screening = shipped_visitor.screened(FEET, client=client, **ULCER, **places)
    page = shipped_visitor.page(f"/screenings/{screening}")
    assert "The foot team agrees" in page.by_id("word").text
    address = f"/screenings/{screening}/word"
    doctor = shipped_visitor.post(address, SAID | {"agreed": "yes"})
    assert (doctor.status_code, "Only the foot team" in doctor.text) == (422, True)
    team = {"who": "diabetes-team", "on": "2026-03-01", "agreed": "yes"}
    assert "may touch the foot" in shipped_visitor.post(address, team).text
    assert shipped_visitor.post(address, team | {"confirmed": "yes"}).status_code == 303
    assert touched(shipped_visitor, screening)
    again = shipped_visitor.screened(FEET, client=client, **ULCER, **places)
    assert touched(shipped_visitor, again)
    other = {"place_foot_ulcer_place": "sole:right"}
    third = shipped_visitor.screened(FEET, client=client, **ULCER, **other)
    assert (
        "Until it agrees, hands stay off that foot"
        in shipped_visitor.page(f"/screenings/{third}").source
    )
    rules = shipped_visitor.storage.screening(third, shipped_visitor.clock.now())
    assert rules is not None
    assert {rule.side for rule in rules.verdict.changes.leave_out} == {"right"}


def test_a_foot_stays_out_after_a_word_that_does_not_speak_of_it(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    places = {"place_foot_ulcer_place": "sole:left"}
    screening, kept = told(shipped_visitor, client, FEET, q_heart="no", **ULCER, **places)
    assert [word.question for word in kept] == ["foot-ulcer-before"]
    assert touched(shipped_visitor, screening) is False


def touched(visitor: Visitor, screening: str) -> bool:
    """Whether the plan has a phase on the left sole."""
    made = visitor.post("/sessions", {"screening": screening, "early": "wished"})
    stored = visitor.storage.load(made.headers["Location"].rsplit("/", 1)[1])
    assert stored is not None
    return any((s.area, s.side) == ("sole", "left") for s in stored.plan.steps if s.hands_on)


def test_an_export_carries_words_and_an_erased_client_leaves_none(shipped_visitor: Visitor) -> None:
    client = client_of(shipped_visitor)
    told(shipped_visitor, client)
    database = shipped_visitor.storage.database
    (code,) = (one.code for one in Courses(shipped_visitor.storage).clients())
    for lines in (jsonl.lines(database), jsonl.lines(database, code)):
        rows = [
            row for line in lines if (row := json.loads(line)).get("table") == "clinician_words"
        ]
        assert [row["row"]["question"] for row in rows] == ["heart"]
    assert erase.erase(database, "clients", [client])["clinician_words"] == 1
    assert words_of_client(shipped_visitor.storage, client) == []


def test_a_page_of_a_client_without_words_has_no_section(shipped_visitor: Visitor) -> None:
    page = shipped_visitor.page(f"/clients/{client_of(shipped_visitor)}")
    assert isinstance(page, Page)
    assert 'id="words"' not in page.source
