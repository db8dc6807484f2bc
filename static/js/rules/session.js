// The session core: time passes, and events are folded to a state. Same rules and names as
// webapp/domain/session.py; tests/cases/session.json holds both to the same results.
// Times are integer ms, instants are ms since the Unix epoch on the server's clock.
// An event is [kind, at, leftMs]; `leftMs`, of a re-fit only, is [[step id, ms], ...].

import { firstWithTime, handsOn, handsOnOver, stepBefore, tagged, usedMs } from "./counting.js";

/** A plan is what webapp/domain/payload.py describes, a state what this returns. */
export function initial(plan, at = 0) {
  const planned = plan.steps.map((step) => step.seconds * 1000);
  const zeros = planned.map(() => 0);
  return {
    at,
    status: "ready",
    index: 0,
    left: planned, // still to run, per step
    done: zeros, // run in all
    attempt: zeros, // run since last given in full
    planned, // in full
    held: plan.rules.cap.map(() => 0), // per cap: time in pauses that it counts on
    holding: false,
    waited: 0,
    timeLost: false,
    endedEarly: false,
    endedFrom: null,
    low: false,
    handsOnEndedAt: null,
    startedAt: null,
    endedAt: null,
    beforeTimeLost: null, // where it stood when time was lost, until somebody acts
    beforeFit: null, // the same before a re-fit
  };
}

/** The state at `now` without any event. Time never runs backwards. */
export function advance(plan, state, now) {
  const passed = now - state.at;
  if (passed <= 0) return state;
  if (state.status === "paused") return hold(plan, state, passed);
  if (!["running", "waiting"].includes(state.status)) return { ...state, at: now };
  const { left, done, attempt } = state;
  const moving = { ...state, left: [...left], done: [...done], attempt: [...attempt] };
  while (moving.at < now && moving.index < plan.steps.length) pass(plan, moving, now - moving.at);
  const moved = { ...moving, at: now };
  return moved.index === plan.steps.length ? finish(moved, moving.at) : moved;
}

/** Spends up to `passed` ms in the current step; changes `moving`. */
function pass(plan, moving, passed) {
  const { index } = moving;
  const waits = moving.status === "waiting";
  const used = waits ? passed : Math.min(passed, moving.left[index]);
  if (waits) moving.waited += used;
  else {
    moving.left[index] -= used;
    moving.attempt[index] += used;
  }
  moving.done[index] += used;
  moving.at += used;
  if (!waits && !moving.left[index]) usedUp(plan, moving);
}

/** The current step has had its time: it waits, or the next one begins. */
function usedUp(plan, moving) {
  moving.waited = 0;
  if (plan.steps[moving.index].wait) {
    moving.status = "waiting";
    return;
  }
  moving.index = firstWithTime(plan, moving, moving.index + 1);
  moving.status = entryStatus(plan, moving.left, moving.index);
  if (handsOnOver(plan, moving.index)) moving.handsOnEndedAt ??= moving.at;
}

/** Running on entering a timed step, waiting on entering one that only waits. */
export function entryStatus(plan, left, index) {
  return plan.steps[index]?.wait && !left[index] ? "waiting" : "running";
}

export function finish(state, at) {
  const handsOnEndedAt = state.handsOnEndedAt ?? at;
  return { ...state, status: "finished", endedAt: at, handsOnEndedAt, holding: false };
}

/** In a pause only the caps that count on (cups still on the skin) move. */
function hold(plan, state, passed) {
  const counts = (cap) => state.holding && cap.countsWhilePaused;
  const held = state.held.map((ms, i) => ms + (counts(plan.rules.cap[i]) ? passed : 0));
  return { ...state, at: state.at + passed, held };
}

export const EXTEND_MS = 30_000;
const STOPS = ["low", "stop"];
const FITS = ["end-at", "undo"]; // undo takes back a re-fit while its step lasts

/** Both the rule and the list of buttons. */
export const TRANSITIONS = {
  ready: ["start", ...FITS],
  running: ["pause", "next", "back", "restart", "extend", ...FITS, "end", ...STOPS],
  waiting: ["next", "back", "restart", ...FITS, "end", ...STOPS],
  paused: ["resume", "release", "next", "back", "restart", "extend", ...FITS, "end", ...STOPS],
  finished: [],
  stopped: [],
};

export const fold = (plan, events) =>
  events.reduce((state, event) => follow(plan, state, event), initial(plan));

export const follow = (plan, state, event) => apply(plan, advance(plan, state, event[1]), event);

/** The state after `event`, which happened at `state.at`; checks nothing. */
export function apply(plan, state, [kind, at, leftMs]) {
  if (kind === "doubt") return loseTime(plan, state);
  if (kind === "settled") return confirmTime(state, at);
  const before = { ...state, beforeTimeLost: null, beforeFit: null };
  const beforeFit = kind === "end-at" ? before : null;
  return { ...ACTS[kind](plan, state, at, leftMs), beforeTimeLost: null, beforeFit };
}

