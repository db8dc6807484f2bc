// Everything a page may show of a session at one instant: the same rules and names as
// webapp/domain/snapshot.py, held to it by tests/cases/session.json. Pure. Times in integer ms.
import { allowed } from "./session-acts.js";
import { advance, handsOn, handsOnMs, handsOnOver, sum, usedMs } from "./session-time.js";

const LIVE = ["running", "waiting", "paused"];

/** The session at `now`, from a state right after the last event. */
export function view(plan, folded, now) {
  const state = advance(plan, folded, now);
  return {
    state,
    actions: allowed(plan, state),
    rows: timetable(plan, state),
    stepId: plan.steps[state.index]?.id ?? "end",
    live: LIVE.includes(state.status),
    remainingMs: remainingMs(plan, state),
    plannedMs: plannedMs(plan, state),
    untilChangeMs: state.status === "running" ? remainingMs(plan, state) : null,
    handsOnOver: isHandsOnOver(plan, state),
    handsOnDoneMs: handsOnDoneMs(plan, state),
    handsOnEndsIn: handsOnEndsIn(plan, state),
    waitsAhead: waitsAhead(plan, state),
    capSecondsLeft: capSecondsLeft(plan, state),
  };
}

/**
 * The running step and all after it, { id, beginsIn, endsIn, wait }, as offsets from `state.at`.
 * `endsIn` null: it waits until told.
 */
export function timetable(plan, state) {
  let at = 0;
  return plan.steps.slice(state.index).map(({ id, wait }, n) => {
    const left = state.left[state.index + n];
    const beginsIn = at;
    at += left;
    return { id, beginsIn, endsIn: wait && !left ? null : at, wait };
  });
}

/** Of the step under way; before the start, of the whole hands-on time. */
export function remainingMs(plan, state) {
  if (state.status === "ready") return handsOnMs(plan, state);
  return state.left[state.index] ?? 0;
}

/** The whole length of the step under way, with what it has had. */
export function plannedMs(plan, { attempt, left, index }) {
  return index < plan.steps.length ? attempt[index] + left[index] : 0;
}

export function isHandsOnOver(plan, { status, index }) {
  if (status === "finished" || status === "stopped") return true;
  return LIVE.includes(status) && handsOnOver(plan, index);
}

export const handsOnDoneMs = (plan, state) =>
  sum(state.done.filter((_, i) => handsOn(plan.steps[i])));

/** Ms until the last phase ends if every waiting step is passed at once; null when over. */
export function handsOnEndsIn(plan, state) {
  if (isHandsOnOver(plan, state)) return null;
  return sum(state.left.slice(state.index, plan.steps.findLastIndex(handsOn) + 1));
}

/** True when a step before the end of the hands-on time waits for a person. */
export function waitsAhead(plan, { index }) {
  const last = plan.steps.findLastIndex(handsOn);
  return plan.steps.slice(index, Math.max(last, index)).some((step) => step.wait);
}

/** While cups are still on in a pause: seconds until their cap, never below 0; otherwise null. */
export function capSecondsLeft(plan, state) {
  if (!state.holding) return null;
  const rooms = [...plan.rules.cap.entries()]
    .filter(([, cap]) => cap.countsWhilePaused)
    .map(([number, cap]) => cap.seconds - Math.floor(usedMs(plan, state, number) / 1000));
  return Math.max(0, Math.min(...rooms));
}
