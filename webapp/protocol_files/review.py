"""Review list: the content as lines that a clinician ticks.

All of it comes from the loaded library and from the rules of ``webapp/domain``, so that
``docs/clinical-review.md`` cannot say anything else than what runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple, get_args

from webapp.domain.catalogue import (
    LEVELS,
    UNSURE,
    Catalogue,
    Outcome,
    Question,
    Reach,
    RedFlag,
    Technique,
    When,
)
from webapp.domain.glucose import (
    BELOW,
    FALL_MATTERS_BELOW,
    KETONES_CALL_ABOVE,
    KETONES_CLEAR_BELOW,
    KETONES_EMERGENCY_ABOVE,
    PLAUSIBLE,
    READING_COUNTS_MINUTES,
    STRIP_COUNTS,
    UP_TO,
    Advice,
    Band,
    Ketones,
    Person,
    Reading,
    Trend,
    Unit,
    after_session,
    band_of,
    of_ketones,
    of_number,
    of_trend,
)
from webapp.domain.labels import CONDITIONS, GRADES, LOCKS, breathing, by_whom, passes, span
from webapp.domain.pictures import picture_of, seen_from, words_of
from webapp.domain.plan import LIGHT_PRESSURE, unroll
from webapp.domain.protocol import (
    ChosenPoint,
    Count,
    CourseRules,
    Duration,
    Phase,
    PhaseDuration,
    Protocol,
    SideGroup,
    Step,
)
from webapp.domain.screening import (
    ANSWERS_COUNT_MS,
    REFUSED,
    SHORT_WORD_COUNTS_DAYS,
    WHO,
    WORD_COUNTS_DAYS,
    Answers,
    low_risk,
    person_of,
    questions_for,
)
from webapp.protocol_files.loader import Library


class Conflict(NamedTuple):
    """Where the base text contradicts itself or today's practice, and what was chosen.

    ``tests/protocol_files/test_protocol_content.py`` holds the files to each ``chosen`` by its id.
    """

    id: str
    topic: str
    base: str
    chosen: str


class Milder(NamedTuple):
    """A verdict that is milder than that of content version 9462604ecad2, and why.

    ``fact`` names it in ``tests/clinical/test_before.py``, which refuses any other.
    """

    fact: str
    now: str
    before: str
    source: str


MILDER = (
    Milder(
        "mole",
        "ordinary moles do not end hand massage; a changing one is for a doctor within days",
        "hands off every mole, so often no massage",
        "R59; L214 is about cups",
    ),
    Milder(
        "long-acting",
        "long-acting insulin and an automated pump's own doses start no wait",
        "an hour after any insulin",
        "facts correction 5: rapid insulin",
    ),
    Milder(
        "old-sign",
        "dizziness, nausea, weakness, numbness, pain in both legs, a sore leg without a clot, cold feet: old and explained by a doctor leads to a clinician's word",
        "emergency or the same day, however old",
        "R57, R21; a clot only where a doctor has ruled it out",
    ),
    Milder(
        "cancer-and-back",
        "cancer earlier with back pain asks for a clinician's word",
        "never cleared",
        "R22: a prompt to be examined",
    ),
    Milder(
        "pressure-controlled",
        "controlled blood pressure: light and shortest, by hand (softer than L277)",
        "a clinician's word near the neck",
        "R55",
    ),
    Milder(
        "mild-asthma",
        "mild asthma, well: light and shortest, by hand (softer than L406)",
        "a clinician's word",
        "R60",
    ),
    Milder(
        "exercises",
        "physiotherapy exercises start no wait; heat, current and manipulation do",
        "24 hours after any physiotherapy",
        "L200, L453 speak of such treatment; R35",
    ),
    Milder(
        "accident-days-ago",
        "a fall, knock or strain more than two days ago with pain of neck or back: the same day",
        "emergency",
        "R20, R22",
    ),
    Milder(
        "snack",
        "a snack advised for glucose starts no new wait",
        "90 minutes after any snack",
        "R02",
    ),
)
CONFLICTS = tuple(
    Conflict(*row)
    for row in (
        ("C01", "Length of classical massage", "20 to 30 min (L183), 7 to 30 min (L503)", "whole back 20 to 30 min, one zone 7 to 20 min"),
        ("C02", "How much of each technique", "kneading more than half (L181), each movement 4 to 5 times (L503)", "the time rules; the passes are shown and spoken"),
        ("C03", "Time with cups on", "up to 7 min (L212), 10 min (L507)", "7 min at most, 5 min as usual"),
        ("C04", "Days between cups", "after 3 days (L212), every 3 days (L507)", "72 hours at least, and the marks have faded"),
        ("C05", "Direction of cups", "low back to neck (L212), neck down and back up (L507)", "up the back only; never on the neck"),
        ("C06", "Who must not have cups", "almost nobody (L210, L435), moles and spine (L214), the general list (L153-L161)", "the general list, and what is known today"),
        ("C07", "Cups in a flare-up", "at any stage (L206, L435), not in the acute stage (L163, L412)", "not in a flare-up"),
        ("C08", "Least age", "cups from 3 (L210, L435), honey from 12 (L230)", "adults only, from 18"),
        ("C09", "Rest afterwards", "30 min (L252), 20 (L507), 15 to 20 covered (L228)", "30 min in all; time under the cover counts"),
        ("C10", "Length of honey massage", "10 min (L314), 15 (L228), 30 (L509)", "10 min of hands-on work at most"),
        ("C11", "Course of honey massage", "8 (L228), 5 to 8 (L509)", "5, every other day"),
        ("C12", "Covered with honey", "15 to 20 min (L228), 20 (L509)", "15 min"),
        ("C13", "Burning under honey", "normal (L226), a rash means avoid (L459), severe means stop (L230)", "mild warmth is fine; burning, itch or rash: wash off and end"),
        ("C14", "Worth of honey massage", "said to help (L222, L314, L457), not accepted and harmful (L232, L488)", "labelled traditional, with low evidence"),
        ("C15", "Long point pressure", "over 10 min (L194), 10 (L450), 5 then 3 (L305), 2 to 3 (L508)", "a hold of 60 s as usual and 120 s at most; 3 min per point in all"),
        ("C16", "Short point pressure", "30 s at most (L196), 1 min at most (L451)", "30 s at most, 20 s as usual"),
        ("C17", "How much it may hurt", "painful (L192), firm to mild pain (L194), first sessions hurt (L183), no sharp pain (L196), stop if it grows (L480)", "3 of 10 at most; sharp, spreading or growing pain: stop"),
        ("C18", "Where the points lie", "at the painful place (L190, L202), away from it (L305)", "both, in files of their own"),
        ("C19", "Points in a flare-up", "suitable (L305), no massage then (L163, L272, L276, L412)", "locked in a flare-up"),
        ("C20", "After physiotherapy", "5 to 6 hours (L200), not the day after (L453)", "24 hours"),
        ("C21", "How many points", "4 to 6 (L202), several at once (L508)", "4, six at most, one at a time"),
        ("C22", "Who may do it", "simple (L110, L192, L418), specialists only (L192, L283, L317, L352, L442)", "light work at home; nothing strong on the neck"),
        ("C23", "Severe pain", "a reason for massage in remission (L385), a reason against (L163, L294)", "a reason against"),
        ("C24", "Slipped disc", "part of the picture (L264, L381, L206), dangerous (L378, L407)", "only with a doctor's word"),
        ("C25", "Tumour, tuberculosis", "cancer or any tumour (L157, L401), active or any tuberculosis (L160, L403)", "the wider words"),
        ("C26", "Damaged skin", "at the place (L155), on the back (L405), on the neck (L294)", "anywhere that would be touched"),
        ("C27", "Changed neck vessels", "a reason for massage (L390), a reason against (L159, L277, L278, L406, L410)", "no massage near the neck"),
        ("C28", "Pregnancy", "light neck work in the first three months (L163, L410)", "only with a midwife's or doctor's word"),
        ("C29", "Direction of strokes", "always upward (L250), nape to shoulders (L285, L327, L341, L498), neck to head (L288)", "limbs and back upward; nape down and outward; nothing at the front"),
        ("C30", "Position", "on the back (L494), face down (L93), sitting with the head forward (L283)", "face down, or sitting with the forehead supported"),
        ("C31", "Where the prone session begins", "lying face down, at the abdomen (L93)", "low back and pelvis; never the abdomen in diabetes"),
        ("C32", "Kind of vibration", "striking (L17, L180), light and moving (L93-L95), palm (L501)", "light shaking; no striking in diabetes, on neck, spine or kidneys"),
        ("C33", "Stroking", "presses (L9), glides (L17, L285)", "glides"),
        ("C34", "Role in diabetes", "main part (L53), instead of tablets (L101), never alone (L27)", "an addition; medicine stays as it is"),
        ("C35", "People on insulin", "never (L97), spoken of as usual (L63, L78)", "glucose, places and time are asked; points only with a clinician's word"),
        ("C36", "Poor vessels and nerves of the legs", "a reason for massage (L37), ulcer and gangrene a reason against (L5)", "narrowed arteries and numb feet need a clinician's word; numb: light pressure only"),
        ("C37", "Foot bath", "before the session (L55, L126); today's advice is not to soak", "by choice, lukewarm, 5 min at most"),
        ("C38", "Water before honey", "hot shower (L224), only warm (L126)", "warm"),
        ("C39", "Thai massage", "at home (L467), therapist only (L242)", "trained hands only; no neck work, no jerks"),
        ("C40", "Massage devices", "weaker than hands (L187), pain gone after a night (L308)", "15 min at most, awake"),
        ("C41", "Meals", "1.5 hours (L198), 1.5 to 2 hours (L252)", "a light meal 1.5 to 2 hours before; never fasting in diabetes"),
        ("C42", "Front of the neck", "with it (L341-L349), without it (L475-L478)", "without: nothing in front of the ear line"),
        ("C43", "Pinching", "firm (L337), gentle (L475)", "soft"),
        ("C44", "How often", "once to several times a week (L254), every other day (L228), 3 days (L212), 2 to 3 a week (L242)", "every other day at most, 10 sessions, again after six months"),
        ("C45", "Break in acupressure", "a week after up to 3 months (L200), six-month cycles (L254)", "looked at after 4 weeks, ends at 3 months, at least a week off"),
        ("C46", "Order of vibration", "before kneading (L180-L181), after it (L500-L501)", "kneading, then light vibration, then closing strokes"),
    )
)  # fmt: skip

LEVEL_WORDS = {
    "clear": "may start",
    "changes": "may start with changes",
    "clinician": "only with a clinician's word",
    "not-today": "not today",
    "help": "help first",
}
URGENCY_WORDS = {"emergency": "emergency", "same-day": "the same day", "urgent": "within days"}
PICTURES = "../atlas/atlas.html"
HOW_TO_SIGN = """\
**No clinician has reviewed this yet.** Nothing here is medical advice.

