// What happened to a plan, folded to a state: the same rules and names as webapp/domain/session.py,
// held to it by tests/cases/session.json. Pure. An event is [kind, at, leftMs]: `at` in integer ms;
// `leftMs`, of a re-fit only, is [[step id, ms], ...].
import {
  advance,
  entryStatus,
  finish,
  handsOn,
  handsOnOver,
  initial,
  tagged,
  usedMs,
} from "./session-time.js";

export const EXTEND_MS = 30_000;
const STOPS = ["low", "stop"];

/** Both the rule and the list of buttons. */
export const TRANSITIONS = {
  ready: ["start", "end-at"],
  running: ["pause", "next", "back", "restart", "extend", "end-at", "end", ...STOPS],
  waiting: ["next", "back", "restart", "end-at", "end", ...STOPS],
  paused: ["resume", "release", "next", "back", "restart", "extend", "end-at", "end", ...STOPS],
  finished: [],
  stopped: [],
};

/** The state right after the last event. */
export const fold = (plan, events) =>
  events.reduce((state, event) => follow(plan, state, event), initial(plan));

/** The state right after `event`, the first that comes after `state`. */
export const follow = (plan, state, event) => apply(plan, advance(plan, state, event[1]), event);

/** The state after `event`, which happened at `state.at`. Pure bookkeeping, no checks. */
export function apply(plan, state, [kind, at, leftMs]) {
  if (kind === "doubt") return doubt(plan, state);
  if (kind === "settled") return settled(state, at);
  return { ...ACTS[kind](plan, state, at, leftMs), beforeDoubt: null };
}

/** Time was lost: paused, and remembered where it stood. */
function doubt(plan, state) {
  const beforeDoubt = state.beforeDoubt ?? state;
  const holding = onTheSkin(plan, state);
  return { ...state, status: "paused", holding, doubted: true, beforeDoubt };
}

/** A device went on counting: as if nobody had doubted, from `at` on today's line of time. */
const settled = (state, at) => (state.beforeDoubt ? { ...state.beforeDoubt, at } : state);

const ACTS = {
  start: (plan, state, at) => ({ ...state, status: entryStatus(plan, state.left, 0), startedAt: at }),
  pause: (plan, state) => ({
    ...state,
    status: "paused",
    holding: onTheSkin(plan, state),
    doubted: false,
  }),
  resume,
  release: (plan, state) => ({ ...state, holding: false }),
  next: (plan, state) => enter(plan, state, state.index + 1),
  back,
  restart: (plan, state) => enter(plan, giveInFull(state, state.index), state.index),
  extend: (plan, state) => lengthen(state, EXTEND_MS),
  "end-at": (plan, state, at, leftMs) => refitted(plan, state, leftMs),
  end,
  stop: (plan, state, at) => stopped(state, at, false),
  low: (plan, state, at) => stopped(state, at, true),
};

function stopped(state, at, low) {
  const handsOnEndedAt = state.handsOnEndedAt ?? at;
  return { ...state, status: "stopped", endedAt: at, handsOnEndedAt, holding: false, low };
}

/** True when a pause in this step leaves something on the body that a cap counts on. */
const onTheSkin = (plan, state) => state.holding || onTheSkinHere(plan, state);

/** True when the step under way is covered by a cap that counts on in a pause. */
export function onTheSkinHere(plan, state) {
  const tags = plan.steps[state.index]?.tags ?? [];
  return plan.rules.cap.some((cap) => cap.countsWhilePaused && tags.includes(cap.tag));
}

/** Go on; what a cap has lost to the pause is taken from the phases it covers. */
function resume(plan, state) {
  const left = [...state.left];
  plan.rules.cap.forEach((cap, number) => {
    let space = Math.max(0, cap.seconds * 1000 - usedMs(plan, state, number));
    for (const i of tagged(plan, cap.tag).filter((i) => i >= state.index)) {
      left[i] = Math.min(left[i], space);
      space -= left[i];
    }
  });
  const status = entryStatus(plan, left, state.index);
  const resumed = { ...state, status, left, holding: false, doubted: false };
  const empty = status === "running" && !left[state.index];
  return empty ? enter(plan, resumed, state.index + 1) : resumed;
}

/** Go to step `index`; a pause stays a pause. */
function enter(plan, state, index) {
  const handsOnEndedAt = handsOnOver(plan, index) ? (state.handsOnEndedAt ?? state.at) : null;
  const moved = { ...state, index, waited: 0, handsOnEndedAt };
  if (index >= plan.steps.length) return finish(moved, state.at);
  if (state.status === "paused") return moved;
  return { ...moved, status: entryStatus(plan, moved.left, index) };
}

/** To the step before; right after an early end, to the step that was left for it. */
function back(plan, state) {
  const before = Math.max(0, state.index - 1);
  if (plan.steps[before].kind === "aftercare") {
    return enter(plan, giveAgain(state, before), before);
  }
  const index = state.endedFrom ?? before;
  return enter(plan, { ...giveAgain(state, index), endedEarly: false, endedFrom: null }, index);
}

/** What is left of the step, or all of it when nothing is. */
const giveAgain = (state, index) => (state.left[index] ? state : giveInFull(state, index));

const giveInFull = (state, index) => ({
  ...state,
  left: put(state.left, index, state.planned[index]),
  attempt: put(state.attempt, index, 0),
});

const lengthen = (state, ms) => ({
  ...state,
  left: put(state.left, state.index, state.left[state.index] + ms),
  planned: put(state.planned, state.index, state.planned[state.index] + ms),
});

const put = (values, index, value) => values.map((old, i) => (i === index ? value : old));

/** End early: hands off, and on to the aftercare; from there, or before any work, all ends. */
function end(plan, state) {
  const status = state.status === "paused" ? "running" : state.status;
  const over = { ...state, status, holding: false, doubted: false };
  const last = plan.steps.length;
  if (handsOnOver(plan, state.index)) return enter(plan, over, last);
  const worked = plan.steps.some((step, i) => handsOn(step) && state.done[i]);
  const rest = plan.steps.findIndex((step) => step.kind === "aftercare");
  const early = { ...over, endedEarly: true, endedFrom: state.index };
  return enter(plan, early, worked && rest >= 0 ? rest : last);
}

/** The recorded result of a re-fit, step by step. */
function refitted(plan, state, leftMs) {
  const fresh = new Map(leftMs);
  const left = plan.steps.map(({ id }, i) => fresh.get(id) ?? state.left[i]);
  const planned = plan.steps.map(({ id }, i) =>
    fresh.has(id) ? state.attempt[i] + fresh.get(id) : state.planned[i],
  );
  return { ...state, left, planned };
}
