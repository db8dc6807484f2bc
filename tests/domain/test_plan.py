"""The fit: exact sums, bounds, rules, and no surprise from a longer wish."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.support.builders import (
    SHIPPED,
    numbered,
    phase,
    protocol,
    rules,
    shipped_protocol,
    sides,
    step,
    usual_plan,
)
from webapp.domain.catalogue import Area, Technique
from webapp.domain.plan import (
    Plan,
    UnreachableError,
    check_reachable,
    fit,
    reach,
    unroll,
    with_names,
)
from webapp.domain.protocol import Duration, Entry, FirstSide, Phase, Protocol

QUICK = settings(max_examples=40, deadline=None)


def session_of(protocol: Protocol) -> tuple[int, int, int]:
    assert protocol.session is not None
    return protocol.session.min, protocol.session.usual, protocol.session.max


def phase_seconds(plan: Plan) -> list[int]:
    return [step.seconds for step in plan.steps if step.hands_on]


def seconds_by_id(plan: Plan) -> dict[str, int]:
    return {step.id: step.seconds for step in plan.steps if step.hands_on}


def assert_bounds_and_rules(plan: Plan) -> None:
    phases = [step for step in plan.steps if step.hands_on]
    total = sum(step.seconds for step in phases)
    assert total == plan.hands_on_seconds
    for one in phases:
        floor = max(15, one.min_seconds) if one.optional else one.min_seconds
        assert floor <= one.seconds <= one.max_seconds, one.id
        assert one.seconds % 5 == 0, one.id
    for cap in plan.rules.cap:
        assert sum(s.seconds for s in phases if cap.tag in s.tags) <= cap.seconds
    for share in plan.rules.share:
        own = sum(s.seconds for s in phases if s.technique == share.technique)
        assert own * 1000 > round(share.more_than * 1000) * total
    if plan.rules.first:
        assert phases[0].technique == plan.rules.first
    if plan.rules.last:
        assert phases[-1].technique == plan.rules.last


@st.composite
def durations(draw: st.DrawFn) -> tuple[int, int, int]:
    """Least, usual and most, on the grid or off it, with a grid step between least and most."""
    least = draw(st.integers(0, 60))
    most = least + draw(st.integers(5, 90))
    usual = draw(st.integers(least, most).filter(bool))
    return least, usual, most


@st.composite
def protocols(draw: st.DrawFn) -> Protocol:
    """A protocol with one to six phases, perhaps a group, perhaps a share rule and a cap."""
    entries: list[Entry] = []
    for number in range(draw(st.integers(1, 5))):
        technique = draw(st.sampled_from(["stroking", "kneading", "kneading"]))
        tags = draw(st.sampled_from([(), (), ("cups",)]))
        made = phase(f"p-{number}", draw(durations()), technique=technique, tags=tags)
        entries.append(sides(made) if draw(st.integers(0, 4)) == 0 else made)
    bare = protocol(*entries)
    least, _, most = session_of(bare)
    lasts = [item for item, _ in unroll(bare) if isinstance(item, Phase)]
    tagged = sum(-(-p.seconds.min // 5) * 5 for p in lasts if "cups" in p.tags)
    share = draw(st.sampled_from([0.0, 0.3, 0.5, 0.6]))
    low = draw(st.integers(least, most))
    high = draw(st.integers(low, most))
    made_rules = rules(
        share={"kneading": share} if share else {},
        cap={"cups": max(5, tagged + draw(st.integers(0, 90)))},
    )
    return protocol(*entries, session=(low, low, max(high, 1)), rules=made_rules)


@cache
def sweep(protocol_id: str) -> tuple[Plan, ...]:
    """The plan for every 5 s from the shortest to the longest session."""
    shipped = shipped_protocol(protocol_id)
    least, _, most = session_of(shipped)
    return tuple(fit(shipped, seconds) for seconds in range(least, most + 1, 5))


@pytest.mark.slow
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_every_total_of_a_shipped_protocol_is_planned_exactly_and_keeps_bounds_and_rules(
    protocol_id: str,
) -> None:
    least, _, most = session_of(shipped_protocol(protocol_id))
    plans = sweep(protocol_id)
    assert [p.hands_on_seconds for p in plans] == list(range(least, most + 1, 5))
    assert all(plan.reached for plan in plans)
    for plan in plans:
        assert_bounds_and_rules(plan)


@pytest.mark.slow
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_five_seconds_more_go_to_one_phase_or_bring_one_back(protocol_id: str) -> None:
    for shorter, longer in pairwise(map(seconds_by_id, sweep(protocol_id))):
        assert shorter.keys() <= longer.keys()
        if shorter.keys() == longer.keys():
            changes = sorted(longer[name] - shorter[name] for name in longer)
            assert changes == [0] * (len(changes) - 1) + [5]


# What may be shorter than 30 s: presses of 30 s at most (base L196), and places on the ear.
SHORT = {"oc-ap-toning": r"point-\d", "oc-ap-ear": r"(rim|upper|lobe)-(left|right)"}
# What a short plan does without, by the total below which it is left out.
LEFT_OUT = {
    "dm-general-gentle": [(570, {"thigh-back-kneading-left", "thigh-back-kneading-right"})],
    "dm-legs-feet": [
        (740, {"kneecap-circles-left", "kneecap-circles-right"}),
        (680, {"thigh-strokes-left", "thigh-strokes-right"}),
        (620, {"toes-left", "toes-right"}),
    ],
    "dm2-acupressure": [(330, {"lr3-left", "lr3-right"})],
    "oc-classic-collar": [(440, {"squeezing-back"})],
}


@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_no_phase_of_any_plan_is_a_scrap(protocol_id: str) -> None:
    short = re.compile(SHORT.get(protocol_id, "$nothing"))
    for plan in sweep(protocol_id):
        for name, seconds in seconds_by_id(plan).items():
            assert seconds >= (15 if short.fullmatch(name) else 30), (plan.hands_on_seconds, name)


@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_a_short_plan_leaves_out_what_the_file_names_in_pairs_and_says_so(protocol_id: str) -> None:
    whole = set(seconds_by_id(sweep(protocol_id)[-1]))
    titles = {step.id: step.title for step in sweep(protocol_id)[-1].steps}
    for plan in sweep(protocol_id):
        gone = set[str]()
        for below, names in LEFT_OUT.get(protocol_id, []):
            if plan.hands_on_seconds < below:
                gone |= names
        assert whole - set(seconds_by_id(plan)) == gone, plan.hands_on_seconds
        assert set(plan.left_out) == {titles[name] for name in gone}


MOVES = {
    # area, side and point of one phase after another; where there is a change of side, none.
    "dm-legs-feet": 18,
    "oc-self-nape": 7,
    "oc-ap-toning": 5,
    "oc-cupping-back": 3,
    "oc-honey-back": 0,
}


@pytest.mark.parametrize("protocol_id", MOVES)
def test_between_two_places_there_are_five_seconds_that_are_no_hands_on_time(
    protocol_id: str,
) -> None:
    plan = usual_plan(shipped_protocol(protocol_id))
    moves = [i for i, step in enumerate(plan.steps) if step.is_move]
    assert len(moves) == MOVES[protocol_id]
    assert plan.hands_on_seconds == sum(phase_seconds(plan))
    for i in moves:
        move, before, behind = plan.steps[i], plan.steps[i - 1], plan.steps[i + 1]
        assert (move.seconds, move.wait, move.hands_on) == (5, False, False)
        assert (move.id, move.title) == (f"to-{behind.id}", behind.title)
        assert (move.area, move.side, move.point) == (behind.area, behind.side, behind.point)
        assert (before.area, before.side, before.point) != (move.area, move.side, move.point)


def test_the_cap_of_cups_counts_on_between_the_sides() -> None:
    cups = [step for step in sweep("oc-cupping-back")[-1].steps if "cups" in step.tags]
    assert [(step.id, step.seconds) for step in cups] == [
        ("cups-right", 210),
        ("to-cups-left", 5),
        ("cups-left", 205),
    ]


def test_a_file_of_format_1_has_no_moves_and_its_own_say_how_long_they_take() -> None:
    places = (phase("back"), phase("leg", area="calf"), phase("foot", area="sole", move_seconds=0))
    table: dict[tuple[int, int], list[str]] = {
        (1, 5): [],
        (2, 0): [],
        (2, 10): ["to-leg"],
    }
    for (number, seconds), names in table.items():
        plan = usual_plan(protocol(*places, format=number, move_seconds=seconds))
        assert [step.id for step in plan.steps if step.is_move] == names
        assert [step.seconds for step in plan.steps if step.is_move] == [seconds] * len(names)


def test_what_is_left_out_may_be_too_much_to_reach_every_total() -> None:
    built = protocol(
        phase("short", (30, 30, 30)), phase("long", (60, 60, 90)), leave_out=(("long",),)
    )
    gap = built.model_copy(update={"session": Duration(min=30, usual=90, max=120)})
    with pytest.raises(UnreachableError, match="no plan takes 35 s"):
        check_reachable(gap)
    assert fit(gap, 40).hands_on_seconds == 30
    assert fit(gap, 70).hands_on_seconds == 90


SIDES: tuple[FirstSide, ...] = ("left", "right")


def order_of(plan: Plan, stem: str) -> list[str]:
    return [step.id for step in plan.steps if step.id in {f"{stem}-{side}" for side in SIDES}]


@pytest.mark.parametrize("protocol_id", SHIPPED)
@pytest.mark.parametrize("side", SIDES)
def test_each_pair_begins_on_the_side_that_was_chosen(protocol_id: str, side: FirstSide) -> None:
    shipped = shipped_protocol(protocol_id)
    if not shipped.asks_first_side:
        return
    other = next(one for one in SIDES if one != side)
    least, usual_seconds, most = session_of(shipped)
    for seconds in (usual_seconds, most, *range(least, most, 60)):
        plan, usual = fit(shipped, seconds, first_side=side), fit(shipped, seconds)
        assert plan.first_side == side
        assert usual.first_side is None
        pairs = {s.id.removesuffix(f"-{side}") for s in plan.steps if s.side == side and s.hands_on}
        for stem in pairs:
            assert order_of(plan, stem) == [f"{stem}-{side}", f"{stem}-{other}"]
        assert plan.hands_on_seconds == usual.hands_on_seconds
        waiting = [one for one in plan.steps if one.kind == "change" and one.wait]
        assert all(change.id.endswith(f"-{other}") for change in waiting)
        assert_bounds_and_rules(plan)


def test_who_massages_the_back_is_asked_where_it_hurts_less() -> None:
    asked = {name for name in SHIPPED if shipped_protocol(name).asks_first_side}
    assert asked == {
        *(f"oc-classic-{zone}" for zone in ("full", "collar", "thoracic", "lumbar")),
        *("oc-cupping-back", "oc-vacuum", "oc-honey-back", "oc-stone", "oc-massager", "oc-thai"),
        *("oc-cervical-4step", "oc-self-4step", "oc-self-nape"),
    }


def test_only_neighbours_that_do_the_same_on_two_sides_are_a_pair() -> None:
    built = protocol(
        *(phase(f"cup-{side}", side=side) for side in ("right", "left")),
        phase("between"),
        *(phase(name, side=side) for name, side in (("near-left", "left"), ("far-right", "right"))),
        sides(phase("leg")),
    )
    ids = {
        side: [step.id for step in fit(built, 999, first_side=side).steps if step.hands_on]
        for side in SIDES
    }
    assert ids["left"] == [
        *("cup-left", "cup-right", "between", "near-left", "far-right", "leg-left", "leg-right")
    ]
    assert ids["right"] == [
        *("cup-right", "cup-left", "between", "near-left", "far-right", "leg-right", "leg-left")
    ]


@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_at_the_usual_length_every_phase_has_its_usual_time(protocol_id: str) -> None:
    shipped = shipped_protocol(protocol_id)
    usual = [
        item.seconds.usual
        for item, _ in unroll(shipped)
        if isinstance(item, Phase) and not item.optional
    ]
    plan = fit(shipped, session_of(shipped)[1])
    assert phase_seconds(plan) == usual
    assert plan.reached


@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_outside_the_range_the_nearest_total_is_planned_and_said(protocol_id: str) -> None:
    shipped = shipped_protocol(protocol_id)
    least, _, most = session_of(shipped)
    for wish, total in ((least - 5, least), (0, least), (most + 5, most), (9000, most)):
        plan = fit(shipped, wish)
        assert (plan.hands_on_seconds, plan.asked_seconds) == (total, wish)
        assert not plan.reached
    assert reach(shipped) == (least, most)


@pytest.mark.slow
@pytest.mark.parametrize("protocol_id", SHIPPED)
def test_time_spreads_in_proportion_to_the_usual_times(protocol_id: str) -> None:
    """Where neither bounds nor rules bind, no phase lags a whole step behind another."""
    for plan, usual in (
        (plan, usual_plan(shipped_protocol(protocol_id))) for plan in sweep(protocol_id)
    ):
        if plan.rules.share or plan.rules.cap:
            continue
        normal = seconds_by_id(usual)
        free = [
            s
            for s in plan.steps
            if s.hands_on and s.min_seconds < s.seconds and s.seconds + 5 <= s.max_seconds
        ]
        for one in free:
            for other in free:
                assert (one.seconds - 2.5) / normal[one.id] <= (other.seconds + 2.5) / normal[
                    other.id
                ] + 1e-9


def test_the_exact_times_of_two_unequal_phases() -> None:
    built = protocol(phase("short", (10, 30, 60)), phase("long", (20, 90, 120)))
    table = {
        30: [10, 20],
        60: [15, 45],
        120: [30, 90],
        140: [35, 105],
        165: [45, 120],
        180: [60, 120],
    }
    assert {wish: phase_seconds(fit(built, wish)) for wish in table} == table


def test_a_phase_off_the_grid_keeps_its_bounds_with_whole_steps() -> None:
    built = protocol(phase("odd", (12, 17, 28)), phase("plain", (10, 20, 40)), session=(22, 37, 68))
    assert reach(built) == (25, 65)
    assert fit(built, 0).steps[0].seconds == 15
    assert fit(built, 999).steps[0].seconds == 25


def test_the_shortest_plan_is_not_shorter_than_the_session_allows() -> None:
    built = protocol(*numbered(2), session=(101, 120, 149))
    assert reach(built) == (105, 145)


def test_a_cap_gives_the_time_to_the_other_phases() -> None:
    built = protocol(
        phase("cups", (20, 60, 120), tags=["cups"]),
        phase("strokes", (20, 60, 200)),
        session=(40, 120, 270),
        rules=rules(cap={"cups": 70}),
    )
    assert seconds_by_id(fit(built, 140)) == {"cups": 70, "strokes": 70}
    assert seconds_by_id(fit(built, 200)) == {"cups": 70, "strokes": 130}
    assert seconds_by_id(fit(built, 9999)) == {"cups": 70, "strokes": 200}


def test_a_share_is_more_than_its_fraction_never_equal_to_it() -> None:
    built = protocol(
        phase("strokes", (20, 60, 300)),
        phase("knead", (20, 60, 300), technique="kneading"),
        session=(45, 120, 600),
        rules=rules(share={"kneading": 0.5}),
    )
    assert reach(built)[0] == 45
    assert seconds_by_id(fit(built, 120)) == {"strokes": 55, "knead": 65}
    assert seconds_by_id(fit(built, 125)) == {"strokes": 60, "knead": 65}
    assert fit(built, 600).hands_on_seconds == 595


def test_a_share_of_three_fifths_is_exactly_three_fifths() -> None:
    built = protocol(
        phase("strokes", (20, 40, 40)),
        phase("knead", (5, 60, 300), technique="kneading"),
        session=(55, 100, 340),
        rules=rules(share={"kneading": 0.6}),
    )
    assert seconds_by_id(fit(built, 100)) == {"strokes": 35, "knead": 65}


@pytest.mark.parametrize(
    ("wish", "asked"), [(120, 120), (121, 120), (122, 120), (123, 125), (124, 125), (127, 125)]
)
def test_wishes_are_rounded_to_five_seconds(wish: int, asked: int) -> None:
    plan = fit(protocol(*numbered(2)), wish)
    assert (plan.asked_seconds, plan.hands_on_seconds, plan.reached) == (asked, asked, True)


def test_optional_phases_and_steps_stay_out_unless_chosen() -> None:
    built = protocol(
        phase("always", (30, 60, 300)),
        phase("extra", (0, 0, 40), optional=True),
        session=(30, 60, 300),
        prepare=[step("wash", 60, optional=True), step("settle")],
        aftercare=[step("rest", 60), step("tea", 30, optional=True)],
    )
    assert [s.id for s in fit(built, 60).steps] == ["settle", "always", "rest"]
    chosen = frozenset({"extra", "wash", "tea"})
    plan = fit(built, 60, chosen)
    assert [s.id for s in plan.steps] == ["wash", "settle", "always", "extra", "rest", "tea"]
    assert plan.chosen == ("extra", "tea", "wash")
    assert plan.hands_on_seconds == 60


@pytest.mark.parametrize(
    ("seconds", "least", "most"),
    [((0, 0, 40), 15, 40), ((5, 10, 33), 15, 30), ((22, 30, 40), 25, 40)],
)
def test_a_chosen_optional_phase_gets_between_fifteen_seconds_and_its_maximum(
    seconds: tuple[int, int, int], least: int, most: int
) -> None:
    built = protocol(
        phase("always", (30, 60, 300)),
        phase("extra", seconds, optional=True),
        session=(30, 60, 600),
    )
    chosen = frozenset({"extra"})
    assert seconds_by_id(fit(built, 0, chosen))["extra"] == least
    assert seconds_by_id(fit(built, 9999, chosen))["extra"] == most


def test_a_group_unrolls_once_a_side_with_a_waiting_change_between() -> None:
    built = protocol(
        phase("before"), sides(phase("one"), phase("two"), change_seconds=20), phase("behind")
    )
    plan = usual_plan(built)
    line = [(s.id, s.kind, s.side, s.wait) for s in plan.steps]
    assert line == [
        ("before", "phase", "both", False),
        ("one-left", "phase", "left", False),
        ("two-left", "phase", "left", False),
        ("change-2-right", "change", None, True),
        ("one-right", "phase", "right", False),
        ("two-right", "phase", "right", False),
        ("behind", "phase", "both", False),
    ]
    assert plan.steps[3].seconds == 20
    assert plan.hands_on_seconds == 360


def test_preparation_and_aftercare_lie_around_the_phases_and_never_count() -> None:
    built = protocol(
        *numbered(1),
        prepare=[step("meal"), step("wash", 60), step("look", 30, wait=True)],
        aftercare=[step("rest", 600)],
    )
    plan = fit(built, 60)
    assert [(s.id, s.kind, s.seconds, s.wait) for s in plan.steps] == [
        ("meal", "prepare", 0, True),
        ("wash", "prepare", 60, False),
        ("look", "prepare", 30, True),
        ("phase-1", "phase", 60, False),
        ("rest", "aftercare", 600, False),
    ]
    assert plan.hands_on_seconds == 60


UNREACHABLE: list[tuple[str, Protocol, str]] = [
    (
        "no grid step between the bounds",
        protocol(phase("tight", (11, 12, 14)), session=(10, 10, 60)),
        "phase tight: no multiple of 5 s lies between 11 and 14",
    ),
    (
        "the minimums pass a cap",
        protocol(
            phase("a", tags=["cups"]), phase("b", tags=["cups"]), rules=rules(cap={"cups": 55})
        ),
        "cups need more than the cap of 55 s",
    ),
    (
        "a share beyond the maximums",
        protocol(
            phase("a", (60, 60, 60)),
            phase("b", (20, 40, 60), technique="kneading"),
            rules=rules(share={"kneading": 0.5}),
        ),
        "kneading can never have more than 0.5",
    ),
    (
        "a share that a cap holds down",
        protocol(
            phase("a", (60, 60, 60)),
            phase("b", (20, 40, 90), technique="kneading", tags=["cups"]),
            rules=rules(share={"kneading": 0.5}, cap={"cups": 60}),
        ),
        "kneading can never have more than 0.5",
    ),
    (
        "the minimums pass the session's maximum",
        protocol(*numbered(3), session=(60, 70, 85)),
        "the shortest plan takes 90 s, more than session.max 85",
    ),
]


@pytest.mark.parametrize(
    ("built", "reason"), [case[1:] for case in UNREACHABLE], ids=[case[0] for case in UNREACHABLE]
)
def test_a_protocol_that_no_plan_can_keep_is_refused_with_the_reason(
    built: Protocol, reason: str
) -> None:
    for wish in (0, 60, 9999):
        with pytest.raises(UnreachableError, match=reason):
            fit(built, wish)


def test_a_withheld_protocol_has_no_plan() -> None:
    bare = protocol(*numbered(1)).model_dump(by_alias=True)
    withheld = Protocol.model_validate(bare | {"phases": (), "access": "withheld"})
    nothing = Protocol.model_validate(bare | {"session": None})
    for empty in (withheld, nothing):
        with pytest.raises(UnreachableError, match="no phases to run"):
            fit(empty, 60)
    check_reachable(nothing)


@pytest.mark.parametrize(
    ("session", "reason"),
    [
        ((60, 120, 180), None),
        ((56, 120, 184), None),
        (
            (55, 120, 180),
            "session.min is 55 s, but the shortest plan that keeps the rules takes 60",
        ),
        (
            (60, 120, 185),
            "session.max is 185 s, but the longest plan that keeps the rules takes 180",
        ),
    ],
)
def test_a_session_promises_only_what_can_be_planned(
    session: tuple[int, int, int], reason: str | None
) -> None:
    built = protocol(*numbered(2), session=session)
    if reason is None:
        check_reachable(built)
        return
    with pytest.raises(UnreachableError, match=reason):
        check_reachable(built)


def test_a_plan_takes_along_only_the_names_that_it_shows() -> None:
    plan = usual_plan(protocol(*numbered(1)))
    techniques = {
        key: Technique(id=key, name="N", textbook="T", hands="H", hue="h")
        for key in ("stroking", "kneading")
    }
    areas = {
        key: Area(id=key, name="N", figure="back", region="back") for key in ("whole-back", "nape")
    }
    named = with_names(plan, techniques, areas)
    assert (set(named.techniques), set(named.areas)) == ({"stroking"}, {"whole-back"})


def test_a_frozen_plan_is_the_same_after_a_round_trip_as_text() -> None:
    plan = usual_plan(shipped_protocol("oc-cupping-back"))
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@QUICK
@given(built=protocols(), wishes=st.lists(st.integers(0, 700), min_size=2, max_size=5))
def test_any_protocol_gets_exact_sums_within_bounds_and_rules_and_no_less_from_a_longer_wish(
    built: Protocol, wishes: list[int]
) -> None:
    try:
        plans = [fit(built, wish) for wish in sorted(wishes)]
    except UnreachableError:
        assume(False)
    shortest, longest = reach(built)
    for wish, plan in zip(sorted(wishes), plans, strict=True):
        assert_bounds_and_rules(plan)
        asked = (wish + 2) // 5 * 5
        assert plan.asked_seconds == asked
        assert plan.hands_on_seconds == min(max(asked, shortest), longest)
        assert plan.hands_on_seconds <= plan.session_max_seconds
        assert plan.reached == (plan.hands_on_seconds == asked)
        assert fit(built, wish) == plan
    for shorter, more in pairwise(plans):
        for less, longer in zip(phase_seconds(shorter), phase_seconds(more), strict=True):
            assert less <= longer


@QUICK
@given(
    usuals=st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=7
    )
)
def test_any_protocol_has_its_usual_times_at_its_usual_length(
    usuals: list[tuple[int, int, int]],
) -> None:
    entries = [
        phase(f"p-{i}", (max(0, u - less) * 5, u * 5, (u + more) * 5))
        for i, (u, less, more) in enumerate(usuals)
    ]
    plan = usual_plan(protocol(*entries))
    assert phase_seconds(plan) == [u * 5 for u, _, _ in usuals]


def test_builders_make_what_their_names_say() -> None:
    """So that a broken builder does not look like a broken rule."""
    built: dict[str, Any] = protocol(*numbered(2), prepare=[step("meal")]).model_dump()
    assert [p["id"] for p in built["phases"]] == ["phase-1", "phase-2"]
    assert built["session"] == {"min": 60, "usual": 120, "max": 180}
