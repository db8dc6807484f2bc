// When hands come off and the client is up, by the clock on the server's wall.
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const mod = (value, by) => ((value % by) + by) % by;
const pad = (n) => String(n).padStart(2, "0");

/** Ms since midnight on the wall at `at`, in ms of the server's clock. */
const wallMs = ({ dataset }, at) => mod(Number(dataset.wall) + at - Number(dataset.now), DAY_MS);

/** Shows the times as they are at `at`, and `delayMs` later; returns the ms until they change where that grows. */
export function paintEnds(live, at, delayMs) {
  const left = [...live.querySelectorAll(".stage-end [data-in]")].map((time) => {
    const ms = wallMs(live, at + Number(time.dataset.in) + delayMs + 500); // rounded, as the server does
    const minutes = Math.floor(ms / MINUTE_MS);
    const text = `${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
    if (time.textContent !== text) time.textContent = text;
    return MINUTE_MS - (ms % MINUTE_MS);
  });
  return Math.min(MINUTE_MS, ...left);
}

/** From a view of rules/commands.js. */
export function renderEnds(live, { state, handsOnEndsIn, upIn, waitsAhead, waitsBeforeUp }) {
  renderEnd(live.querySelector(".end-hands"), handsOnEndsIn, waitsAhead);
  renderEnd(live.querySelector(".end-up"), upIn, waitsBeforeUp && !waitsAhead);
  paintEnds(live, state.at, 0);
}

function renderEnd(end, ms, about) {
  if (!end) return;
  end.hidden = ms === null;
  end.querySelector("strong").dataset.in = ms ?? 0;
  const words = end.querySelector("small");
  words.textContent = words.textContent.replace(/ about$/, "") + (about ? " about" : "");
}
