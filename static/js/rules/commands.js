// What people may do with a session, and what a page may show of it at one instant. Same rules, names and words as
// webapp/domain/commands.py and snapshot.py; tests/cases/session.json holds both to the same results.
import { handsOn, handsOnMs, handsOnOver, sum, tagged, usedMs } from "./counting.js";
import { GRID_MS, phasesAhead, refit } from "./refit.js";
import { EXTEND_MS, TRANSITIONS, advance, apply, extensionMs, onTheSkinHere, withoutFit } from "./session.js";

const LONGEST_REST_MS = 7_200_000;

/** The message says to the person why the act is not possible now. */
export class Refused extends Error {}

/** The acts that the page offers. */
export const allowed = (plan, state) =>
  TRANSITIONS[state.status].filter((action) => FITS_HERE[action]?.(plan, state) ?? true);

const FITS_HERE = {
  release: (plan, state) => state.holding,
  undo: (plan, state) => withoutFit(plan, state) !== null,
  low: (plan) => plan.diabetes,
  resume: (plan, state) => !state.holding || onTheSkinHere(plan, state),
  back: (plan, state) => state.index > 0,
  extend: (plan, state) => state.left[state.index] > 0,
  restart: (plan, state) => state.planned[state.index] > 0,
  "end-at": (plan, state) => phasesAhead(plan, state).length > 0,
};

/**
 * The event [kind, at, leftMs] to record for `action` at `now`; `folded` is the state right after the
 * last event. `handsOnLeftMs`, for end-at only, is the time until the hands-on work must be over.
 * Throws Refused.
 */
export function decide(plan, folded, action, now, handsOnLeftMs = 0) {
  const state = advance(plan, folded, now);
  if (!allowed(plan, state).includes(action)) throw new Refused(reason(state, action));
  const event = [action, Math.max(now, state.at)];
  const leftMs = action === "extend" && shorterExtension(plan, state);
  if (leftMs) event.push(leftMs);
  if (action === "end-at") return [...event, refit(plan, state, handsOnLeftMs ?? 0)];
  if (["back", "restart", "extend"].includes(action)) {
    checkCaps(plan, state, apply(plan, state, event), action);
  }
  return event;
}

/** The step's time with all whole seconds that the rules still give; null where they give all. Where they
 * give nothing it is a second too much, so that checkCaps names the rule that is in the way. */
function shorterExtension(plan, state) {
  const { index, left } = state;
  const step = plan.steps[index];
  const rooms = [...plan.rules.cap.entries()]
    .filter(([, cap]) => step.tags.includes(cap.tag))
    .map(([number, cap]) => {
      const ahead = tagged(plan, cap.tag).filter((i) => i >= index);
      return cap.seconds * 1000 - usedMs(plan, state, number) - sum(ahead.map((i) => left[i]));
    });
  if (handsOn(step)) {
    rooms.push(plan.sessionMaxSeconds * 1000 - handsOnMs(plan, state));
    rooms.push(step.maxSeconds * 1000 - state.attempt[index] - left[index]);
  } else rooms.push(LONGEST_REST_MS - left[index]);
  const room = Math.max(1, Math.floor(Math.min(...rooms) / 1000)) * 1000;
  return room < EXTEND_MS ? [[step.id, left[index] + room]] : null;
}

/** What the person hears of an event that gave other than was asked; `state` is the one right before it. */
export function told(plan, state, event, handsOnLeftMs = null) {
  const [kind, , leftMs] = event;
  if (kind === "extend" && leftMs) return `+${Math.floor(extensionMs(state, leftMs) / 1000)} s, that is the most.`;
  if (kind !== "end-at" || handsOnLeftMs === null) return "";
  const { left, index } = apply(plan, state, event);
  const off = sum(left.slice(index, plan.steps.findLastIndex(handsOn) + 1)) - handsOnLeftMs;
  if (Math.abs(off) < GRID_MS) return "";
  return `That is the ${off > 0 ? "earliest" : "latest"} end that the rules allow.`;
}

function reason(state, action) {
  if (action === "resume" && state.holding) return "Take the cups off and confirm it first.";
  return REASONS[state.status] ?? "That is not possible at this moment.";
}

