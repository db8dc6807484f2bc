// New times for the phases that remain, so that hands-on work ends when it must: the same rules and
// names as webapp/domain/refit.py, held to it by tests/cases/session.json. Pure. Times in integer ms.
import { GRID_MS, GRID_SECONDS, ladder } from "./session-ladder.js";
import { entryStatus, handsOn, sum, usedMs } from "./session-time.js";

const FAR_AWAY = 2 ** 52; // the server's word for a room that no cap limits

/** The phases that still run: not the one that is used up and only waits to be left. */
export function phasesAhead(plan, state) {
  const waits = state.status !== "ready" && entryStatus(plan, state.left, state.index) === "waiting";
  return [...plan.steps.keys()].filter(
    (i) => handsOn(plan.steps[i]) && i >= state.index + (waits ? 1 : 0),
  );
}

/**
 * New remaining times [[step id, ms], ...] of all phases from here on, so that hands-on work ends
 * in `untilEndMs`, or as near to it as the rules come.
 */
export function refit(plan, state, untilEndMs) {
  const ahead = phasesAhead(plan, state);
  const wish = Math.max(0, untilEndMs - othersMs(plan, state, ahead.at(-1)));
  const most = plan.sessionMaxSeconds * 1000 - spent(plan, state).totalMs;
  let best = null;
  for (const odd of oddsOf(plan, state, ahead, wish, most)) {
    const leftMs = allotted(plan, state, partsAhead(plan, state, ahead, odd), wish);
    const total = sum(leftMs);
    const found = { leftMs, over: Math.max(0, total - most), off: Math.abs(total - wish) };
    if (!best || nearer(found, best)) best = found;
    if (!best.over && !best.off) break;
  }
  return ahead.map((i, n) => [plan.steps[i].id, best.leftMs[n]]);
}

const nearer = (a, b) => a.over < b.over || (a.over === b.over && a.off < b.off);

/** What is left of the steps before the `last` phase that are no phases. */
function othersMs(plan, state, last) {
  const others = [...plan.steps.keys()].slice(state.index, last).filter((i) => !handsOn(plan.steps[i]));
  return sum(others.map((i) => state.left[i]));
}

/** The odd milliseconds worth trying for the phase under way, each once. */
function oddsOf(plan, state, ahead, wish, most) {
  if (ahead[0] !== state.index) return [0];
  const begun = sum(partsAhead(plan, state, ahead, 0).slice(1).map((part) => part.oddMs));
  const ends = [wish - begun, most - begun, ...endsOf(plan, state, ahead[0])];
  return new Set(ends.map((end) => mod(end, GRID_MS)));
}

/** The time of each part in milliseconds, their sum as near to `wish` as the ladder comes. */
function allotted(plan, state, parts, wish) {
  const rungs = ladder(parts, plan.rules, plan.sessionMaxSeconds, spent(plan, state));
  const steps = round((wish - sum(parts.map((part) => part.oddMs))) / GRID_MS);
  const rung = rungs[Math.min(Math.max(steps - sum(rungs[0]), 0), rungs.length - 1)];
  return parts.map((part, i) => rung[i] * GRID_MS + part.oddMs);
}

/** What the re-fit may still plan. A cap goes before a phase's minimum, first come first served. */
function partsAhead(plan, state, ahead, odd) {
  const space = plan.rules.cap.map((cap, n) => cap.seconds * 1000 - usedMs(plan, state, n));
  return ahead.map((i) => {
    const [step, had] = [plan.steps[i], state.attempt[i]];
    const covering = coveringCaps(plan, step);
    const room = roomIn(covering.map((n) => space[n]));
    const lacking = state.left[i] % GRID_MS ? boundsLeft(step, had, room)[0] % GRID_MS : 0;
    const part = remainingPart(step, had, room, i === state.index ? odd : lacking);
    for (const n of covering) space[n] -= part.low * GRID_MS + part.oddMs;
    return part;
  });
}

const coveringCaps = (plan, step) =>
  [...plan.rules.cap.keys()].filter((n) => step.tags.includes(plan.rules.cap[n].tag));

const roomIn = (spaces) => Math.max(0, Math.min(FAR_AWAY, ...spaces));

/** Least and most that the phase under way may still have, and the room that its caps leave. */
function endsOf(plan, state, index) {
  const step = plan.steps[index];
  const leftOf = (n) => plan.rules.cap[n].seconds * 1000 - usedMs(plan, state, n);
  const room = roomIn(coveringCaps(plan, step).map(leftOf));
  return [...boundsLeft(step, state.attempt[index], room), room];
}

function boundsLeft(step, had, room) {
  const most = Math.min(Math.max(0, step.maxSeconds * 1000 - had), room);
  return [Math.min(Math.max(0, step.minSeconds * 1000 - had), most), most];
}

/**
 * What may still be planned for a phase, in grid steps beyond its odd milliseconds. Where no whole
 * grid step beyond `odd` lies within the bounds, its least time decides.
 */
function remainingPart(step, had, room, odd) {
  const [least, most] = boundsLeft(step, had, room);
  const tooMuch = odd + stepsUp(least - odd) * GRID_MS > most;
  const oddMs = tooMuch ? least % GRID_MS : odd;
  return {
    technique: step.technique ?? "",
    tags: step.tags,
    low: stepsUp(least - oddMs),
    high: (most - oddMs - mod(most - oddMs, GRID_MS)) / GRID_MS,
    usual: Math.max(1, round(step.seconds / GRID_SECONDS)),
    spentMs: had,
    oddMs,
  };
}

/** The grid steps that reach `ms`. */
const stepsUp = (ms) => Math.ceil(Math.max(0, ms) / GRID_MS);

const mod = (value, by) => ((value % by) + by) % by;

/** To the nearest whole number, a half to the even one, as the server rounds. */
function round(value) {
  const below = Math.floor(value);
  const beyond = value - below;
  if (beyond === 0.5) return below + (below % 2 === 0 ? 0 : 1);
  return beyond < 0.5 ? below : below + 1;
}

/** Everything done so far, as the rules count it. */
function spent(plan, state) {
  const byTag = new Map(plan.rules.cap.map((cap, n) => [cap.tag, usedMs(plan, state, n)]));
  const byTechnique = new Map();
  plan.steps.forEach((step, i) => {
    if (!handsOn(step) || !step.technique) return;
    byTechnique.set(step.technique, (byTechnique.get(step.technique) ?? 0) + state.done[i]);
  });
  return { totalMs: sum([...byTechnique.values()]), byTechnique, byTag };
}