How to sign:

1. Check that the version below is the one you were asked about; it changes with every word and number.
2. Copy this file. In the copy, tick `[x]` what is right. Where something is wrong, write what and why beside it.
3. Fill in the block at the end, and send the copy to the maintainers. A part may be signed as well: say which protocols.
4. They put the copy beside this file, mend what you named, and enter your name and the date as `reviewed` in each protocol file
   that you passed. Its page then shows them.

What the words of the phases were before stands in [clinical-changes.md](clinical-changes.md).
The picture of every phase stands on the owner's page *Pictures* (`/owner/pictures`), and on the page that `make atlas` writes: to
that one lead the links *Picture*, whose ends are the same on both.

This file is written by `make review`. Do not edit it. Which control stands against which hazard is in [hazards.md](hazards.md)."""
SIGN_OFF = """\
## Sign-off

- Name:
- Profession, registration:
- Date:
- Version: {version}
- Protocols this is about:
- Remarks:

Signature:"""


def review_text(library: Library) -> str:
    """The whole review in Markdown, as it stands in ``docs/clinical-review.md``."""
    body = "\n".join(body_lines(library))
    version = hashlib.sha256(body.encode()).hexdigest()[:12]
    head = f"# Clinical review\n\n{HOW_TO_SIGN}\n\nVersion of the content: `{version}`\n"
    return f"{head}\n{body}\n{SIGN_OFF.format(version=f'`{version}`')}\n"


def body_lines(library: Library) -> Iterator[str]:
    """Yield the list after its head: protocols, questions and rules."""
    catalogue = library.catalogue
    protocols = [entry.protocol for entry in library.entries.values()]
    yield from contents(library)
    yield from ("## Protocols", "", "Times are seconds: least / usual / most.", "")
    for protocol in protocols:
        yield from protocol_lines(protocol, catalogue)
    yield from ("## Limits of the techniques", "")
    yield from (technique_line(technique) for technique in catalogue.techniques.values())
    yield from ("", "## Questions before a start", "")
    yield from verdict_lines()
    for group in catalogue.groups.values():
        asked = [q for q in catalogue.questions.values() if q.group == group.id]
        if asked:
            yield from ("", f"### {group.title}", *([f"\n{group.hint}"] if group.hint else []), "")
        for question in asked:
            yield from question_lines(question, catalogue, protocols)
    yield from ("", "## Glucose before and after", "")
    yield from glucose_lines()
    yield from ("", "## Red flags", "", "They end a session; the page says what to do.", "")
    yield from (red_flag_line(flag, catalogue) for flag in catalogue.red_flags.values())
    yield from ("", "## Deliberately milder than content version 9462604ecad2", "")
    yield "All other verdicts are at least as strict; a test runs both beside each other."
    yield ""
    for row in MILDER:
        yield tick(f"**{row.fact}.** Now: {row.now}. Before: {row.before}. Source: {row.source}.")
    yield from ("", "## Conflicts where a choice was made", "")
    for conflict in CONFLICTS:
        yield tick(f"**{conflict.id} {conflict.topic}.** Base text: {conflict.base}. "
                   f"Chosen: {conflict.chosen}.")  # fmt: skip
    yield ""


def contents(library: Library) -> Iterator[str]:
    """What is to be gone through, in numbers."""
    catalogue = library.catalogue
    yield (
        f"{len(library.entries)} protocols, {len(catalogue.techniques)} techniques, "
        f"{len(catalogue.questions)} questions, {len(catalogue.red_flags)} red flags, "
        f"{len(CONFLICTS)} conflicts."
    )
    yield ""


def tick(text: str, depth: int = 0) -> str:
    """Return a line of the list with a box to tick."""
    return f"{'  ' * depth}- [ ] {text}"


def plain(text: str) -> str:
    """A text of the data, with no sign that Markdown would take for its own."""
    return re.sub(r"([\\`*_<>\[\]|])", r"\\\1", text)


def listed(words: Sequence[str], last: str = "or") -> str:
    """``a, b or c``."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part)


