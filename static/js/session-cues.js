// Which cue comes when: pure, from the rows of the plan and what each step says.
const HALF_FROM_MS = 40_000;
const TEN_FROM_MS = 25_000;
const TEN_MS = 10_000;
const LINE_MS = 3_000; // a line would be cut off by another one that comes sooner

/**
 * The cues of one row, in order: { at, chime, say, always }.
 * `row` has id, begins, ends (server ms; null: it waits), wait; `speech` its words; `total` the
 * whole length of the step in ms; `last` is true for the last row.
 */
export function cuesOf(row, speech, total, last) {
  if (row.ends === null) return [];
  const began = row.ends - total;
  const own = speech.cues.map(([at, say]) => ({ at: instant(at, began, row.ends, total), say }));
  const cues = [];
  if (speech.hands && total >= HALF_FROM_MS) cues.push({ at: began + total / 2, chime: "half" });
  if (speech.hands && total >= TEN_FROM_MS) {
    const ten = { at: row.ends - TEN_MS, chime: "ten" };
    const alone = own.every(({ at }) => Math.abs(at - ten.at) >= LINE_MS);
    cues.push(alone ? { ...ten, say: "Ten seconds." } : ten);
  }
  const ending = last || row.wait || speech.lastHands;
  cues.push({ at: row.ends, chime: ending ? "end" : "change", always: speech.rest });
  return [...cues, ...own].sort((a, b) => a.at - b.at);
}

function instant(at, began, ends, total) {
  if (at === "half") return began + total / 2;
  return at < 0 ? ends + at * 1000 : began + at * 1000;
}

/** The cues of all `rows`, each with a key by which it is known again after the plan was made anew. */
export function cuesAhead(rows, speech, total) {
  return rows.flatMap((row, i) => {
    if (!speech[row.id]) return [];
    const whole = i ? row.ends - row.begins : total;
    return cuesOf(row, speech[row.id], whole, i === rows.length - 1).map((cue) => ({
      ...cue,
      key: `${row.id} ${Math.round(cue.at / 1000)} ${cue.chime ?? cue.say}`,
    }));
  });
}

/** Minutes and seconds as one says them. */
export function spokenTime(ms) {
  const all = Math.ceil(ms / 1000);
  const [minutes, seconds] = [Math.floor(all / 60), all % 60];
  const words = [];
  if (minutes) words.push(minutes === 1 ? "1 minute" : `${minutes} minutes`);
  if (seconds || !minutes) words.push(seconds === 1 ? "1 second" : `${seconds} seconds`);
  return `${words.join(" ")} left.`;
}
