// How a re-fit hands out time, 5 s at a time: `ladder` of webapp/domain/plan.py as a running session
// uses it (a share rule that cannot hold only says which phases come first). Pure.
import { sum } from "./session-time.js";

export const GRID_SECONDS = 5;
export const GRID_MS = GRID_SECONDS * 1000;

/**
 * Every reachable allocation in grid steps, from the shortest total upwards, one step apart.
 * A part is { technique, tags, low, high, usual, spentMs, oddMs }; `spent` is { totalMs,
 * byTechnique, byTag }, the last two Maps to ms.
 */
export function ladder(parts, rules, mostSeconds, spent) {
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

/** The phases that can help the first share rule which does not hold. */
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