# Protocols.


def protocol_lines(protocol: Protocol, catalogue: Catalogue) -> Iterator[str]:
    """Yield the part of one protocol."""
    yield from (f"### {plain(protocol.title)} (`{protocol.id}`)", "")
    yield from about_lines(protocol, catalogue)
    yield from (step_line("Preparation", step) for step in protocol.prepare)
    for entry in protocol.phases:
        if isinstance(entry, SideGroup):
            sides = ", then ".join(entry.for_sides)
            for phase in entry.phases:
                shown = [
                    (f"{phase.id}-{side}", phase.model_copy(update={"side": side}))
                    for side in entry.for_sides
                ]
                yield phase_line(phase, sides, picture_text(protocol, shown, catalogue), catalogue)
            yield tick(f"Between the sides: {plain(entry.change.text)}")
        else:
            text = picture_text(protocol, [(entry.id, entry)], catalogue)
            yield phase_line(entry, str(entry.side), text, catalogue)
    yield from (step_line("Afterwards", step) for step in protocol.aftercare)
    yield ""


def about_lines(protocol: Protocol, catalogue: Catalogue) -> Iterator[str]:
    """Yield what holds for a whole protocol."""
    reviewed = protocol.reviewed
    yield f"{CONDITIONS[protocol.condition]}; by {by_whom(protocol.performer)}. " + (
        f"Reviewed {reviewed.date} by {plain(reviewed.by)}."
        if reviewed
        else "Not reviewed by a clinician."
    )
    yield ""
    yield tick(f"What it is: {plain(protocol.summary)}")
    lock = LOCKS.get(protocol.access, "Open")
    yield tick(f"Access: {lock}. {plain(protocol.reason or '')}".rstrip())
    yield tick(f"Evidence: {GRADES[protocol.evidence.grade]}. {plain(protocol.evidence.note)}")
    if protocol.session is None:
        return
    asked = questions_for(catalogue, protocol)
    yield tick(f"Questions: {len(asked)} of {len(catalogue.questions)}, see below.")
    yield tick(f"Position: {plain(protocol.position)}")
    yield tick(f"Hands-on time: {seconds(protocol.session)}")
    yield from (tick(rule) for rule in rule_texts(protocol))
    if protocol.leave_out:
        titles = {phase.id: phase.title for phase in protocol.all_phases()}
        order = ", then ".join(" and ".join(titles[i] for i in e) for e in protocol.leave_out)
        yield tick(f"A short plan leaves out: {plain(order)}.")
    if protocol.asks_first_side:
        yield tick("Asked before: which side hurts less? It comes first.")
    if protocol.course:
        yield tick(course_text(protocol.course))
    if protocol.needs:
        yield tick(f"Needs: {plain('; '.join(protocol.needs))}")
    if protocol.stop:
        yield tick(f"On *Pain: stop*: {plain(' '.join(protocol.stop))}")