const REASONS = {
  ready: "The session has not begun yet.",
  paused: "The session is paused. Resume first.",
  finished: "The session is over.",
  stopped: "The session was stopped. It cannot go on.",
};

/** Throws Refused when done plus planned time would break a cap or a bound. */
function checkCaps(plan, before, after, action) {
  const step = plan.steps[after.index];
  if (!step) return;
  plan.rules.cap.forEach((cap, number) => checkCap(plan, after, cap, number));
  let mostMs = plan.sessionMaxSeconds * 1000;
  if (!handsOn(step)) {
    if (after.left[after.index] > LONGEST_REST_MS) throw new Refused("This step is long enough.");
    mostMs = Math.max(mostMs, handsOnMs(plan, before));
  }
  if (handsOnMs(plan, after) > mostMs) {
    const most = minutes(plan.sessionMaxSeconds);
    throw new Refused(`This session has at most ${most} of hands-on time.`);
  }
  const length = after.attempt[after.index] + after.left[after.index];
  if (handsOn(step) && action === "extend" && length > step.maxSeconds * 1000) {
    throw new Refused(`${step.title}: at most ${minutes(step.maxSeconds)}.`);
  }
}

function checkCap(plan, after, cap, number) {
  const coming = tagged(plan, cap.tag).filter((i) => i >= after.index);
  const ahead = sum(coming.map((i) => after.left[i]));
  if (ahead && usedMs(plan, after, number) + ahead > cap.seconds * 1000) {
    throw new Refused(`${inWords(cap.tag)}: at most ${minutes(cap.seconds)} in one session.`);
  }
}

const inWords = (tag) => tag[0].toUpperCase() + tag.slice(1).replaceAll("-", " ");

const minutes = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;

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
    upIn: upIn(state),
    waitsBeforeUp: plan.steps.slice(state.index).some((step) => step.wait),
    capSecondsLeft: capSecondsLeft(plan, state),
  };
}

/**
 * The running step and all after it, { id, beginsIn, endsIn, wait }, as offsets from `state.at`.
 * `endsIn` null: it waits for a person.
 */
function timetable(plan, state) {
  let at = 0;
  return plan.steps.slice(state.index).map(({ id, wait }, n) => {
    const left = state.left[state.index + n];
    const beginsIn = at;
    at += left;
    return { id, beginsIn, endsIn: wait && !left ? null : at, wait };
  });
}

/** Of the step under way; before the start, of the whole hands-on time. */
function remainingMs(plan, state) {
  if (state.status === "ready") return handsOnMs(plan, state);
  return state.left[state.index] ?? 0;
}

/** The whole length of the step under way, with what it has had. */
function plannedMs(plan, { attempt, left, index }) {
  return index < plan.steps.length ? attempt[index] + left[index] : 0;
}

function isHandsOnOver(plan, { status, index }) {
  if (status === "finished" || status === "stopped") return true;
  return LIVE.includes(status) && handsOnOver(plan, index);
}

const handsOnDoneMs = (plan, state) =>
  sum(state.done.filter((_, i) => handsOn(plan.steps[i])));

/** Ms until the last phase ends if every waiting step is passed at once; null when over. */
function handsOnEndsIn(plan, state) {
  if (isHandsOnOver(plan, state)) return null;
  return sum(state.left.slice(state.index, plan.steps.findLastIndex(handsOn) + 1));
}

/** True when a step before the end of the hands-on time waits for a person. */
function waitsAhead(plan, { index }) {
  const last = plan.steps.findLastIndex(handsOn);
  return plan.steps.slice(index, Math.max(last, index)).some((step) => step.wait);
}

/** Ms until the last step ends if every waiting step is passed at once; null when over. */
const upIn = ({ status, left, index }) =>
  status === "finished" || status === "stopped" ? null : sum(left.slice(index));

/** While cups are still on in a pause: seconds until their cap, never below 0; otherwise null. */
function capSecondsLeft(plan, state) {
  if (!state.holding) return null;
  const rooms = [...plan.rules.cap.entries()]
    .filter(([, cap]) => cap.countsWhilePaused)
    .map(([number, cap]) => cap.seconds - Math.floor(usedMs(plan, state, number) / 1000));
  return Math.max(0, Math.min(...rooms));
}
