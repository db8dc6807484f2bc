// One moment of a session as the stage works with it: from the server's fragment, or from the own rules.

export const pad = (n) => String(n).padStart(2, "0");
export const clockText = (s) => `${Math.floor(s / 60)}:${pad(s % 60)}`;

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `own-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** What the live part says; rows are [id, begins in ms, ends in ms, wait], from its `now` on. */
export function momentOf(live) {
  const data = live.dataset;
  const now = Number(data.now);
  const rows = JSON.parse(data.rows).map(([id, begins, ends, wait]) => row(now, { id, wait, begins, ends }));
  return {
    live, now, rows,
    status: data.status,
    seq: Number(data.seq),
    index: Number(data.index),
    waited: Number(data.waitedMs),
    planned: Number(data.plannedMs),
  };
}

/** What the rules make of all that is known here: a view of session-view.js. */
export function momentOfView(live, { state, rows, plannedMs }, seq) {
  const { at: now, status, index, waited } = state;
  return {
    live, now, status, seq, index, waited,
    rows: rows.map(({ id, wait, beginsIn, endsIn }) => row(now, { id, wait, begins: beginsIn, ends: endsIn })),
    planned: plannedMs,
  };
}

function row(now, { id, wait, begins, ends }) {
  return { id, wait, begins: now + begins, ends: ends === null ? null : now + ends };
}

/** For voice and chimes: what is shown, and what comes. `shown` is the row that the stage has come to. */
export function tellTimeline({ rows, status, planned }, shown, clock) {
  const first = rows[shown];
  const detail = {
    status,
    rows: rows.slice(shown),
    total: shown ? first.ends - first.begins : planned,
    now: () => clock.now(),
  };
  document.dispatchEvent(new CustomEvent("stage:timeline", { detail }));
}

/** The words of a change, for a screen reader. */
export function wordsOf(live) {
  const words = [live.querySelector(".step-name"), live.querySelector(".step-place")]
    .map((e) => e?.textContent.trim())
    .filter(Boolean);
  return (live.dataset.status === "paused" ? ["Paused", ...words] : words).join(", ");
}