def seconds(duration: Duration | PhaseDuration) -> str:
    """Return a duration as least, usual and most seconds."""
    return f"{duration.min} / {duration.usual} / {duration.max} s"


def rule_texts(protocol: Protocol) -> Iterator[str]:
    """Yield the rules of a protocol in words."""
    rules = protocol.rules
    for share in rules.share:
        yield f"Rule: {share.technique} takes more than {share.more_than:.0%} of the time."
    for cap in rules.cap:
        titles = dict.fromkeys(
            item.title
            for item, _ in unroll(protocol)
            if isinstance(item, Phase) and cap.tag in item.tags
        )
        pause = " It counts on in a pause until they are off." if cap.counts_while_paused else ""
        yield f"Cap: {plain('; '.join(titles))}: {cap.seconds} s in all at most.{pause}"
    ends = [f"begins with {rules.first}"] * bool(rules.first)
    ends += [f"ends with {rules.last}"] * bool(rules.last)
    if ends:
        yield f"Rule: {' and '.join(ends)}."


def course_text(course: CourseRules) -> str:
    """Return the rules of a course in words."""
    parts = [f"at least {course.gap_hours} hours between starts"]
    if course.sessions:
        parts.insert(0, f"{counted(course.sessions)} sessions")
    if course.most_in_week:
        parts.append(f"at most {course.most_in_week} in seven days")
    if course.break_after:
        pause, after = span(course.break_after.pause), span(course.break_after.after)
        parts.append(f"after {after} a break of {pause}")
    if course.repeat_after:
        parts.append(f"again after {span(course.repeat_after)}")
    if course.gentle_first:
        parts.append(f"the first {course.gentle_first} short and light")
    if course.review_after:
        parts.append(f"does it help? asked after {span(course.review_after)}")
    return f"Course: {'; '.join(parts)}. Origin: {course.origin}."


def counted(count: Count) -> str:
    """Return a number of sessions in words."""
    if count.min == count.max:
        return str(count.usual)
    return f"{count.min} to {count.max} (as usual {count.usual})"


