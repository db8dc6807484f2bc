// What people may do with a session, and the checks before an act counts: the same rules, names and
// words as webapp/domain/commands.py, held to it by tests/cases/session.json. Pure. Times in integer ms.
import { phasesAhead, refit } from "./session-refit.js";
import { TRANSITIONS, apply, onTheSkinHere } from "./session-rules.js";
import { advance, handsOn, handsOnMs, sum, tagged, usedMs } from "./session-time.js";

const LONGEST_REST_MS = 7_200_000;

/** The act is not possible now; the message says why, in words for the person. */
export class Refused extends Error {}

/** The acts that the page offers, from the table; what this very state cannot do is left out. */
export const allowed = (plan, state) =>
  TRANSITIONS[state.status].filter((action) => FITS_HERE[action]?.(plan, state) ?? true);

const FITS_HERE = {
  release: (plan, state) => state.holding,
  low: (plan) => plan.diabetes,
  resume: (plan, state) => !state.holding || onTheSkinHere(plan, state),
  back: (plan, state) => state.index > 0,
  extend: (plan, state) => state.left[state.index] > 0,
  restart: (plan, state) => state.planned[state.index] > 0,
  "end-at": (plan, state) => phasesAhead(plan, state).length > 0,
};

/**
 * The event [kind, at, leftMs] to record for `action` at `now`, from a state right after the last
 * event. `handsOnLeftMs` goes with end-at: the time until the hands-on work must be over.
 * Throws Refused with the reason, and then nothing has changed.
 */
export function decide(plan, folded, action, now, handsOnLeftMs = 0) {
  const state = advance(plan, folded, now);
  if (!allowed(plan, state).includes(action)) throw new Refused(reason(state, action));
  const event = [action, Math.max(now, state.at)];
  if (action === "end-at") return [...event, refit(plan, state, handsOnLeftMs ?? 0)];
  if (["back", "restart", "extend"].includes(action)) {
    checkCaps(plan, state, apply(plan, state, event), action);
  }
  return event;
}

/** Why `action` is not possible now, in words for the person. */
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
