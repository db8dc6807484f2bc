"""Pages of a screening: questions, verdict, and what a clinician said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from webapp.domain.catalogue import DIABETES, UNSURE, Question
from webapp.domain.clinician_word import (
    KeptWord,
    agreed_sides,
    ended_by,
    sides_to_agree,
    word_of,
    words_to_keep,
)
from webapp.domain.plan import Plan, UnreachableError
from webapp.domain.protocol import FirstSide, Protocol
from webapp.domain.screening import (
    AGREED_BY,
    GLUCOSE,
    HAS_DIABETES,
    KETONES,
    NOTHING_AGREED,
    SIGNS,
    TREND,
    Agreed,
    Answers,
    Finding,
    Screening,
    Verdict,
    Word,
    questions_for,
    questions_in_question,
    refusal,
    refused,
    screen,
    who_may_clear,
    word_counts_days,
    word_fault,
)
from webapp.domain.signs import typed_text
from webapp.presentation.verdicts import words_of
from webapp.protocol_files.loader import LibraryEntry
from webapp.routes import assignments, protocols, request_clock, request_time, site
from webapp.routes.screening_form import (
    IN_GROUPS,
    UNITS,
    Fields,
    ScreeningForm,
    answers_of,
    place_name,
    places_of,
)
from webapp.storage import clinician_words

blueprint = Blueprint("screenings", __name__)

LASTING_GROUPS = ("illness", "place", "feet", "method", "hands")
UNIT_COOKIE = "glucose-unit"
TRAINED, TRAINED_FOR, TRAINED_COOKIE = "trained", "trained-for", "trained-hands"
YEAR_SECONDS = 365 * 24 * 3600
TOO_MUCH = Finding(
    question="plan",
    level="not-today",
    said="Too much would have to be left out.",
    act="What remains would no longer be this massage. Choose another one, or another day.",
)


@dataclass(frozen=True)
class Sheet:
    """The form as it is shown: what was typed, what is missing, what is at fault."""

    fields: Fields = field(default_factory=MultiDict)
    missing: tuple[str, ...] = ()
    faults: dict[str, str] = field(default_factory=dict)
    said: str = ""


# -- the questions -------------------------------------------------------------------------------


@blueprint.get("/protocols/<protocol_id>/screening")
def ask(protocol_id: str) -> Response:
    """The questions of a protocol. No question is answered beforehand."""
    entry = startable_or_404(protocol_id)
    wish = protocols.wish_of(entry.protocol, request.args)
    if wish.fault or wish.plan is None:
        return Response(protocols.page(entry, wish), 422, mimetype="text/html")
    known = {f"q-{TRAINED}": "yes", TRAINED_FOR: "device"}
    confirmed = known if protocol_id in trained_here() else {}
    return form(entry, wish.plan, Sheet(MultiDict(confirmed)))


@blueprint.post("/protocols/<protocol_id>/screening")
def answer(protocol_id: str) -> Response:
    """Take the answers: a verdict when they suffice, else the form with what is missing."""
    entry = startable_or_404(protocol_id)
    wish = protocols.wish_of(entry.protocol, request.form)
    if wish.fault or wish.plan is None:
        return Response(protocols.page(entry, wish), 422, mimetype="text/html")
    return judged(entry, wish.plan, answers_of(request.form, asked_of(entry), entry.protocol))


def judged(entry: LibraryEntry, plan: Plan, taken: ScreeningForm) -> Response:
    """The answer to a form: 303 to the verdict, or the form again."""
    here = site()
    now = request_time()
    client, client_fault = assignments.chosen_client(request.form)
    faults = taken.faults | ({"client": client_fault} if client_fault else {})
    kept = clinician_words.words_of_client(here.storage, client) if client else []
    today = request_clock().wall_time().date()
    agreed = agreed_sides(kept, entry.protocol, taken.answers, today)
    found = verdict_on(entry, plan, taken.answers, agreed)
    verdict = assignments.heed(entry, found, client, now)
    urgent = verdict.level == "help" or verdict.low
    if not verdict.complete or (faults and not urgent):
        return form(entry, plan, Sheet(request.form, verdict.missing, faults), 422)
    reading = taken.answers.reading
    client = assignments.known_client(client, now)
    end_words(entry, kept, taken.answers, verdict, client)
    screening = Screening(
        protocol=entry.protocol.id,
        protocol_hash=entry.digest,
        rules_hash=here.library.catalogue.rules_hash,
        seconds=plan.asked_seconds,
        chosen=plan.chosen,
        answers=taken.answers,
        verdict=verdict,
        answered_at=now,
        reading_at=now - taken.minutes_ago * 60_000
        if reading and reading.shown != "none"
        else None,
        word=word_of(kept, entry.protocol, taken.answers, verdict, today),
        client=client,
        agreed=dict(agreed),
    )
    screening_id = here.storage.keep_screening(screening, now)
    response = redirect(url_for("screenings.show", screening_id=screening_id), 303)
    if reading and reading.shown == "number":
        remember_unit(response, reading.unit)
    remember_training(response, entry.protocol.id, taken.answers.given.get(TRAINED))
    return response


def end_words(
    entry: LibraryEntry,
    kept: Sequence[KeptWord],
    answers: Answers,
    verdict: Verdict,
    client: str,
) -> None:
    """A clinician's word ends with the answer that it was for."""
    if kept and not verdict.missing:
        ended = ended_by(kept, site().library.catalogue, entry.protocol, answers)
        if ended:
            clinician_words.drop_words(site().storage, client, ended)