def step_line(kind: str, step: Step) -> str:
    """Return the line of a step of preparation or aftercare."""
    time = f" {seconds(step.seconds)}." if step.seconds else ""
    marks = " By choice." * step.optional + " Waits until told." * step.wait
    marks += f" {breathing(step.breathing)}." if step.breathing else ""
    return tick(
        f"{kind}: **{plain(step.title)}.**{time}{marks} {plain(step.text)} Origin: {step.origin}."
    )


def picture_text(
    protocol: Protocol, shown: Sequence[tuple[str, Phase]], catalogue: Catalogue
) -> str:
    """Where the picture of a phase stands, for each of its ids in a plan, or its words instead."""
    links, said = [], []
    for step, phase in shown:
        if picture_of(catalogue, protocol.id, step, phase, seen_from(protocol)):
            links.append(f"[{phase.side}]({PICTURES}#{protocol.id}-{step})")
        else:
            words = words_of(catalogue, protocol.id, step, phase, catalogue.areas[phase.area])
            said.append(f"“{'. '.join(filter(None, (words.place, words.way)))}.”")
    text = f" Picture: {', '.join(links)}." if links else ""
    return text + (f" Shown in words: {plain(' '.join(dict.fromkeys(said)))}" if said else "")


def phase_line(phase: Phase, sides: str, picture: str, catalogue: Catalogue) -> str:
    """Return the line of a phase."""
    technique, area = catalogue.techniques[phase.technique], catalogue.areas[phase.area]
    place = f"{area.name}, {'both sides' if sides == 'both' else sides}"
    way = f", {phase.direction}" if phase.direction else ""
    tempo = f", {phase.tempo} a minute" if phase.tempo else ""
    breath = f" {breathing(phase.breathing)}." if phase.breathing else ""
    kept_off = catalogue.kept_off(phase)
    keep_off = f" Keep off: {plain('; '.join(kept_off))}." if kept_off else ""
    said = " ".join(f"“{cue.say}” ({moment(cue.at)})." for cue in phase.cues)
    return tick(
        f"Phase: **{plain(phase.title)}.** {seconds(phase.seconds)}{'' if phase.side else ' each side'}."
        f"{' By choice.' * phase.optional} {technique.name}; {plain(place + way)}; "
        f"pressure {phase.pressure} of 5{tempo}.{plain(how(phase, catalogue))} "
        f"{plain(' '.join(phase.instructions))}{plain(light_text(phase))}{breath}"
        f"{f' Said: {plain(said)}' if said else ''}{keep_off}{picture} Origin: {phase.origin}."
    )


def how(phase: Phase, catalogue: Catalogue) -> str:
    """Hand position, landmarks, point and passes of a phase; nothing for a phase of format 1."""
    if not phase.hands:
        return ""
    parts = [catalogue.hands[phase.hands].text]
    if phase.from_ and phase.to:
        ends = [catalogue.landmarks[mark].name for mark in (phase.from_, phase.to)]
        parts.append(f"from {ends[0]} to {ends[1]}")
    if isinstance(phase.point, ChosenPoint):
        parts.append(f"{catalogue.points[phase.point.band].name}, number {phase.point.number}")
    elif phase.point:
        point = catalogue.points[phase.point]
        parts.append(f"{point.name}: {point.rule}")
    if phase.passes:
        parts.append(passes(phase.passes))
    if phase.in_turn:
        parts.append("one side, then the other")
    return f" {'; '.join(parts)}."


def light_text(phase: Phase) -> str:
    """What is said at light pressure instead, when the file has words for it."""
    return f" At light pressure: {' '.join(phase.light.instructions)}" if phase.light else ""


def moment(at: int | str) -> str:
    """Return in words when a cue comes."""
    if isinstance(at, str):
        return "halfway"
    return f"{at} s after the start" if at >= 0 else f"{-at} s before the end"


def technique_line(technique: Technique) -> str:
    """Return the line of a technique with its limits."""
    limits = []
    if technique.pressure:
        limits.append(f"pressure {technique.pressure.min} to {technique.pressure.max} of 5")
    if technique.tempo:
        limits.append(f"{technique.tempo.min} to {technique.tempo.max} a minute")
    never = f" Never: {plain('; '.join(technique.never))}." if technique.never else ""
    refused = (
        f" Refused in files for: {', '.join(technique.never_areas)}."
        if technique.never_areas
        else ""
    )
    return tick(
        f"**{technique.name}** ({technique.textbook}). {plain(technique.hands)} "
        f"Limits: {', '.join(limits)}.{never}{refused}"
    )


# Questions.


