"""The content as a clinician goes through it: one line to tick for everything that could harm.

All of it comes from the loaded library and from the rules of ``webapp/domain``, so that
``docs/clinical-review.md`` cannot say anything else than what runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import product
from typing import NamedTuple, get_args

from webapp.domain.catalogue import (
    LEVELS,
    UNSURE,
    Catalogue,
    Outcome,
    Question,
    RedFlag,
    Technique,
    When,
)
from webapp.domain.glucose import (
    BELOW,
    KETONES_CALL_FROM,
    KETONES_CLEAR_BELOW,
    KETONES_EMERGENCY_ABOVE,
    PLAUSIBLE,
    READING_COUNTS_MINUTES,
    UP_TO,
    Advice,
    Band,
    Ketones,
    Reading,
    Unit,
    after_session,
    band_of,
    judge,
)
from webapp.domain.labels import CONDITIONS, GRADES, LOCKS, breathing, by_whom, span
from webapp.domain.pictures import is_wrong, words_of
from webapp.domain.plan import LIGHT_PRESSURE
from webapp.domain.protocol import (
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
    WHO,
    WORD_COUNTS_DAYS,
    Answers,
    ketone_risk,
    low_risk,
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


CONFLICTS = tuple(
    Conflict(*row)
    for row in (
        ("C01", "Length of classical massage", "20 to 30 min (L183), 7 to 30 min (L503)", "whole back 20 to 30 min, one zone 7 to 20 min"),
        ("C02", "How much of each technique", "kneading more than half (L181), each movement 4 to 5 times (L503)", "the time rules; the passes are only a spoken cue"),
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
HOW_TO_SIGN = """\
**No clinician has reviewed this yet.** Nothing here is medical advice.

How to sign:

1. Check that the version below is the one you were asked about; it changes with every word and number.
2. Copy this file. In the copy, tick `[x]` what is right. Where something is wrong, write what and why beside it.
3. Fill in the block at the end, and send the copy to the maintainers. A part may be signed as well: say which protocols.
4. They put the copy beside this file, mend what you named, and enter your name and the date as `reviewed` in each protocol file
   that you passed. Its page then shows them.

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
                words = words_instead(protocol.id, shown, catalogue)
                yield phase_line(phase, sides, words, catalogue)
            yield tick(f"Between the sides: {plain(entry.change.text)}")
        else:
            words = words_instead(protocol.id, [(entry.id, entry)], catalogue)
            yield phase_line(entry, str(entry.side), words, catalogue)
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
        titles = dict.fromkeys(p.title for p in protocol.all_phases() if cap.tag in p.tags)
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


def words_instead(protocol: str, shown: Sequence[tuple[str, Phase]], catalogue: Catalogue) -> str:
    """Place and way of a phase without a true picture, by its ids in a plan; nothing for all others."""
    said = [
        words_of(catalogue, protocol, step, phase, catalogue.areas[phase.area])
        for step, phase in shown
        if is_wrong(catalogue, phase.technique, phase.area)
    ]
    told = dict.fromkeys(". ".join(filter(None, (words.place, words.way))) for words in said)
    return f" Shown in words: {plain(' '.join(f'“{words}.”' for words in told))}" if told else ""


def phase_line(phase: Phase, sides: str, words: str, catalogue: Catalogue) -> str:
    """Return the line of a phase."""
    technique, area = catalogue.techniques[phase.technique], catalogue.areas[phase.area]
    place = f"{area.name}, {'both sides' if sides == 'both' else sides}"
    way = f", {phase.direction}" if phase.direction else ""
    tempo = f", {phase.tempo} a minute" if phase.tempo else ""
    breath = f" {breathing(phase.breathing)}." if phase.breathing else ""
    keep_off = f" Keep off: {plain('; '.join(phase.avoid))}." if phase.avoid else ""
    said = " ".join(f"“{cue.say}” ({moment(cue.at)})." for cue in phase.cues)
    return tick(
        f"Phase: **{plain(phase.title)}.** {seconds(phase.seconds)}{'' if phase.side else ' each side'}."
        f"{' By choice.' * phase.optional} {technique.name}; {plain(place + way)}; "
        f"pressure {phase.pressure} of 5{tempo}. {plain(' '.join(phase.instructions))}{breath}"
        f"{f' Said: {plain(said)}' if said else ''}{keep_off}{words} Origin: {phase.origin}."
    )


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
        f"{WORD_COUNTS_DAYS} days ago. The diabetes team and the midwife answer only for their own field."
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
        f"**{plain(question.text)}** (`{question.id}`). Asked when a protocol "
        f"{listed([about(w, catalogue) for w in question.asked])}: {names or 'none'}{also}. {clearing(question)} "
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
    for risk, of in (("lows", low_risk), ("ketones", ketone_risk)):
        counting = [t for t in tokens if of(Answers(given={**NO_RISK, question.id: t}))]
        if counting:
            yield tick(f"In the rule of glucose a risk of {risk}: {', '.join(counting)}.", 1)


NO_RISK = {
    "diabetes-type": "type-2",
    "glucose-medicine": "none",
    "last-insulin": "never",
    "dka-history": "no",
}


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
        parts.append(f"is for {listed([CONDITIONS[c].lower() for c in when.conditions])}")
    if when.access:
        parts.append(f"is {listed(when.access)}")
    return " and ".join(parts) or "runs"


def outcome_text(outcome: Outcome, asked: Sequence[Protocol]) -> str:
    """Return an outcome in words."""
    more = []
    if outcome.wait_minutes:
        more.append(f"asked again after {outcome.wait_minutes} min")
    if outcome.light:
        more.append("light")
    if outcome.leave_out_marked:
        more.append("the marked places are left out")
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
KETONE_RISK = {
    "with insulin or a ketoacidosis earlier, or not known": True,
    "without insulin and ketoacidosis": False,
}
A_LITTLE = Decimal("0.1")
KETONES = {
    "ketones not measured": None,
    f"ketones below {KETONES_CLEAR_BELOW} mmol/L": KETONES_CLEAR_BELOW - A_LITTLE,
    f"ketones {KETONES_CLEAR_BELOW} to below {KETONES_CALL_FROM}": KETONES_CLEAR_BELOW,
    f"ketones {KETONES_CALL_FROM} to {KETONES_EMERGENCY_ABOVE}": KETONES_CALL_FROM,
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


def cases(reading: Reading) -> Iterator[str]:
    """What the rule says of a reading, told apart only by what makes a difference."""
    found = {
        (low, risk, ketones): advice_text(
            judge(reading, LOW_RISK[low], KETONE_RISK[risk], Ketones(mmol_per_l=KETONES[ketones]))
        )
        for low, risk, ketones in product(LOW_RISK, KETONE_RISK, KETONES)
    }
    told = [place for place in range(3) if matters(found, place)]
    lines: dict[str, list[str]] = {}
    for case, text in found.items():
        lines.setdefault(text, []).append(", ".join(case[place] for place in told))
    for text, when in lines.items():
        label = "; or ".join(dict.fromkeys(when))
        yield tick(f"{label[:1].upper()}{label[1:]}: {text}" if label else text, 1)


def matters(found: dict[tuple[str, str, str], str], place: int) -> bool:
    """True when two cases that differ in this place alone are told differently."""
    by_rest: dict[tuple[str, ...], set[str]] = {}
    for case, text in found.items():
        by_rest.setdefault((*case[:place], *case[place + 1 :]), set()).add(text)
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
