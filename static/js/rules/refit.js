// New times for the remaining phases, so that hands-on work ends on time. Same rules and names as
// webapp/domain/refit.py and `ladder` of webapp/domain/plan.py; tests/cases/session.json holds both.
import { countedMs, handsOn, isMove, sum } from "./counting.js";
import { entryStatus } from "./session.js";

export const GRID_MS = 5_000;

/**
 * Every reachable allocation in grid steps, from the shortest total upwards, one step apart. A share
 * rule that cannot hold only says which phases come first.
 * A part is { technique, tags, low, high, usual, spentMs, oddMs }; `spent` is { totalMs,
 * byTechnique, byTag }, the last two Maps to ms.
 */
function ladder(parts, rules, mostSeconds, spent) {
  const rung = parts.map((part) => part.low);
  const odd = sum(parts.map((part) => part.oddMs)) + spent.totalMs;
  const fits = () => (sum(rung) + 1) * GRID_MS + odd <= mostSeconds * 1000;
  while (fits()) {
    const wanted = wantedFirst(parts, rung, rules, spent);
    if (!wanted.length) break;
    rung[mostBehind(parts, rung, wanted)] += 1;
  }
  const rungs = [[...rung]];
  while (fits()) {
    const candidates = room(parts, rung, rules.cap, spent);
    if (!candidates.length) break;
    const keeping = candidates.filter((i) => keepsShares(parts, rung, i, rules.share, spent));
    rung[mostBehind(parts, rung, keeping.length ? keeping : candidates)] += 1;
    rungs.push([...rung]);
  }
  return rungs;
}

/** The phases that help the first share rule that does not hold. */
function wantedFirst(parts, rung, rules, spent) {
  const behind = rules.share.find((share) => !holds(parts, rung, share, spent));
  if (!behind) return [];
  const candidates = room(parts, rung, rules.cap, spent);
  return candidates.filter((i) => parts[i].technique === behind.technique);
}

/** The phases that may get one grid step more without passing their maximum or a cap. */
function room(parts, rung, caps, spent) {
  const isFull = ({ tag, seconds }) => taggedMs(parts, rung, tag, spent) + GRID_MS > seconds * 1000;
  const full = caps.filter(isFull).map((cap) => cap.tag);
  return [...parts.keys()].filter(
    (i) => rung[i] < parts[i].high && !full.some((tag) => parts[i].tags.includes(tag)),
  );
}

/** The phase whose next half grid step is the smallest fraction of its usual time. */
function mostBehind(parts, rung, among) {
  const lag = (i) => (2 * (parts[i].spentMs + timeMs(parts[i], rung[i])) + GRID_MS) / parts[i].usual;
  return among.reduce((best, i) => (lag(i) < lag(best) ? i : best));
}

const timeMs = (part, steps) => steps * GRID_MS + part.oddMs;

/** True when the technique has more than its fraction, exactly, of the whole hands-on time. */
function holds(parts, rung, { technique, moreThan }, spent) {
  const times = parts.map((part, i) => timeMs(part, rung[i]));
  const total = spent.totalMs + sum(times);
  const own = sum(times.filter((_, i) => parts[i].technique === technique));
  const had = spent.byTechnique.get(technique) ?? 0;
  const [numerator, denominator = 1n] = moreThan.split("/").map(BigInt);
  return BigInt(own + had) * denominator > numerator * BigInt(total);
}

/** True when one grid step more for phase `more` leaves every share rule standing. */
function keepsShares(parts, rung, more, shares, spent) {
  const trial = rung.map((steps, i) => steps + (i === more));
  return shares.every((share) => holds(parts, trial, share, spent));
}

/** Used and planned time of all phases with `tag`. */
function taggedMs(parts, rung, tag, spent) {
  const times = parts.map((part, i) => (part.tags.includes(tag) ? timeMs(part, rung[i]) : 0));
  return sum(times) + (spent.byTag.get(tag) ?? 0);
}

const FAR_AWAY = 2 ** 52; // as the server: room without a cap

/** Without a phase that is used up and only waits. */
export function phasesAhead(plan, state) {
  const waits = state.status !== "ready" && entryStatus(plan, state.left, state.index) === "waiting";
  return [...plan.steps.keys()].filter(
    (i) => handsOn(plan.steps[i]) && i >= state.index + (waits ? 1 : 0),
  );
}

/**
 * New remaining times [[step id, ms], ...] of the steps ahead, so that hands-on work ends in `untilEndMs`, or as near to
 * it as the rules come. Where the time is too short, phases that the plan can do without get none, as few as will do.
 */
export function refit(plan, state, untilEndMs) {
  const ahead = phasesAhead(plan, state);
  let best = null;
  for (const gone of choices(plan, state, ahead)) {
    const trial = leavingOut(plan, state, gone);
    const stay = ahead.filter((i) => !gone.has(i));
    const { leftMs, over, off, passed } = fitted(plan, trial, stay, untilEndMs);
    const found = new Map([...trial.left.entries()].filter(([i, ms]) => ms !== state.left[i] || gone.has(i)));
    stay.forEach((i, n) => found.set(i, leftMs[n]));
    const event = [...found].sort(([a], [b]) => a - b).map(([i, ms]) => [plan.steps[i].id, ms]);
    if (!over && passed < GRID_MS) return event;
    if (!best || nearer({ over, off }, best)) best = { event, over, off };
  }
  return best.event;
}