def verdict_lines() -> Iterator[str]:
    """Yield the rules by which answers become a verdict."""
    who = listed([name.replace("-", " ") for name in WHO])
    yield tick("The most restrictive of all answers counts.")
    yield tick('A missing answer never clears. "Not sure" counts as the worst answer.')
    yield tick("Where no rule covers an unsafe answer: not today.")
    yield tick(
        "In the rule of glucose, a type, medicine, dose or ketoacidosis that is not known counts as a risk."
    )
    yield tick(f"Answers count for {ANSWERS_COUNT_MS // 60_000} minutes.")
    yield tick(f"A glucose reading counts for {READING_COUNTS_MINUTES} minutes before the start.")
    yield tick(
        f"A clinician's word: who said it ({who}) and on which day, at most "
        f"{WORD_COUNTS_DAYS} days ago ({SHORT_WORD_COUNTS_DAYS} with diabetes, in pregnancy, while "
        "cancer is treated). It opens no position, method or place that another rule forbids. The diabetes team and the midwife answer only for their own field."
    )
    yield tick(f'"Light" means that no phase goes above pressure {LIGHT_PRESSURE} of 5.')


def question_lines(
    question: Question, catalogue: Catalogue, protocols: Sequence[Protocol]
) -> Iterator[str]:
    """Yield the lines of a question and its outcomes."""
    asked = [p for p in protocols if p.startable and question in questions_for(catalogue, p)]
    everywhere = len(asked) == sum(p.startable for p in protocols)
    names = (
        "every protocol that can be run" if everywhere else ", ".join(f"`{p.id}`" for p in asked)
    )
    named = [f"`{p.id}`" for p in asked if not catalogue.concerns(question.asked, p)]
    also = f" ({listed(named, 'and')} by the file's own wish)" if named else ""
    yield tick(
        f"**{plain(question.words)}** (`{question.id}`). Asked when a protocol "
        f"{listed([about(w, catalogue) for w in question.asked])}: {names or 'none'}{also}. {following(question)}{clearing(question)} "
        f"Origin: {question.origin}."
    )
    for answer, outcomes in answers(question):
        for outcome in outcomes:
            yield tick(
                f"{answer}{situation(outcome, outcomes, catalogue)}: "
                f"{outcome_text(outcome, asked)}",
                1,
            )
        if not outcomes:
            yield tick(f"{answer}: no change by itself.", 1)
    if question.kind == "choice":
        yield tick("Not sure: as the worst of these.", 1)
    tokens = [*(option.id for option in question.options), UNSURE]
    for risk, of in RISKS.items():
        counting = [t for t in tokens if of(Answers(given={**NO_RISK, question.id: t}))]
        if counting and (question.id in NO_RISK):
            yield tick(f"In the rule of glucose {risk}: {', '.join(counting)}.", 1)


NO_RISK = {
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "sglt2": "no",
    "unwell": "no",
    "fever": "no",
}


def person_after(answers: Answers) -> Person:
    """Return what these answers say of a person, in a massage not made for diabetes."""
    return person_of(answers, made_for=False)


RISKS: dict[str, Callable[[Answers], bool]] = {
    "a risk of lows": low_risk,
    "an SGLT2 medicine": lambda answers: person_after(answers).sglt2,
    "an illness": lambda answers: person_after(answers).ill,
}


def following(question: Question) -> str:
    """After which answers a follow-up is asked, and whether one decides."""
    ways = [f"`{way.question}` is {listed(way.answers)}" for way in question.follows]
    asked = f"Only when {listed(ways)}. " if ways else ""
    lows = "Only with a medicine that can cause lows, or where that is not known. "
    return asked + lows * question.lows_only + "Its follow-up decides. " * question.decided


def clearing(question: Question) -> str:
    """Whether a clinician's word can clear the question."""
    if question.never_cleared:
        return "Never cleared by a clinician's word."
    if any(outcome.level == "clinician" for outcome in question.every_outcome()):
        return "Cleared only by a clinician's word."
    return "No clinician's word is asked for."


def answers(question: Question) -> Iterator[tuple[str, tuple[Outcome, ...]]]:
    """Every answer with what it can lead to."""
    if question.kind == "choice":
        yield from ((f'"{plain(option.text)}"', option.outcomes) for option in question.options)
    elif question.kind == "place":
        yield "Yes, with the places", question.outcomes
        yield "Not sure", (REFUSED,)
    else:
        yield (
            "No or not sure" if question.kind == "promise" else "Yes or not sure",
            question.outcomes,
        )


def situation(outcome: Outcome, outcomes: Sequence[Outcome], catalogue: Catalogue) -> str:
    """Return in words when an outcome applies."""
    if outcome.when != When():
        return f", when it {about(outcome.when, catalogue)}"
    return ", otherwise" if any(o.when != When() for o in outcomes) else ""


def about(when: When, catalogue: Catalogue) -> str:
    """``touches the neck or ear and uses cupping``."""
    parts = []
    if when.regions:
        parts.append(f"touches {listed([r.replace('-', ' ') for r in when.regions])}")
    if when.techniques:
        names = [catalogue.techniques[t].name.lower() for t in when.techniques]
        parts.append(f"uses {listed(names)}")
    if when.conditions:
        parts.append(
            f"or the person has to do with {listed([CONDITIONS[c].lower() for c in when.conditions])}"
        )
    if when.access:
        parts.append(f"is {listed(when.access)}")
    if when.postures:
        parts.append(f"needs {listed([p.replace('-', ' ') for p in when.postures])}")
    return " and ".join(parts) or "runs"


