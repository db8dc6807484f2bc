// Time passes in a session: the same rules and names as webapp/domain/session.py, held to it by
// tests/cases/session.json. Pure. Times are integer ms, instants on the server's clock (Unix epoch).
// A plan is what webapp/domain/payload.py describes, a state what `initial` gives.

/** A session that nobody has started. */
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
    doubted: false,
    endedEarly: false,
    endedFrom: null,
    low: false,
    handsOnEndedAt: null,
    startedAt: null,
    endedAt: null,
    beforeDoubt: null, // where it stood when time was lost, until somebody acts
  };
}

/** The state at `now` when nobody did anything. Time never runs backwards. */
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

/** Up to `passed` ms in the step under way; changes `moving`. */
function pass(plan, moving, passed) {
  const { index } = moving;
  const waits = moving.status === "waiting";
  const used = waits ? passed : Math.min(passed, moving.left[index]);
  if (waits) {
    moving.waited += used;
  } else {
    moving.left[index] -= used;
    moving.attempt[index] += used;
  }
  moving.done[index] += used;
  moving.at += used;
  if (!waits && !moving.left[index]) usedUp(plan, moving);
}

/** The step under way has had its time: it waits, or the next one begins. */
function usedUp(plan, moving) {
  moving.waited = 0;
  if (plan.steps[moving.index].wait) {
    moving.status = "waiting";
    return;
  }
  moving.index += 1;
  moving.status = entryStatus(plan, moving.left, moving.index);
  if (moving.handsOnEndedAt === null && handsOnOver(plan, moving.index)) {
    moving.handsOnEndedAt = moving.at;
  }
}

/** Running on entering a timed step, waiting on entering one that only waits. */
export function entryStatus(plan, left, index) {
  return plan.steps[index]?.wait && !left[index] ? "waiting" : "running";
}

export function finish(state, at) {
  const handsOnEndedAt = state.handsOnEndedAt ?? at;
  return { ...state, status: "finished", endedAt: at, handsOnEndedAt, holding: false };
}

/** A pause: only caps that count on (cups still on the skin) move. */
function hold(plan, state, passed) {
  const counts = (cap) => state.holding && cap.countsWhilePaused;
  const held = state.held.map((ms, i) => ms + (counts(plan.rules.cap[i]) ? passed : 0));
  return { ...state, at: state.at + passed, held };
}

export const handsOn = (step) => step.kind === "phase";

/** True when no phase lies at or after `index`. */
export const handsOnOver = (plan, index) => !plan.steps.slice(index).some(handsOn);

export const sum = (values) => values.reduce((total, value) => total + value, 0);

/** The positions of all steps with `tag`. */
export const tagged = (plan, tag) =>
  [...plan.steps.keys()].filter((i) => plan.steps[i].tags.includes(tag));

/** What cap `number` has counted so far. */
export function usedMs(plan, state, number) {
  const { tag } = plan.rules.cap[number];
  return sum(tagged(plan, tag).map((i) => state.done[i])) + state.held[number];
}

/** Hands-on time done plus still planned. */
export function handsOnMs(plan, state) {
  const times = plan.steps.map((step, i) =>
    handsOn(step) ? state.done[i] + (i >= state.index ? state.left[i] : 0) : 0,
  );
  return sum(times);
}