/** Time was lost: pauses, and remembers the state before. */
function loseTime(plan, state) {
  const beforeTimeLost = state.beforeTimeLost ?? { ...state, beforeFit: null };
  const holding = onTheSkin(plan, state);
  return { ...state, status: "paused", holding, timeLost: true, beforeTimeLost, beforeFit: null };
}

/** A device went on counting: the state before the loss, at `at`. */
const confirmTime = (state, at) => (state.beforeTimeLost ? { ...state.beforeTimeLost, at } : state);

const ACTS = {
  start: (plan, state, at) => ({ ...state, status: entryStatus(plan, state.left, 0), startedAt: at }),
  pause: (plan, state) => ({
    ...state,
    status: "paused",
    holding: onTheSkin(plan, state),
    timeLost: false,
  }),
  resume,
  release: (plan, state) => ({ ...state, holding: false }),
  next: (plan, state) => enter(plan, state, state.index + 1),
  back,
  restart: (plan, state) => enter(plan, giveInFull(state, state.index), state.index),
  extend: (plan, state, at, leftMs) => lengthen(state, extensionMs(state, leftMs)),
  "end-at": (plan, state, at, leftMs) => refitted(plan, state, leftMs),
  undo: (plan, state) => withoutFit(plan, state) ?? state,
  end,
  stop: (plan, state, at) => stopped(state, at, false),
  low: (plan, state, at) => stopped(state, at, true),
};

function stopped(state, at, low) {
  const handsOnEndedAt = state.handsOnEndedAt ?? at;
  return { ...state, status: "stopped", endedAt: at, handsOnEndedAt, holding: false, low };
}

/** True when a pause leaves something on the body that a cap counts. */
const onTheSkin = (plan, state) => state.holding || onTheSkinHere(plan, state);

export function onTheSkinHere(plan, state) {
  const tags = plan.steps[state.index]?.tags ?? [];
  return plan.rules.cap.some((cap) => cap.countsWhilePaused && tags.includes(cap.tag));
}

/** What a cap has lost to the pause is taken from the phases it covers. */
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
  const resumed = { ...state, status, left, holding: false, timeLost: false };
  const empty = status === "running" && !left[state.index];
  return empty ? enter(plan, resumed, state.index + 1) : resumed;
}

/** Goes to step `to`, or the first behind it that has time. A pause stays a pause. */
function enter(plan, state, to) {
  const index = firstWithTime(plan, state, to);
  const handsOnEndedAt = handsOnOver(plan, index) ? (state.handsOnEndedAt ?? state.at) : null;
  const moved = { ...state, index, waited: 0, handsOnEndedAt };
  if (index >= plan.steps.length) return finish(moved, state.at);
  if (state.status === "paused") return moved;
  return { ...moved, status: entryStatus(plan, moved.left, index) };
}

/** To the step before; right after an early end, to the step that it left. */
function back(plan, state) {
  const before = stepBefore(plan, state);
  if (plan.steps[before].kind === "aftercare") {
    return enter(plan, giveAgain(state, before), before);
  }
  const index = state.endedFrom ?? before;
  return enter(plan, { ...giveAgain(state, index), endedEarly: false, endedFrom: null }, index);
}

/** What is left of the step, or the whole step when nothing is. */
const giveAgain = (state, index) => (state.left[index] ? state : giveInFull(state, index));

const giveInFull = (state, index) => ({
  ...state,
  left: put(state.left, index, state.planned[index]),
  attempt: put(state.attempt, index, 0),
});

/** What an extend adds to the step under way. */
export const extensionMs = ({ left, index }, leftMs) =>
  leftMs ? leftMs[0][1] - left[index] : EXTEND_MS;

const lengthen = (state, ms) => ({
  ...state,
  left: put(state.left, state.index, state.left[state.index] + ms),
  planned: put(state.planned, state.index, state.planned[state.index] + ms),
});

const put = (values, index, value) => values.map((old, i) => (i === index ? value : old));

/** Goes on to the aftercare; from there, or before any work, the session ends. */
function end(plan, state) {
  const status = state.status === "paused" ? "running" : state.status;
  const over = { ...state, status, holding: false, timeLost: false };
  const last = plan.steps.length;
  if (handsOnOver(plan, state.index)) return enter(plan, over, last);
  const worked = plan.steps.some((step, i) => handsOn(step) && state.done[i]);
  const rest = plan.steps.findIndex((step) => step.kind === "aftercare");
  const early = { ...over, endedEarly: true, endedFrom: state.index };
  return enter(plan, early, worked && rest >= 0 ? rest : last);
}

/** Where the session would stand without its last act, a re-fit; null when something else came last, or the
 * step is or would be another one. */
export function withoutFit(plan, state) {
  if (state.beforeFit?.index !== state.index) return null;
  const before = advance(plan, state.beforeFit, state.at);
  return before.status === state.status && before.index === state.index ? before : null;
}

function refitted(plan, state, leftMs) {
  const fresh = new Map(leftMs);
  const left = plan.steps.map(({ id }, i) => fresh.get(id) ?? state.left[i]);
  const planned = plan.steps.map(({ id }, i) =>
    fresh.has(id) ? state.attempt[i] + fresh.get(id) : state.planned[i],
  );
  return { ...state, left, planned };
}