def verdict_on(
    entry: LibraryEntry, plan: Plan, answers: Answers, agreed: Agreed = NOTHING_AGREED
) -> Verdict:
    """The verdict, with the plan tried out: changes that leave no massage refuse it."""
    library = site().library
    verdict = screen(library.catalogue, entry.protocol, answers, agreed)
    if not verdict.changes:
        return verdict
    try:
        library.plan(entry.protocol, plan.asked_seconds, frozenset(plan.chosen), verdict.changes)
    except UnreachableError:
        return refused(verdict, TOO_MUCH)
    return verdict


def asked_of(entry: LibraryEntry) -> tuple[Question, ...]:
    return questions_for(site().library.catalogue, entry.protocol)


def startable_or_404(protocol_id: str) -> LibraryEntry:
    entry = protocols.entry_or_404(protocol_id)
    if not entry.protocol.startable:
        abort(404)
    return entry


def form(entry: LibraryEntry, plan: Plan, sheet: Sheet, status: int = 200) -> Response:
    here = site()
    catalogue = here.library.catalogue
    questions = asked_of(entry)
    hides_diabetes = entry.protocol.condition != DIABETES
    body = render_template(
        "screenings/form.html",
        protocol=entry.protocol,
        plan=plan,
        groups=[
            (group, sets_of([q for q in questions if q.group == group.id]))
            for group in catalogue.groups.values()
            if any(q.group == group.id for q in questions)
        ],
        sign_open=any(q.group == SIGNS and q.follows and q.id in sheet.missing for q in questions),
        of_diabetes=lambda question: hides_diabetes and of_diabetes(question),
        hides_diabetes=hides_diabetes,
        tokens_of=tokens_of,
        places=place_choices(entry),
        sheet=sheet,
        missing=missing_words(questions, sheet.missing),
        unit=sheet.fields.get("unit") or remembered_unit(),
        units=UNITS,
        clients=here.courses.clients(),
        client=sheet.fields.get("client") or request.args.get("client", ""),
    )
    return Response(body, status, mimetype="text/html")


def missing_words(questions: Sequence[Question], missing: Sequence[str]) -> list[tuple[str, str]]:
    """Where and what each missing answer is: the id on the page and its text.

    Groups of which nothing is answered are one line each.
    """
    words: list[tuple[str, str]] = []
    if HAS_DIABETES in missing:  # what only people with diabetes are asked waits for this answer
        missing = [name for name in missing if name not in (GLUCOSE, TREND, KETONES)]
        missing = [n for n in missing if not any(q.id == n and of_diabetes(q) for q in questions)]
    for group in dict.fromkeys(q.group for q in questions):
        mine = [q for q in questions if q.group == group and not q.follows]
        open_ones = [q for q in mine if q.id in missing]
        if len(open_ones) == len([q for q in mine if not of_diabetes(q)]) > 1:
            title = site().library.catalogue.groups[group].title
            words.append((f"group-{group}", f"{title}: all {len(open_ones)}"))
        else:
            words += [(f"ask-{q.id}", q.words) for q in open_ones]
        words += [
            (f"ask-{q.id}", q.words)
            for q in questions
            if q.group == group and q.follows and q.id in missing
        ]
    if GLUCOSE in missing:
        words.append(("ask-glucose", "The glucose reading"))
    if TREND in missing:
        words.append(("ask-trend", "The trend of glucose"))
    if KETONES in missing:
        words.append(("ask-ketones", "Ketones: they matter now"))
    return words


def of_diabetes(question: Question) -> bool:
    """True for what only people with diabetes are asked."""
    return all(when.conditions == (DIABETES,) for when in question.asked)


