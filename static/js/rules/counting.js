// What a session has done and still has to do, in integer ms; plan and state as in session.js.

export const handsOn = (step) => step.kind === "phase";

/** True for the time between two places, which passes by itself. */
export const isMove = (step) => step.kind === "change" && !step.wait;

/** A plan or a re-fit gave the step no time. */
const isLeftOut = (plan, state, index) => !state.planned[index] && !plan.steps[index].wait;

/** The first step from `index` on that was given time or waits. */
export function firstWithTime(plan, state, index) {
  let first = index;
  while (first < plan.steps.length && isLeftOut(plan, state, first)) first += 1;
  return first;
}

/** The step before that has time and is no move between places: a move passes by itself. */
export function stepBefore(plan, state) {
  let before = Math.max(0, state.index - 1);
  while (before && (isMove(plan.steps[before]) || isLeftOut(plan, state, before))) before -= 1;
  return before;
}

export const handsOnOver = (plan, index) => !plan.steps.slice(index).some(handsOn);

export const sum = (values) => values.reduce((total, value) => total + value, 0);

export const tagged = (plan, tag) =>
  [...plan.steps.keys()].filter((i) => plan.steps[i].tags.includes(tag));

export function usedMs(plan, state, number) {
  const { tag } = plan.rules.cap[number];
  return sum(tagged(plan, tag).map((i) => state.done[i])) + state.held[number];
}

/** What cap `number` has counted, and what it will count between the phases ahead. */
export function countedMs(plan, state, number) {
  const moves = tagged(plan, plan.rules.cap[number].tag).filter((i) => !handsOn(plan.steps[i]));
  return usedMs(plan, state, number) + sum(moves.map((i) => (i >= state.index ? state.left[i] : 0)));
}

/** Done plus still planned. */
export function handsOnMs(plan, state) {
  const times = plan.steps.map((step, i) =>
    handsOn(step) ? state.done[i] + (i >= state.index ? state.left[i] : 0) : 0,
  );
  return sum(times);
}