/** Less and less to stay. An entry goes or comes back as a whole, while all of it lies ahead. Never all phases. */
function choices(plan, state, ahead) {
  const entries = plan.leaveOut.map((entry) => entry.map((id) => plan.steps.findIndex((step) => step.id === id)));
  const onTheWay = (i) => i === state.index + 1 && isMove(plan.steps[state.index]);
  const untouched = (i) => ahead.includes(i) && i > state.index && !onTheWay(i) && !state.attempt[i];
  const free = entries.filter((entry) => entry.every(untouched));
  const fixed = entries.filter((entry) => !free.includes(entry)).flat();
  const found = [new Set(fixed.filter((i) => !state.planned[i] && ahead.includes(i)))];
  for (const entry of free) {
    const gone = new Set([...found.at(-1), ...entry]);
    if (ahead.some((i) => !gone.has(i))) found.push(gone);
  }
  return found;
}

/** No time for `gone` and the moves to it; other such moves have theirs. */
function leavingOut(plan, state, gone) {
  const mayGo = new Set(plan.leaveOut.flat());
  const [left, planned] = [[...state.left], [...state.planned]];
  for (let i = state.index + 1; i < plan.steps.length; i += 1) {
    if (!mayGo.has(plan.steps[i].id)) continue;
    if (gone.has(i)) left[i] = 0;
    const move = i - 1;
    if (move <= state.index || !isMove(plan.steps[move]) || !(gone.has(i) || !planned[move])) continue;
    left[move] = planned[move] = gone.has(i) ? 0 : plan.steps[move].seconds * 1000;
  }
  return { ...state, left, planned };
}

/** The times of the phases `ahead`, and by how many ms the session and the wish are passed. */
function fitted(plan, state, ahead, untilEndMs) {
  const wish = Math.max(0, untilEndMs - othersMs(plan, state, ahead.at(-1)));
  const most = plan.sessionMaxSeconds * 1000 - spent(plan, state).totalMs;
  let best = null;
  for (const odd of oddsOf(plan, state, ahead, wish, most)) {
    const leftMs = allotted(plan, state, partsAhead(plan, state, ahead, odd), wish);
    const total = sum(leftMs);
    const option = { leftMs, over: Math.max(0, total - most), off: Math.abs(total - wish), passed: total - wish };
    if (!best || nearer(option, best)) best = option;
    if (!best.over && !best.off) break;
  }
  return best;
}

const nearer = (a, b) => a.over < b.over || (a.over === b.over && a.off < b.off);

/** The remaining time of the steps before the `last` phase that are not phases. */
function othersMs(plan, state, last) {
  const others = [...plan.steps.keys()].slice(state.index, last).filter((i) => !handsOn(plan.steps[i]));
  return sum(others.map((i) => state.left[i]));
}

/** The odd milliseconds worth trying for the current phase. */
function oddsOf(plan, state, ahead, wish, most) {
  if (ahead[0] !== state.index) return [0];
  const begun = sum(partsAhead(plan, state, ahead, 0).slice(1).map((part) => part.oddMs));
  const ends = [wish - begun, most - begun, ...endsOf(plan, state, ahead[0])];
  return new Set(ends.map((end) => mod(end, GRID_MS)));
}

/** Ms of each part, their sum as near to `wish` as the ladder comes. */
function allotted(plan, state, parts, wish) {
  const rungs = ladder(parts, plan.rules, plan.sessionMaxSeconds, spent(plan, state));
  const steps = round((wish - sum(parts.map((part) => part.oddMs))) / GRID_MS);
  const rung = rungs[Math.min(Math.max(steps - sum(rungs[0]), 0), rungs.length - 1)];
  return parts.map((part, i) => rung[i] * GRID_MS + part.oddMs);
}

/** A cap goes before a phase's minimum; earlier phases are served first. */
function partsAhead(plan, state, ahead, odd) {
  const space = plan.rules.cap.map((cap, n) => cap.seconds * 1000 - countedMs(plan, state, n));
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

/** Least and most that the current phase may still have, and the room that its caps leave. */
function endsOf(plan, state, index) {
  const step = plan.steps[index];
  const leftOf = (n) => plan.rules.cap[n].seconds * 1000 - countedMs(plan, state, n);
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
    usual: Math.max(1, round((step.seconds * 1000) / GRID_MS)),
    spentMs: had,
    oddMs,
  };
}

const stepsUp = (ms) => Math.ceil(Math.max(0, ms) / GRID_MS);

const mod = (value, by) => ((value % by) + by) % by;

/** Half to even, as Python rounds. */
function round(value) {
  const below = Math.floor(value);
  const beyond = value - below;
  if (beyond === 0.5) return below + (below % 2 === 0 ? 0 : 1);
  return beyond < 0.5 ? below : below + 1;
}

function spent(plan, state) {
  const byTag = new Map(plan.rules.cap.map((cap, n) => [cap.tag, countedMs(plan, state, n)]));
  const byTechnique = new Map();
  plan.steps.forEach((step, i) => {
    if (!handsOn(step) || !step.technique) return;
    byTechnique.set(step.technique, (byTechnique.get(step.technique) ?? 0) + state.done[i]);
  });
  return { totalMs: sum([...byTechnique.values()]), byTechnique, byTag };
}
