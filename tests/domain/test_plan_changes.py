"""What a screening changes in a plan: places left out, light hands, the shortest time.

After the single rules comes a sweep: every shipped protocol at every total under many sets of
changes, at rest and while it runs.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise

import pytest

from tests.faults.soak import FULL
from tests.support.builders import (
    SHIPPED,
    happened,
    numbered,
    phase,
    protocol,
    rules,
    shipped,
    shipped_protocol,
    sides,
    step,
)
from webapp.domain.catalogue import Area
from webapp.domain.commands import allowed, decide
from webapp.domain.plan import (
    Changes,
    LeaveOut,
    Plan,
    PlanChange,
    Spent,
    UnreachableError,
    fit,
    ladder,
    part_of,
    reach,
    unroll,
)
from webapp.domain.protocol import FirstSide, Phase, Protocol
from webapp.domain.session import (
    Action,
    Event,
    RefusedError,
    State,
    advance,
    fold,
    follow,
    hands_on_ms,
    initial,
    tagged,
    used_ms,
)

# Facts, typed here by hand: part 3 with CL-02 and correction 7; C03, C10, C15, corrections 2 and 8.
MOSTLY_KNEADING = {
    *("oc-classic-full", "oc-classic-collar", "oc-classic-thoracic", "oc-classic-lumbar"),
    *("oc-cervical-4step", "oc-self-4step"),
}
WITH_CUPS = {"oc-cupping-back": "cupping", "oc-vacuum": "vacuum"}
CUPS_MOST = 420
HOLD_MOST = 120
POINT_MOST = 180
HONEY_MOST = 600
OPTIONAL_LEAST = 15
LIGHT_MOST = 2


def area(area_id: str, *within: str) -> Area:
    name = area_id.replace("-", " ").capitalize()
    return Area(id=area_id, name=name, figure="leg-front", region="legs", within=within)


AREAS = {
    one.id: one
    for one in (area("leg"), area("calf", "leg"), area("heel", "foot"), area("foot"), area("back"))
}


def off(area_id: str, side: str | None = None, why: str = "Sore skin") -> Changes:
    """Hands stay off a place."""
    rule = {"why": why, "area": area_id, "side": side}
    return Changes(leave_out=(LeaveOut.model_validate(rule),))


def off_tag(tag: str, why: str = "Pregnant") -> Changes:
    return Changes(leave_out=(LeaveOut(why=why, tag=tag),))


def together(*changes: Changes) -> Changes:
    return Changes(
        leave_out=tuple(rule for one in changes for rule in one.leave_out),
        light=tuple(why for one in changes for why in one.light),
        shortest=tuple(why for one in changes for why in one.shortest),
    )


LIGHT = Changes(light=("Thin bones",))
SHORTEST = Changes(shortest=("Glucose is high",))


def fitted(built: Protocol, changes: Changes, seconds: int = 0, chosen: Iterable[str] = ()) -> Plan:
    return fit(built, seconds, frozenset(chosen), changes, AREAS)


def ids(plan: Plan) -> list[str]:
    return [one.id for one in plan.steps]


def seconds_by_id(plan: Plan) -> dict[str, int]:
    return {one.id: one.seconds for one in plan.steps if one.hands_on}


def legs() -> Protocol:
    """``start`` on the back, ``long``, ``calf`` and ``heel`` of both legs, ``end`` on the back."""
    return protocol(
        phase("start", area="back"),
        sides(
            phase("long", area="leg", technique="kneading", pressure=3),
            phase("calf", area="calf", tags=["soft"]),
            phase("heel", area="heel", technique="kneading"),
        ),
        phase("end", area="back", pressure=1),
        rules=rules(first="stroking", last="stroking"),
        prepare=[step("wash")],
        aftercare=[step("rest", 60)],
    )


WHOLE = [
    *("wash", "start", "long-left", "calf-left", "heel-left", "change-2-right"),
    *("long-right", "calf-right", "heel-right", "end", "rest"),
]


# --- places, sides and tags left out --------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        (off("heel"), {"heel-left", "heel-right"}),
        (off("foot"), {"heel-left", "heel-right"}),
        (off("calf"), {"calf-left", "calf-right"}),
        (off("leg"), {"long-left", "long-right", "calf-left", "calf-right"}),
        (off("heel", "left"), {"heel-left"}),
        (off("leg", "right"), {"long-right", "calf-right"}),
        (off_tag("soft"), {"calf-left", "calf-right"}),
        (off_tag("other"), set()),
        (together(off("heel", "left"), off_tag("soft")), {"heel-left", "calf-left", "calf-right"}),
        (LIGHT, set()),
    ],
)
def test_what_lies_in_the_place_or_carries_the_tag_is_left_out(
    changes: Changes, gone: set[str]
) -> None:
    whole = {one.id: one.seconds for one in fitted(legs(), Changes(), 300).steps if one.hands_on}
    plan = fitted(legs(), changes, 300)
    assert ids(plan) == [one for one in WHOLE if one not in gone]
    assert sum(whole.values()) == 300
    assert plan.hands_on_seconds == 300 - sum(whole[name] for name in gone)


@pytest.mark.parametrize("side", ["both", "middle"])
@pytest.mark.parametrize("marked", ["left", "right"])
def test_a_place_on_one_side_leaves_out_what_is_done_on_both_or_in_the_middle(
    side: str, marked: str
) -> None:
    built = protocol(phase("calf", area="calf", side=side), *numbered_back())
    assert ids(fitted(built, off("leg", marked))) == ["back-1", "back-2"]


@pytest.mark.parametrize(("side", "stays"), [("left", False), ("right", True)])
def test_a_phase_of_one_side_without_a_group_goes_by_its_side(side: str, stays: bool) -> None:
    built = protocol(phase("calf", area="calf", side=side), *numbered_back())
    assert ("calf" in ids(fitted(built, off("calf", "left")))) == stays


def numbered_back() -> tuple[Phase, ...]:
    return tuple(phase(f"back-{n}", area="back") for n in (1, 2))


def test_a_chosen_phase_is_left_out_all_the_same() -> None:
    built = protocol(phase("start", area="back"), phase("extra", area="calf", optional=True))
    assert ids(fitted(built, off("heel"), chosen={"extra"})) == ["start", "extra"]
    assert ids(fitted(built, off("calf"), chosen={"extra"})) == ["start"]


def test_changes_that_meet_nothing_leave_the_times_as_they_are() -> None:
    built = legs()
    for wish in (0, 240, 480, 999):
        plain = fit(built, wish)
        for changes in (Changes(), off_tag("other"), LIGHT):
            assert seconds_by_id(fitted(built, changes, wish)) == seconds_by_id(plain)
    assert fitted(built, Changes(), 300) == fit(built, 300)


def test_what_is_left_out_takes_its_share_of_the_time_with_it() -> None:
    """What remains is never longer because of it, nor longer than usual."""
    built = protocol(*numbered_back(), phase("calf", area="calf"))
    assert seconds_by_id(fitted(built, off("calf"), 150)) == {"back-1": 50, "back-2": 50}
    assert seconds_by_id(fitted(built, off("calf"), 180)) == {"back-1": 60, "back-2": 60}
    plan = fitted(built, off("calf"), 270)
    assert seconds_by_id(plan) == {"back-1": 60, "back-2": 60}
    assert (plan.asked_seconds, plan.reached) == (270, False)
    assert plan.session_max_seconds == 120
    assert fitted(built, off("calf"), 150).session_max_seconds == 120
    assert reach(built, frozenset(), off("calf"), AREAS) == (60, 120)


# --- what stays says where not to go --------------------------------------------------------------


def avoided(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {one.id: one.avoid for one in plan.steps if one.hands_on}


def test_a_phase_that_stays_keeps_off_every_marked_place_of_its_side() -> None:
    built = protocol(
        phase("before", area="back", avoid=["The spine"]),
        sides(phase("long", area="leg"), phase("heel", area="heel")),
    )
    places = together(off("calf", "left"), off("heel", "right"), off("foot", "right"))
    assert avoided(fitted(built, places)) == {
        "before": (
            "The spine",
            "the marked place: left calf",
            "the marked place: right heel",
            "the marked place: right foot",
        ),
        "long-left": ("the marked place: left calf",),
        "heel-left": ("the marked place: left calf",),
        "long-right": ("the marked place: right heel", "the marked place: right foot"),
    }


def test_a_place_on_no_side_is_kept_off_on_both_and_told_once() -> None:
    built = protocol(sides(phase("long", area="leg")))
    twice = together(off("calf", why="Sore skin"), off("calf", why="Veins"))
    assert avoided(fitted(built, twice)) == {
        "long-left": ("the marked place: calf",),
        "long-right": ("the marked place: calf",),
    }


def test_a_tag_marks_no_place() -> None:
    plan = fitted(legs(), off_tag("soft"))
    assert not any(one.avoid for one in plan.steps)


# --- light hands ----------------------------------------------------------------------------------


def test_light_hands_press_two_of_five_at_most_and_say_so() -> None:
    built = protocol(
        *(phase(f"p-{n}", pressure=n, avoid=["The spine"]) for n in range(1, 6)),
        session=(1, 1, 999),
    )
    plan = fitted(built, LIGHT, 200)
    assert [one.pressure for one in plan.steps] == [1, 2, 2, 2, 2]
    assert plan.light
    assert not fit(built, 200).light
    assert seconds_by_id(plan) == seconds_by_id(fit(built, 200))
    assert [one.pressure for one in fit(built, 200).steps] == [1, 2, 3, 4, 5]


# --- the shortest plan ----------------------------------------------------------------------------


@pytest.mark.parametrize("wish", [0, 240, 480, 9999])
def test_the_shortest_plan_takes_the_least_time_whatever_was_wished(wish: int) -> None:
    plan = fitted(legs(), SHORTEST, wish)
    assert plan.asked_seconds == (wish + 2) // 5 * 5
    assert plan.hands_on_seconds == plan.session_min_seconds == plan.session_max_seconds == 240
    assert set(seconds_by_id(plan).values()) == {30}
    assert reach(legs(), frozenset(), SHORTEST, AREAS) == (240, 240)


def test_the_shortest_plan_is_no_shorter_than_the_session_allows() -> None:
    built = protocol(*numbered(2), session=(101, 120, 180))
    plan = fitted(built, SHORTEST, 180)
    assert (plan.hands_on_seconds, plan.session_max_seconds) == (105, 105)


def test_the_shortest_plan_of_what_is_left() -> None:
    plan = fitted(legs(), together(off("leg"), off("heel", "left"), SHORTEST), 480)
    assert seconds_by_id(plan) == {"start": 30, "heel-right": 30, "end": 30}
    assert plan.hands_on_seconds == plan.session_min_seconds == plan.session_max_seconds == 90


def test_thirty_seconds_more_cannot_lengthen_the_shortest_plan() -> None:
    plan = fitted(legs(), SHORTEST, 480)
    events = happened(plan, ("start", 0), ("next", 0))
    for now in (0, 1, 29_999):
        with pytest.raises(RefusedError, match="at most 4:00 min of hands-on time"):
            happened(plan, ("extend", now), before=events)
    left_early = happened(plan, ("next", 1_000), ("next", 2_000), before=events)
    state = fold(plan, happened(plan, ("extend", 3_000), before=left_early))
    assert hands_on_ms(plan, state) == 212_000


@pytest.mark.parametrize("wish", [0, 240_000, 240_001, 245_000, 900_000])
@pytest.mark.parametrize("now", [0, 10_000, 12_345, 100_000])
def test_another_end_cannot_lengthen_the_shortest_plan(wish: int, now: int) -> None:
    plan = fitted(legs(), SHORTEST, 480)
    events = happened(plan, ("start", 0), ("next", 0), ("end-at", now, wish))
    assert hands_on_ms(plan, fold(plan, events)) == 240_000


@pytest.mark.parametrize("wish", [0, 200_000, 240_000, 900_000])
def test_another_end_after_going_back_cannot_lengthen_the_shortest_plan(wish: int) -> None:
    plan = fitted(legs(), SHORTEST, 480)
    on = happened(plan, ("start", 0), ("next", 0), ("next", 12_345), ("next", 15_001))
    back = happened(plan, ("back", 17_002), ("back", 17_003), ("end-at", 17_004, wish), before=on)
    state = fold(plan, back)
    assert state.done[1:4] == (12_346, 2_657, 2_001)
    assert hands_on_ms(plan, state) == 240_000


def test_another_end_after_going_back_is_met_to_the_millisecond() -> None:
    plan = fitted(legs(), LIGHT, 480)
    on = happened(plan, ("start", 0), ("next", 0), ("next", 12_345), ("back", 15_001))
    for wish in (300_000, 345_678, 401_234):
        state = fold(plan, happened(plan, ("end-at", 15_001, wish), before=on))
        assert sum(state.left[1:-1]) == wish
        assert (state.attempt[2] + state.left[2]) % 5_000 == 0


def test_another_end_gives_nothing_to_a_phase_that_had_its_least() -> None:
    built = protocol(
        phase("hold", (20, 40, 70), wait=True),
        phase("last", (30, 30, 60)),
        session=(50, 70, 90),
        prepare=[step("wash", 30, wait=True)],
    )
    plan = fitted(built, LIGHT, 70)
    begun = happened(plan, ("start", 0), ("next", 30_000), ("end-at", 30_188, 70_040))
    back = happened(plan, ("back", 300_000), ("end-at", 300_000, 0), before=begun)
    state = fold(plan, back)
    assert state.attempt[1] == 188 + 40_040
    assert state.left[1:3] == (0, 30_000)


def test_another_end_does_not_round_up_the_least_of_a_phase_given_again() -> None:
    built = protocol(
        phase("odd", (17, 20, 58)),
        phase("last", (20, 20, 20)),
        session=(40, 40, 40),
        prepare=[step("wash", 30, wait=True)],
    )
    plan = fitted(built, SHORTEST, 40)
    begun = happened(plan, ("start", 0), ("next", 30_000), ("end-at", 31_000, 0))
    back = happened(
        plan, ("restart", 31_000), ("back", 31_000), ("end-at", 31_000, 0), before=begun
    )
    state = fold(plan, back)
    assert state.left[1:3] == (17_000, 20_000)
    assert hands_on_ms(plan, state) == 38_000


# --- the change of sides --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "stays"),
    [
        (off("calf"), True),
        (together(off("leg", "left"), off("calf", "right")), True),
        (together(off("leg", "left"), off("heel", "left")), False),
        (together(off("leg", "right"), off("heel", "right")), False),
        (together(off("leg"), off("heel", "left")), False),
        (together(off("leg"), off("heel")), False),
    ],
)
def test_a_change_of_sides_goes_with_the_last_phase_of_a_side(
    changes: Changes, stays: bool
) -> None:
    assert ("change-2-right" in ids(fitted(legs(), changes, 100))) == stays


def two_groups() -> Protocol:
    """Both legs one after the other, both feet at once, both halves of the back."""
    return protocol(
        sides(phase("leg", area="leg")),
        phase("feet", area="foot"),
        sides(phase("back", area="back")),
    )


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            off("foot"),
            [
                "leg-left",
                "change-1-right",
                "leg-right",
                "back-left",
                "change-3-right",
                "back-right",
            ],
        ),
        (
            together(off("foot"), off("back", "left")),
            ["leg-left", "change-1-right", "leg-right", "back-right"],
        ),
        (
            together(off("foot"), off("leg", "right")),
            ["leg-left", "back-left", "change-3-right", "back-right"],
        ),
        (
            together(off("foot"), off("leg", "right"), off("back", "left")),
            ["leg-left", "change-3-right", "back-right"],
        ),
        (
            together(off("leg", "right"), off("back", "left")),
            ["leg-left", "feet", "back-right"],
        ),
        (
            together(off("foot"), off("leg", "left"), off("back", "left")),
            ["leg-right", "back-right"],
        ),
    ],
)
def test_between_two_groups_only_a_real_change_of_sides_stays(
    changes: Changes, line: list[str]
) -> None:
    # a place of one side also leaves out what is done on both: the feet only by their own mark
    assert ids(fitted(two_groups(), changes, 100)) == line


def check_changes_of_side(plan: Plan) -> None:
    """Each lies between a phase of one side and a phase of the other."""
    steps = [one for one in plan.steps if not one.is_move]
    for before, change, behind in zip(steps, steps[1:], steps[2:], strict=False):
        if change.kind == "change":
            assert {before.side, behind.side} == {"left", "right"}
    assert all(ends.kind != "change" for ends in (plan.steps[0], plan.steps[-1]))


def test_whatever_is_left_out_hands_go_from_left_to_right_only_by_a_change() -> None:
    marks: list[Changes] = [Changes()]
    for place in ("leg", "foot", "back"):
        marks = [together(one, more) for one in marks for more in (Changes(), *marks_of(place))]
    lines = set[tuple[str, ...]]()
    for changes in marks:
        try:
            plan = fitted(two_groups(), changes, 100)
        except UnreachableError:
            continue
        check_changes_of_side(plan)
        for before, behind in pairwise(plan.steps):
            assert (before.side, behind.side) != ("left", "right"), changes
        lines.add(tuple(ids(plan)))
    assert len(lines) == 31  # two times two legs, two backs, with feet or without, but not nothing


def marks_of(place: str) -> list[Changes]:
    return [off(place), off(place, "left"), off(place, "right")]


# --- too much left out ----------------------------------------------------------------------------

KNEADED = protocol(
    phase("start", area="back"),
    phase("knead-leg", (40, 80, 120), area="leg", technique="kneading"),
    phase("knead-foot", (40, 80, 120), area="foot", technique="kneading"),
    phase("end", area="heel"),
    session=(140, 280, 420),
    rules=rules(share={"kneading": 0.5}, first="stroking", last="stroking"),
)


@pytest.mark.parametrize(
    ("built", "changes", "reason"),
    [
        (legs(), together(off("leg"), off("heel"), off("back")), "nothing is left of the protocol"),
        (legs(), off("back"), "it would not begin with stroking"),
        (legs(), together(off("back"), off("leg")), "it would not begin with stroking"),
        (KNEADED, off("heel"), "it would not end with stroking"),
        (KNEADED, off("foot"), "it would not end with stroking"),
        (KNEADED, off_tag("none"), None),
        (KNEADED, off("leg"), None),
        (KNEADED, off("calf"), None),
    ],
)
def test_too_much_left_out_is_refused_with_the_reason(
    built: Protocol, changes: Changes, reason: str | None
) -> None:
    for wish in (0, 280, 9999):
        if reason is None:
            assert fitted(built, changes, wish).hands_on_seconds
            continue
        with pytest.raises(UnreachableError, match=reason):
            fitted(built, changes, wish)


def test_without_the_technique_that_has_to_have_its_share_there_is_no_plan() -> None:
    built = protocol(
        phase("start", area="back"),
        phase("knead", (60, 80, 120), area="leg", technique="kneading"),
        phase("end", area="back"),
        session=(125, 200, 240),
        rules=rules(share={"kneading": 0.5}),
    )
    assert fitted(built, off("heel"), 200).hands_on_seconds == 200
    with pytest.raises(UnreachableError, match="no kneading would be left"):
        fitted(built, off("leg"), 200)


def test_a_share_that_what_is_left_can_never_reach_is_refused() -> None:
    built = protocol(
        phase("start", (60, 60, 60), area="back"),
        phase("knead-leg", (40, 60, 60), area="leg", technique="kneading"),
        phase("knead-foot", (40, 60, 60), area="foot", technique="kneading"),
        session=(140, 180, 180),
        rules=rules(share={"kneading": 0.5}),
    )
    with pytest.raises(UnreachableError, match=r"kneading can never have more than 0\.5"):
        fitted(built, off("leg"), 180)


def test_a_chosen_phase_may_not_become_the_first_or_the_last_of_another_technique() -> None:
    extra = phase("extra", area="calf", technique="kneading", optional=True)
    before = protocol(extra, *numbered_back(), rules=rules(first="stroking"))
    behind = protocol(*numbered_back(), extra, rules=rules(last="stroking"))
    for built, reason in ((before, "not begin with"), (behind, "not end with")):
        assert fit(built, 120).hands_on_seconds == 120
        with pytest.raises(UnreachableError, match=reason):
            fit(built, 120, frozenset({"extra"}))
        assert ids(fitted(built, off("calf"), 120, {"extra"})) == ["back-1", "back-2"]


def test_the_least_of_the_session_falls_with_what_remains() -> None:
    built = protocol(
        *(phase(f"back-{n}", (20, 30, 60), area="back") for n in (1, 2)),
        *(phase(f"leg-{n}", (40, 60, 90), area="leg") for n in (1, 2)),
        session=(140, 180, 220),
    )
    table = {0: 50, 140: 50, 180: 60, 220: 60}
    for wish, total in table.items():
        plan = fitted(built, off("leg"), wish)
        assert plan.hands_on_seconds == total
        assert (plan.session_min_seconds, plan.session_max_seconds) == (total, 60)
    assert fitted(built, together(off("leg"), SHORTEST), 180).hands_on_seconds == 40
    for changes in (Changes(), LIGHT, off("heel"), off_tag("other")):
        plan = fitted(built, changes, 0)
        assert (plan.hands_on_seconds, plan.session_min_seconds) == (140, 140)


def test_a_chosen_phase_keeps_its_floor_in_another_end_too() -> None:
    built = protocol(
        phase("start", area="back"),
        phase("extra", (0, 0, 40), area="calf", optional=True),
        session=(30, 60, 130),
    )
    plan = fitted(built, off("heel"), 130, {"extra"})
    events = happened(plan, ("start", 0), ("end-at", 0, 0))
    assert fold(plan, events).left == (30_000, 15_000)


# --- what was changed, in words -------------------------------------------------------------------


def test_a_plan_says_what_was_changed_and_why() -> None:
    changes = together(
        off("heel", "left", why="Sore skin"),
        off("foot", why="Varicose veins"),
        off_tag("soft", why="Pregnant"),
        LIGHT,
        SHORTEST,
    )
    assert fitted(legs(), changes, 300).changes == (
        PlanChange(what="Left out: Calf, left", why="Pregnant"),
        PlanChange(what="Left out: Heel, left", why="Sore skin"),
        PlanChange(what="Left out: Calf, right", why="Pregnant"),
        PlanChange(what="Left out: Heel, right", why="Varicose veins"),
        PlanChange(what="Light pressure only", why="Thin bones"),
        PlanChange(what="The shortest plan", why="Glucose is high"),
    )


def test_a_side_that_stands_in_the_title_is_not_said_twice() -> None:
    built = protocol(
        phase("heel", title="Heel, left", area="heel", side="left"),
        phase("foot", title="Feet", area="foot"),
        *numbered_back(),
    )
    assert [change.what for change in fitted(built, off("foot")).changes] == [
        "Left out: Heel, left",
        "Left out: Feet",
    ]


def test_what_meets_nothing_is_not_told_and_no_changes_tell_nothing() -> None:
    assert fitted(legs(), off_tag("other")).changes == ()
    assert fit(legs(), 300).changes == ()
    assert not Changes()
    assert all((off("leg"), off_tag("soft"), LIGHT, SHORTEST))


def test_a_changed_plan_is_the_same_after_a_round_trip_as_text() -> None:
    plan = fitted(legs(), together(off("heel"), LIGHT, SHORTEST), 300)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_a_shipped_plan_is_changed_by_the_areas_of_the_catalogue() -> None:
    numb = Changes(leave_out=(LeaveOut(why="Numb feet", tag="foot-point"),), light=("Numb feet",))
    plan = shipped().plan(shipped_protocol("dm2-acupressure"), 600, frozenset(), numb)
    assert list(seconds_by_id(plan)) == [
        *("settle", "leg-strokes", "st36-left", "sp6-left", "st36-right", "sp6-right"),
        "closing-strokes",
    ]
    leg = Changes(leave_out=(LeaveOut(why="Veins", area="lower-leg", side="right"),))
    plan = shipped().plan(shipped_protocol("dm-legs-feet"), 900, frozenset(), leg)
    assert [one for one in seconds_by_id(plan) if one.endswith("-right")] == [
        *("kneecap-circles-right", "thigh-strokes-right", "toes-right", "foot-top-strokes-right"),
        *("sole-right", "heel-right", "closing-strokes-right"),
    ]


# --- the sweep: every shipped protocol at every total under many sets of changes ------------------

CATALOGUE = shipped().catalogue
TAGS = sorted(
    {
        tag
        for question in CATALOGUE.questions.values()
        for outcome in question.every_outcome()
        for tag in outcome.leave_out
    }
)
RANDOM_SETS = 1_000


@dataclass(frozen=True)
class Ask:
    """One change that a person or the screening may ask for."""

    chosen: str | None = None
    leave_out: LeaveOut | None = None
    light: bool = False
    shortest: bool = False

    def spares(self, one: Phase) -> bool:
        """True when hands stay off this phase."""
        rule = self.leave_out
        if rule is None:
            return False
        if rule.tag:
            return rule.tag in one.tags
        assert rule.area
        other = {"left": "right", "right": "left", None: None}[rule.side]
        return one.area in CATALOGUE.places_of[rule.area] and (not other or one.side != other)


Asked = tuple[Ask, ...]


def asks(massage: Protocol) -> tuple[Ask, ...]:
    """Every single change of a protocol."""
    places = sorted({one.area for one in massage.all_phases()})
    rules = [
        *(LeaveOut(why="Sore", area=place) for place in places),
        *(LeaveOut(why="Sore", area=place, side="left") for place in places),
        *(LeaveOut(why="Sore", area=place, side="right") for place in places),
        *(LeaveOut(why="Told", tag=tag) for tag in TAGS),
    ]
    return (
        *(Ask(chosen=one.id) for one in massage.all_phases() if one.optional),
        *(Ask(leave_out=rule) for rule in rules),
        Ask(light=True),
        Ask(shortest=True),
    )


def fit_asked(
    massage: Protocol, seconds: int, asked: Asked, first_side: FirstSide | None = None
) -> Plan:
    changes = Changes(
        leave_out=tuple(ask.leave_out for ask in asked if ask.leave_out),
        light=("Thin bones",) if any(ask.light for ask in asked) else (),
        shortest=("Glucose",) if any(ask.shortest for ask in asked) else (),
    )
    chosen = frozenset(ask.chosen for ask in asked if ask.chosen)
    return fit(massage, seconds, chosen, changes, CATALOGUE.areas, first_side)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_under_any_change_the_side_that_comes_first_changes_only_the_order(
    protocol_id: str, side: FirstSide
) -> None:
    massage = shipped_protocol(protocol_id)
    if not massage.asks_first_side:
        return
    least, most = bounds(massage)
    for ask in (Ask(), *asks(massage)):
        for seconds in (least, (least + most) // 2, most):
            try:
                usual = fit_asked(massage, seconds, (ask,))
                plan = fit_asked(massage, seconds, (ask,), side)
            except UnreachableError:  # one order may begin with another technique than it must
                assert ask.leave_out
                continue
            assert seconds_by_id(plan).keys() == seconds_by_id(usual).keys()
            assert plan.hands_on_seconds == usual.hands_on_seconds
            assert plan.leave_out == usual.leave_out
            check_changes_of_side(plan)
            for cap in plan.rules.cap:
                tagged_steps = [one for one in plan.steps if cap.tag in one.tags]
                counted = (one for one in tagged_steps if one.hands_on or cap.counts_while_paused)
                assert sum(one.seconds for one in counted) <= cap.seconds


@cache
def sets_by_what_stays(protocol_id: str) -> dict[tuple[str, ...], list[Asked]]:
    """Plain, each change, each pair and many sets of three to six, by the phases that stay."""
    massage = shipped_protocol(protocol_id)
    every = asks(massage)
    line = phases_of(protocol_id)
    spared = {ask: {name for name, one in line.items() if ask.spares(one)} for ask in every}
    chance = random.Random(protocol_id)
    sets: list[Asked] = [(), *((ask,) for ask in every), *combinations(every, 2)]
    for _ in range(RANDOM_SETS):
        sets.append(tuple(chance.sample(every, chance.randint(3, 6))))
    found: dict[tuple[str, ...], list[Asked]] = {}
    for asked in sets:
        chosen = {ask.chosen for ask in asked}
        gone = set[str]().union(*(spared[ask] for ask in asked))
        stays = tuple(
            name
            for name, one in line.items()
            if name not in gone and (not one.optional or one.id in chosen)
        )
        found.setdefault(stays, []).append(asked)
    return found


@cache
def phases_of(protocol_id: str) -> dict[str, Phase]:
    """The phases in order, groups unrolled, by their id in the plan."""
    line = unroll(shipped_protocol(protocol_id))
    return {name: one for one, name in line if isinstance(one, Phase)}


def wanted(protocol_id: str, asked: Asked) -> list[Phase]:
    """All phases but the optional ones that nobody chose."""
    chosen = {ask.chosen for ask in asked}
    return [one for one in phases_of(protocol_id).values() if not one.optional or one.id in chosen]


def bounds(massage: Protocol) -> tuple[int, int]:
    assert massage.session
    return massage.session.min, massage.session.max


def short_lines(massage: Protocol, stays: tuple[str, ...]) -> list[tuple[str, ...]]:
    """What stays, whole, and with ever more left out of a short plan; only possible sessions."""
    line = phases_of(massage.id)
    lines, gone = [stays], set[str]()
    for entry in massage.leave_out:
        gone.update(entry)
        lines.append(tuple(name for name in stays if line[name].id not in gone))
    return [
        one for one in dict.fromkeys(lines) if not out_of_reach(massage, [line[n] for n in one])
    ]


def on_the_way(massage: Protocol, names: Sequence[str]) -> Spent:
    """What cups count from one side to the other: 5 s (typed here by hand)."""
    cups = [name for name in names if "cups" in phases_of(massage.id)[name].tags]
    return Spent(by_tag=(("cups", 5_000),)) if len(cups) == 2 else Spent()


def out_of_reach(massage: Protocol, phases: Sequence[Phase]) -> bool:
    """True when what stays cannot be a session: by its ends, or too little kneading."""
    if not phases:
        return True
    used = [one.technique for one in phases]
    if massage.rules.first not in (None, used[0]) or massage.rules.last not in (None, used[-1]):
        return True
    if massage.id not in MOSTLY_KNEADING:
        return False
    kneading = sum(one.seconds.max for one in phases if one.technique == "kneading")
    return kneading <= sum(one.seconds.min for one in phases if one.technique != "kneading")


def check_every_total(
    massage: Protocol, phases: Sequence[Phase], rungs: Sequence[tuple[int, ...]]
) -> None:
    """Each rung, a total 5 s above the one before, keeps every bound and every rule."""
    totals = [sum(rung) * 5 for rung in rungs]
    assert totals == list(range(totals[0], totals[-1] + 1, 5))
    assert totals[-1] <= bounds(massage)[1]
    columns = list(zip(*rungs, strict=True))
    for one, column in zip(phases, columns, strict=True):
        least = max(one.seconds.min, OPTIONAL_LEAST if one.optional else 0)
        assert least <= 5 * min(column) <= 5 * max(column) <= one.seconds.max, one.id
        assert one.technique != "point-pressure" or 5 * max(column) <= HOLD_MOST, one.id

    def together_of(wanted: Sequence[bool]) -> list[int]:
        some = [column for column, is_in in zip(columns, wanted, strict=True) if is_in]
        return [5 * sum(rung) for rung in zip(*some, strict=True)] if some else [0] * len(rungs)

    for cap in massage.rules.cap:
        assert max(together_of([cap.tag in one.tags for one in phases])) <= cap.seconds, cap.tag
    if massage.id in MOSTLY_KNEADING:
        kneading = together_of([one.technique == "kneading" for one in phases])
        assert all(2 * own > total for own, total in zip(kneading, totals, strict=True))
    if massage.id in WITH_CUPS:
        cups = together_of([one.technique == WITH_CUPS[massage.id] for one in phases])
        assert max(cups) <= CUPS_MOST
    if massage.id == "oc-honey-back":
        assert totals[-1] <= HONEY_MOST


def check_plan(plan: Plan, massage: Protocol, stays: tuple[str, ...], asked: Asked) -> None:
    """What a plan has besides its times."""
    worked = [one for one in plan.steps if one.hands_on]
    assert tuple(one.id for one in worked) == stays
    least = 15 if massage.id in ("oc-ap-toning", "oc-ap-ear") else 30
    assert all(one.seconds >= least for one in worked)
    assert plan.hands_on_seconds == sum(one.seconds for one in worked)
    assert plan.rules == massage.rules
    assert massage.rules.first in (None, worked[0].technique)
    assert massage.rules.last in (None, worked[-1].technique)
    assert plan.session_min_seconds <= plan.hands_on_seconds <= plan.session_max_seconds
    if any(ask.light for ask in asked):
        assert max(one.pressure or 0 for one in worked) <= LIGHT_MOST
    assert plan.light == any(ask.light for ask in asked)
    if any(ask.shortest for ask in asked):
        assert plan.session_max_seconds == plan.hands_on_seconds
    check_changes_of_side(plan)
    places = {ask.leave_out.area for ask in asked if ask.leave_out and ask.leave_out.area}
    assert not any(one.area in places and one.side in ("both", "middle") for one in worked)


def share_left(protocol_id: str, asked: Asked, stays: tuple[str, ...], wish: int) -> int:
    """What the phases that stay would have had of the whole plan, at most their usual time."""
    massage = shipped_protocol(protocol_id)
    least, most = bounds(massage)
    chosen = {ask.chosen for ask in asked}
    line = phases_of(protocol_id)
    phases = {name: one for name, one in line.items() if not one.optional or one.id in chosen}
    ladders = {
        names: ladder(
            tuple(part_of(line[name]) for name in names),
            massage.rules,
            most,
            on_the_way(massage, names),
        )
        for names in short_lines(massage, tuple(phases))
    }
    first = min(5 * sum(rungs[0]) for rungs in ladders.values())
    last = max(5 * sum(rungs[-1]) for rungs in ladders.values())
    whole = min(max(wish, least, first), last)
    names, rungs = next((n, r) for n, r in ladders.items() if 5 * sum(r[0]) <= whole)
    rung = dict(zip(names, rungs[whole // 5 - sum(rungs[0])], strict=True))
    usual = sum(part_of(line[name]).usual for name in stays)
    return 5 * min(sum(rung.get(name, 0) for name in stays), usual)


@pytest.mark.slow
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_under_any_changes_every_total_keeps_every_bound_and_rule_or_there_is_no_plan(
    protocol_id: str,
) -> None:
    massage = shipped_protocol(protocol_id)
    least, most = bounds(massage)
    chance = random.Random(protocol_id)
    checked = 0
    for stays, sets in sets_by_what_stays(protocol_id).items():
        ladders: dict[tuple[str, ...], tuple[tuple[int, ...], ...]] = {}
        for names in short_lines(massage, stays):
            phases = [phases_of(protocol_id)[name] for name in names]
            way = on_the_way(massage, names)
            ladders[names] = ladder(tuple(map(part_of, phases)), massage.rules, most, way)
            check_every_total(massage, phases, ladders[names])
        if not ladders:
            for asked in sets:
                with pytest.raises(UnreachableError):
                    fit_asked(massage, chance.randint(0, most), asked)
            continue
        checked += 1
        first = min(sum(rungs[0]) * 5 for rungs in ladders.values())
        last = max(sum(rungs[-1]) * 5 for rungs in ladders.values())
        for asked in sets:
            spared = any(ask.spares(one) for ask in asked for one in wanted(protocol_id, asked))
            lowest = first if spared else min(max(first, least), last)
            anywhere = chance.randrange(lowest, last + 1, 5)
            wish = chance.choice([0, lowest, last, most, anywhere, anywhere])
            shortest = any(ask.shortest for ask in asked)
            share = share_left(protocol_id, asked, stays, wish) if spared else wish
            total = lowest if shortest else min(max(share, lowest), last)
            plan = fit_asked(massage, wish, asked)
            fuller = (n for n, rungs in ladders.items() if sum(rungs[0]) * 5 <= total)
            names = next(fuller)
            check_plan(plan, massage, names, asked)
            rung = ladders[names][total // 5 - sum(ladders[names][0])]
            assert [one.seconds for one in plan.steps if one.hands_on] == [5 * n for n in rung]
            assert (plan.hands_on_seconds, plan.asked_seconds) == (total, wish)
    assert checked > 0


@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_in_the_shortest_plan_no_phase_gains_by_what_is_left_out(protocol_id: str) -> None:
    massage = shipped_protocol(protocol_id)
    shares = massage.rules.share
    whole = seconds_by_id(fit_asked(massage, 0, (Ask(shortest=True),)))
    for ask in asks(massage):
        if ask.chosen:
            continue
        try:
            less = seconds_by_id(fit_asked(massage, 0, (ask, Ask(shortest=True))))
        except UnreachableError:
            continue
        gains = {name for name in less if less[name] > whole.get(name, less[name])}
        assert all("knead" in name for name in gains) if shares else not gains


# --- and while the session runs -------------------------------------------------------------------

ACTS: tuple[Action, ...] = (
    *("start", "pause", "resume", "next", "back", "restart", "extend", "end-at", "release"),
)
HISTORIES = 60 if FULL else 40
LENGTH = 40


def some_plans(protocol_id: str, chance: random.Random) -> Iterator[tuple[Plan, bool]]:
    """Plans under random sets of changes and totals; and whether each is the shortest."""
    massage = shipped_protocol(protocol_id)
    _, most = bounds(massage)
    possible = [
        asked
        for stays, sets in sets_by_what_stays(protocol_id).items()
        if short_lines(massage, stays)
        for asked in (sets[0], chance.choice(sets))
    ]
    for _ in range(HISTORIES):
        asked = chance.choice(possible)
        plan = fit_asked(massage, chance.randint(0, most), asked)
        yield plan, any(ask.shortest for ask in asked)


def wait_ms(plan: Plan, state: State, chance: random.Random) -> int:
    """Often to the very end of the step or beside it, else shorter or longer."""
    left = state.left[state.index] if state.index < len(plan.steps) else 0
    return chance.choice(
        [
            *(0, 1, left, left + 1, max(0, left - 1)),
            *(chance.randint(0, most) for most in (5_000, 20_000, 20_000, 60_000, 300_000)),
        ]
    )


def begun(plan: Plan, chance: random.Random) -> tuple[State, int]:
    """Mostly a session at its first phase, else one that nobody has started; and its events."""
    state, seq = initial(plan), 0
    if chance.random() < 0.2:
        return state, seq
    while seq <= sum(one.kind == "prepare" for one in plan.steps):
        act: Action = "next" if seq else "start"
        state = follow(plan, state, decide(plan, state, seq, act, 0, f"key-{seq}"))
        seq += 1
    return state, seq


def check_running(plan: Plan, state: State) -> None:
    """Done plus planned keeps every cap and bound."""
    for number, cap in enumerate(plan.rules.cap):
        ahead = sum(state.left[i] for i in tagged(plan, cap.tag) if i >= state.index)
        if state.status in ("running", "waiting") and ahead:
            assert used_ms(plan, state, number) + ahead <= cap.seconds * 1000
    cups = 0
    for i, one in enumerate(plan.steps):
        if not one.hands_on:
            continue
        assert 0 <= state.attempt[i] + state.left[i] <= one.max_seconds * 1000, one.id
        if one.technique == "point-pressure":
            assert state.attempt[i] + state.left[i] <= HOLD_MOST * 1000, one.id
            assert state.done[i] <= POINT_MOST * 1000, one.id
        cups += state.done[i] if one.technique in WITH_CUPS.values() else 0
    assert cups <= CUPS_MOST * 1000
    if not any(one.wait for one in plan.steps if one.hands_on):
        assert hands_on_ms(plan, state) <= plan.session_max_seconds * 1000
    if plan.protocol == "oc-honey-back":
        assert hands_on_ms(plan, state) <= HONEY_MOST * 1000


def check_act(plan: Plan, before: State, event: Event, state: State) -> None:
    """An act takes nothing back, adds no time beyond the session, and keeps what is least."""
    assert (state.done, state.held) == (before.done, before.held)
    most = max(plan.session_max_seconds * 1000, hands_on_ms(plan, before))
    assert hands_on_ms(plan, state) <= most
    if event.kind not in ("back", "restart", "extend", "end-at"):
        return
    full = set[str]()
    for number, cap in enumerate(plan.rules.cap):
        ahead = sum(state.left[i] for i in tagged(plan, cap.tag) if i >= state.index)
        assert not ahead or used_ms(plan, state, number) + ahead <= cap.seconds * 1000
        if used_ms(plan, state, number) + ahead > cap.seconds * 1000 - 5_000:
            full.add(cap.tag)
    for step_id, left in event.left_ms:
        (i,) = (i for i, one in enumerate(plan.steps) if one.id == step_id)
        one = plan.steps[i]
        least = max(one.min_seconds, OPTIONAL_LEAST if one.optional else 0)
        if not one.hands_on or (not left and any(step_id in entry for entry in plan.leave_out)):
            continue
        if not full.intersection(one.tags):
            assert state.attempt[i] + left >= least * 1000, step_id
    check_left_out(plan, before, event, state)


def check_left_out(plan: Plan, before: State, event: Event, state: State) -> None:
    """A re-fit leaves out whole entries that nobody has begun, and the moves to them."""
    places = {one.id: i for i, one in enumerate(plan.steps)}
    for entry in plan.leave_out if event.kind == "end-at" else ():
        phases = [places[step_id] for step_id in entry]
        gone = [i for i in phases if i >= state.index and not state.left[i]]
        if any(i <= state.index or before.attempt[i] for i in phases):
            assert not any(before.left[i] for i in gone if not before.attempt[i])
        else:
            assert len(gone) in (0, len(phases))
        assert not any(state.left[i - 1] for i in gone if plan.steps[i - 1].is_move)


@pytest.mark.slow
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_whatever_is_done_while_a_changed_plan_runs_caps_and_bounds_hold(protocol_id: str) -> None:
    chance = random.Random(f"{protocol_id} runs")
    taken = dict.fromkeys(ACTS, 0)
    for plan, shortest in some_plans(protocol_id, chance):
        state, seq = begun(plan, chance)
        for _ in range(LENGTH):
            state = advance(plan, state, state.at + wait_ms(plan, state, chance))
            check_running(plan, state)
            if state.status == "finished":
                break
            offered = [act for act in allowed(plan, state) if act in ACTS]
            act = chance.choice([*offered, *offered, *ACTS] if offered else ACTS)
            wish = chance.randint(0, 2_000 * plan.hands_on_seconds)
            try:
                event = decide(plan, state, seq, act, state.at, f"key-{seq}", wish)
            except RefusedError:
                continue
            before, state, seq = state, follow(plan, state, event), seq + 1
            taken[act] += 1
            check_act(plan, before, event, state)
            check_running(plan, state)
            if shortest and not any(one.wait for one in plan.steps if one.hands_on):
                assert hands_on_ms(plan, state) <= plan.hands_on_seconds * 1000
    assert min(taken[act] for act in ACTS if act != "release") > 0
    assert (taken["release"] > 0) == (protocol_id in WITH_CUPS)