def tokens_of(question: Question) -> list[tuple[str, str]]:
    """The answers to choose from, with their words."""
    unsure = (UNSURE, "Not sure")
    if question.kind == "choice":
        return [*((option.id, option.text) for option in question.options), unsure]
    if question.kind == "promise":
        return [("yes", "Yes"), ("no", "No"), unsure]
    return [("no", "No"), ("yes", "Yes"), unsure]


@dataclass(frozen=True)
class Asking:
    """A question on the page, with the answers that open its follow-ups below it."""

    question: Question
    opens: frozenset[str]


@dataclass(frozen=True)
class AskingSet:
    """Questions that stand together with what follows from them."""

    first: tuple[Asking, ...]
    follow: tuple[Asking, ...]


def sets_of(questions: Sequence[Question]) -> list[AskingSet]:
    """The questions of a group: each with its follow-ups, what is answered by a tick first."""
    opens: dict[str, set[str]] = {q.id: set() for q in questions}
    for question in questions:
        for way in question.follows:
            opens.get(way.question, set()).update(way.answers)

    def asking(found: Sequence[Question]) -> tuple[Asking, ...]:
        return tuple(Asking(q, frozenset(opens[q.id])) for q in found)

    sets: list[AskingSet] = []
    placed = set[str]()
    first = [q for q in questions if not q.follows]
    for question in sorted(first, key=lambda q: (q.id != HAS_DIABETES, q.kind not in IN_GROUPS)):
        if question.id in placed:
            continue
        follow = [q for q in questions if any(w.question == question.id for w in q.follows)]
        named = {way.question for q in follow for way in q.follows} | {question.id}
        together = [q for q in first if q.id in named]
        placed |= {q.id for q in together}
        sets.append(AskingSet(asking(together), asking(follow)))
    return sets


def place_choices(entry: LibraryEntry) -> list[tuple[str, str]]:
    areas = site().library.catalogue.areas
    return [
        (place, place_name(areas[area], side))
        for place, (area, side) in places_of(entry.protocol).items()
    ]


def remembered_unit() -> str:
    unit = request.cookies.get(site().settings.cookie(UNIT_COOKIE), "")
    return unit if unit in UNITS else ""


def trained_here() -> set[str]:
    """Return the protocols for which trained hands were confirmed on this device."""
    kept = request.cookies.get(site().settings.cookie(TRAINED_COOKIE), "")
    return set(kept.split(".")) & site().library.entries.keys()


def remember_training(response: Response, protocol_id: str, answer: str | None) -> None:
    """Keep a yes that is for whoever works with this device; any other answer ends it."""
    known = trained_here()
    here = answer == "yes" and request.form.get(TRAINED_FOR) == "device"
    told = known | {protocol_id} if here else known - {protocol_id}
    if answer and told != known:
        remember(response, TRAINED_COOKIE, ".".join(sorted(told)))


def remember_unit(response: Response, unit: str) -> None:
    """The unit of this device's meter; no reading is kept in the browser."""
    remember(response, UNIT_COOKIE, unit)


def remember(response: Response, name: str, value: str) -> None:
    """Keep ``value`` on this device for a year."""
    response.set_cookie(
        site().settings.cookie(name),
        value,
        max_age=YEAR_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=site().settings.secure,
    )


# -- the verdict ---------------------------------------------------------------------------------


@blueprint.get("/screenings/<screening_id>")
def show(screening_id: str) -> Response:
    return verdict_page(screening_id, screening_or_404(screening_id))


@blueprint.post("/screenings/<screening_id>/word")
def tell_word(screening_id: str) -> Response:
    """A clinician's word in two steps: who and when, then the confirmation of exactly that."""
    screening = screening_or_404(screening_id)
    if screening.verdict.level != "clinician" or screening.verdict.missing:
        abort(409)
    here = site()
    now = request_time()
    entry = protocols.entry_or_404(screening.protocol)
    said = Said.of_form(request.form)
    fault = said.fault(entry.protocol, screening, request_clock().wall_time().date())
    if fault:
        return verdict_page(screening_id, screening, 422, fault=fault, said=said)
    if request.form.get("confirmed") != "yes":
        return verdict_page(screening_id, screening, asked_again=True, said=said)
    known = next(name for name in who_may_clear(screening.verdict) if name == said.who)
    word = Word(who=known, on=said.on, at=now)
    sides = sides_to_agree(screening.answers, screening.verdict) if said.agreed else {}
    told = screening.model_copy(update={"word": word, "agreed": {**screening.agreed, **sides}})
    if sides:
        plan = here.library.plan(entry.protocol, told.seconds, frozenset(told.chosen))
        found = verdict_on(entry, plan, told.answers, told.agreed)
        verdict = assignments.heed(entry, found, told.client, now)
        told = told.model_copy(update={"verdict": verdict})
    if told.client:
        clinician_words.keep_words(here.storage, told.client, words_told(entry, told, sides))
    here.storage.tell_word(screening_id, told)
    return redirect(url_for("screenings.show", screening_id=screening_id), 303)


