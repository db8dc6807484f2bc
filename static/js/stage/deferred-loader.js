// Loads the scripts of the stage after the first paint, so that they delay no reading. All are fetched at once and
// run in order; then the document gets "page:alive". A button of the stage that is pressed before is pressed then, or
// after PATIENCE_MS as a plain button of a form.
const LATEST_MS = 1_000;
const PATIENCE_MS = 2_000;

const own = document.querySelector("script[data-then]");
own.served = document.documentElement.outerHTML; // for session-store.js, before anything changes it
const scripts = own.dataset.then.split(" ");
const pressed = new Set();
let started = false;

function preload(address) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.nonce = own.nonce;
  link.href = address;
  document.head.append(link);
}

async function start() {
  if (started) return;
  started = true;
  scripts.toReversed().forEach(preload); // htmx, the largest, first
  for (const address of scripts) await import(address).catch(reportError);
  setTimeout(alive); // htmx starts by such a timer, too
}

function alive() {
  document.dispatchEvent(new Event("page:alive"));
  release();
}

function hold(event) {
  const button = event.target.closest("session-stage button");
  if (!button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!pressed.size) setTimeout(release, PATIENCE_MS);
  pressed.add(button);
}

function release() {
  document.removeEventListener("click", hold, true);
  for (const button of pressed) button.click();
  pressed.clear();
}

document.addEventListener("click", hold, true);
// A hidden page is never painted, but must sound all the same.
if (document.hidden) {
  start();
} else {
  new PerformanceObserver(start).observe({ type: "paint", buffered: true });
  setTimeout(start, LATEST_MS);
}