REACH_WORDS: dict[Reach, str] = {
    "place": "the marked places are left out",
    "region": "the whole region of the marked places is left out, in every step",
    "limb": "the whole limb of the marked places is left out, in every step",
}


def outcome_text(outcome: Outcome, asked: Sequence[Protocol]) -> str:
    """Return an outcome in words."""
    more = []
    if outcome.wait_minutes:
        more.append(f"asked again after {outcome.wait_minutes} min")
    if outcome.light:
        more.append("light")
    if outcome.shortest:
        more.append("the shortest plan")
    if outcome.leave_out_marked:
        more.append(REACH_WORDS[outcome.reach])
    if outcome.leave_out_techniques:
        more.append(f"left out: {listed(outcome.leave_out_techniques)}")
    for tag in outcome.leave_out:
        titles = dict.fromkeys(
            phase.title for p in asked for phase in p.all_phases() if tag in phase.tags
        )
        more.append(f"left out: {'; '.join(titles) or f'nothing is marked {tag}'}")
    level = LEVEL_WORDS[outcome.level]
    urgency = f" ({URGENCY_WORDS[outcome.urgency]})" if outcome.urgency else ""
    extra = f" ({plain('; '.join(more))})" if more else ""
    return f"**{level}**{urgency}{extra}. {plain(outcome.act)}"


def red_flag_line(flag: RedFlag, catalogue: Catalogue) -> str:
    """Return the line of a sign of danger."""
    shown = listed([about(when, catalogue) for when in flag.when])
    late = " Told after the session." if flag.late else ""
    return tick(
        f"**{plain(flag.sign)}** (`{flag.id}`). Shown when a protocol {shown}.{late} "
        f"{URGENCY_WORDS[flag.urgency].capitalize()}: {plain(flag.act)} Origin: {flag.origin}."
    )


# Glucose.

LOW_RISK = {
    "with insulin, a sulfonylurea or a glinide, with type 1, or not known": True,
    "without such a medicine": False,
}
CONDITION = {
    "well, no SGLT2 medicine": {"sglt2": False, "ill": False},
    "with an SGLT2 medicine, or not known": {"sglt2": True, "ill": False},
    "unwell, with a fever or an infection, or not known": {"sglt2": False, "ill": True},
}
TRENDS: dict[str, Trend] = {
    "steady": "steady",
    "falling": "falling",
    "falling fast": "falling-fast",
    "not known": "unknown",
}
A_LITTLE = Decimal("0.1")
KETONES = {
    "ketones not measured": None,
    f"ketones below {KETONES_CLEAR_BELOW} mmol/L": KETONES_CLEAR_BELOW - A_LITTLE,
    f"ketones {KETONES_CLEAR_BELOW} to {KETONES_CALL_ABOVE}": KETONES_CLEAR_BELOW,
    f"ketones above {KETONES_CALL_ABOVE} to {KETONES_EMERGENCY_ABOVE}": KETONES_EMERGENCY_ABOVE,
    f"ketones above {KETONES_EMERGENCY_ABOVE}": KETONES_EMERGENCY_ABOVE + A_LITTLE,
}


def glucose_lines() -> Iterator[str]:
    """Yield the lines about glucose readings."""
    yield (
        "Lows are from R01 and R02; the other limits are borrowed from exercise guidance (R05, R05b) "
        "and one practitioner (R04). A reading is compared in the unit that was entered; between "
        "two bands the stricter one holds."
    )
    yield from ("", "Before:", "")
    for band in get_args(Band):
        yield tick(f"**{range_text(band, 'mmol/L')} mmol/L, {range_text(band, 'mg/dL')} mg/dL**")
        yield from cases(sample(band))
    yield tick("**No meter at hand**")
    yield from cases(Reading(shown="none"))
    yield tick(
        "**Ketones**, asked for above 13.9 mmol/L (250 mg/dL), when ill, and with an SGLT2 medicine"
    )
    yield from ketone_lines()
    yield tick(
        "A urine strip: "
        + ", ".join(f"{strip} counts as {value} mmol/L" for strip, value in STRIP_COUNTS.items())
        + "; ++ or more with any illness is an emergency."
    )
    yield tick(
        "A meter without an arrow: two readings ten minutes apart. A fall of 0.6 mmol/L (10 mg/dL) or "
        "more is falling, of more than 1.1 (20 mg/dL) falling fast."
    )
    yield tick("In a massage made for diabetes a steady reading asks for no shorter plan.")
    yield tick("LO on the meter counts as the lowest band, HI as the highest.")
    yield tick(
        f"A number outside {plausible('mmol/L')} or {plausible('mg/dL')} is not taken: perhaps the unit was mixed up."
    )
    yield from ("", "Afterwards:", "")
    for band in get_args(Band):
        yield tick(
            f"{range_text(band, 'mmol/L')} mmol/L, {range_text(band, 'mg/dL')} mg/dL: "
            f"{told_after(after_session(sample(band)))}"
        )