def words_told(entry: LibraryEntry, screening: Screening, agreed: Agreed) -> tuple[KeptWord, ...]:
    """What is kept of the word that was told after a screening, and of what it ``agreed`` to."""
    assert screening.word is not None
    return words_to_keep(
        entry.protocol, screening.answers, screening.verdict, screening.word, agreed
    )


@dataclass(frozen=True)
class Said:
    """A clinician's word as it was typed; ``agreed``: hands may touch again what was left out."""

    who: str = ""
    on: str = ""
    agreed: bool = False

    @classmethod
    def of_form(cls, fields: Fields) -> Said:
        return cls(
            fields.get("who", ""), typed_text(fields.get("on", "")), fields.get("agreed") == "yes"
        )

    def fault(self, protocol: Protocol, screening: Screening, today: date) -> str:
        """Return what is wrong with it; empty when nothing is."""
        verdict, answers = screening.verdict, screening.answers
        days = word_counts_days(protocol, answers, questions_in_question(verdict))
        sides = sides_to_agree(answers, verdict) if self.agreed else {}
        if any(self.who not in AGREED_BY[question] for question in sides):
            return "Only the foot team or a specialist can say that hands may touch this foot."
        return word_fault(self.who, self.on, today, who_may_clear(verdict), days)


def screening_or_404(screening_id: str) -> Screening:
    screening = site().storage.screening(screening_id, request_time())
    if screening is None:
        abort(404)
    return screening


def verdict_page(
    screening_id: str, screening: Screening, status: int = 200, **more: object
) -> Response:
    now = request_time()
    entry = protocols.entry_or_404(screening.protocol)
    plan = plan_of(entry, screening)
    verdict = screening.verdict
    needs_word = verdict.level == "clinician" and screening.word is None
    body = render_template(
        "screenings/verdict.html",
        screening_id=screening_id,
        screening=screening,
        verdict=verdict,
        protocol=entry.protocol,
        plan=plan,
        refusal=refusal_of(entry, screening_id, screening, now),
        words=words_of(verdict, needs_word=needs_word, waits=bool(screening.wait_until)),
        needs_word=needs_word,
        wait_until=screening.wait_until,
        counts_until=screening.counts_until,
        now=now,
        clock=request_clock(),
        who_choices=who_may_clear(verdict),
        today=request_clock().wall_time().date().isoformat(),
        sides=sides_to_agree(screening.answers, verdict) if needs_word else {},
        **assignments.context(entry, screening, now),
        **{
            "fault": "",
            "said": Said(),
            "asked_again": False,
            "early_fault": "",
            "side_fault": "",
            **more,
        },
    )
    return Response(body, status, mimetype="text/html")


def plan_of(
    entry: LibraryEntry, screening: Screening, first_side: FirstSide | None = None
) -> Plan | None:
    """The plan as the verdict leaves it, from ``first_side`` on; None when it leaves none."""
    if screening.verdict.level in ("not-today", "help"):
        return None
    try:
        return site().library.plan(
            entry.protocol,
            screening.seconds,
            frozenset(screening.chosen),
            screening.verdict.changes,
            first_side,
        )
    except UnreachableError:
        return None


def refusal_of(entry: LibraryEntry, screening_id: str, screening: Screening, now: int) -> str:
    admission = screening.admission(screening_id)
    return refusal(admission, entry.digest, site().library.catalogue.rules_hash, now)


# -- once more, after a wait ---------------------------------------------------------------------


@blueprint.get("/screenings/<screening_id>/again")
def again(screening_id: str) -> Response:
    """The same form with the answers that last; red flags, today, food and glucose are open."""
    screening = screening_or_404(screening_id)
    if screening.wait_until and request_time() < screening.wait_until:
        return verdict_page(screening_id, screening, 409)
    entry = startable_or_404(screening.protocol)
    plan = site().library.plan(entry.protocol, screening.seconds, frozenset(screening.chosen))
    lasting = {q.id for q in asked_of(entry) if q.group in LASTING_GROUPS}
    fields: Fields = MultiDict({"client": screening.client})
    for question, token in screening.answers.given.items():
        if question in lasting:
            fields.add(f"q-{question}", token)
    for question, marked in screening.answers.places.items():
        for place in marked:
            fields.add(f"place-{question}", place)
    said = "What does not change in an hour is filled in. Please check it, and answer the rest."
    return form(entry, plan, Sheet(fields, said=said))