def plausible(unit: Unit) -> str:
    """Return the range of plausible readings in words."""
    least, most = PLAUSIBLE[unit]
    return f"{least} to {most} {unit}"


WELL = Person(lows=False, sglt2=False, ill=False)


def cases(reading: Reading) -> Iterator[str]:
    """What the rule says of a number and its trend, told apart only where it differs."""
    yield from told_apart(
        {
            (low, ill): advice_text(
                of_number(reading, Person(lows=LOW_RISK[low], **CONDITION[ill]))
            )
            for low, ill in product(LOW_RISK, CONDITION)
        }
    )
    yield from trend_cases(reading)
    if band_of(reading) == "go":
        above = Reading(shown="number", value=FALL_MATTERS_BELOW["mmol/L"])
        yield from trend_cases(above, f"From {above.value} mmol/L (126 mg/dL) on, ")


def trend_cases(reading: Reading, where: str = "") -> Iterator[str]:
    """What the trend says besides the number; nothing where it says nothing."""
    trends = {
        (low, f"trend {trend}"): advice_text(said)
        for low, trend in product(LOW_RISK, TRENDS)
        if (
            said := of_trend(
                reading.model_copy(update={"trend": TRENDS[trend]}),
                WELL.model_copy(update={"lows": LOW_RISK[low]}),
            )
        )
    }
    yield from (
        line.replace("- [ ] ", f"- [ ] {where}", 1) for line in told_apart(trends) if trends
    )


def ketone_lines() -> Iterator[str]:
    """What ketones say at a usual number; at any other they say the same beside it."""
    found = {
        (ill, ketones): advice_text(
            of_ketones(
                sample("go"), Person(lows=False, **CONDITION[ill]), Ketones(mmol_per_l=value)
            )
        )
        for ill, (ketones, value) in product(CONDITION, KETONES.items())
    }
    yield from told_apart(found)


def told_apart(found: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Give a line for each text, with the cases it is for as far as they matter."""
    told = [place for place in (0, 1) if matters(found, place)]
    lines: dict[str, list[str]] = {}
    for case, text in found.items():
        lines.setdefault(text, []).append(", ".join(case[place] for place in told))
    for text, when in lines.items():
        label = "; or ".join(dict.fromkeys(when))
        yield tick(f"{label[:1].upper()}{label[1:]}: {text}" if label else text, 1)


def matters(found: Mapping[tuple[str, str], str], place: int) -> bool:
    """True when two cases that differ in this place alone are told differently."""
    by_rest: dict[str, set[str]] = {}
    for case, text in found.items():
        by_rest.setdefault(case[1 - place], set()).add(text)
    return any(len(texts) > 1 for texts in by_rest.values())


def advice_text(advice: Sequence[Advice]) -> str:
    """What counts of the advice, with its level; nothing to say means that it may start."""
    level = max((item.level for item in advice), key=LEVELS.index, default="clear")
    return " And: ".join(
        f"**{LEVEL_WORDS[item.level]}**{f' ({URGENCY_WORDS[item.urgency]})' if item.urgency else ''}. "
        f"{plain(item.said)} {plain(item.act)}"
        + (f" (Asked again after {item.wait_minutes} min.)" if item.wait_minutes else "")
        for item in advice
        if item.level == level
    ) or "**may start**, if well."  # fmt: skip


def told_after(advice: Advice) -> str:
    """Return what is said after a reading at the end."""
    urgency = f"**{URGENCY_WORDS[advice.urgency].capitalize()}.** " if advice.urgency else ""
    return f"{urgency}{plain(advice.said)} {plain(advice.act)}"


def limits(unit: Unit) -> list[tuple[Decimal, Band]]:
    """The upper limit of every band but the last, from the lowest upwards."""
    return [*BELOW[unit], *UP_TO[unit]]


def range_text(band: Band, unit: Unit) -> str:
    """``4.0 to below 5.6``, ``above 13.9 to 16.7``."""
    bands = limits(unit)
    below = {name for _, name in BELOW[unit]}
    order = [name for _, name in bands]
    at = order.index(band) if band in order else len(order)
    upper = bands[at][0] if at < len(bands) else None
    lower = bands[at - 1][0] if at else None
    from_lower = f"{lower}" if at and order[at - 1] in below else f"above {lower}"
    if upper is None:
        return from_lower
    to_upper = f"below {upper}" if band in below else f"{upper}"
    return f"{from_lower} to {to_upper}" if lower is not None else to_upper


def sample(band: Band) -> Reading:
    """The lowest reading of ``band``."""
    unit: Unit = "mg/dL"
    least, most = PLAUSIBLE[unit]
    values = (Decimal(n) for n in range(int(least), int(most) + 1))
    readings = (Reading(shown="number", value=value, unit=unit) for value in values)
    return next(reading for reading in readings if band_of(reading) == band)
