// Loads what brings a page to life once the page has been seen: neither its bytes nor its work keep
// anybody from reading. All are fetched at once and run in the order in which they stand; then the
// document hears "page:alive". A button of the stage that is pressed before that is pressed then, or,
// where they do not come in time, as a plain button of a form.
const LATEST_MS = 1_000;
const PATIENCE_MS = 2_000;

const own = document.querySelector("script[data-then]");
own.served = document.documentElement.outerHTML; // before anything changes it; keep-offline.js wants it
const scripts = own.dataset.then.split(" ");
const pressed = new Set();
let begun = false;

function fetchAhead(address) {
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.nonce = own.nonce;
  link.href = address;
  document.head.append(link);
}

async function begin() {
  if (begun) return;
  begun = true;
  scripts.slice(1).forEach(fetchAhead);
  for (const address of scripts) await import(address).catch(reportError);
  setTimeout(alive); // htmx begins by such a timer, too
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
// What nobody looks at is never painted, and has to sound all the same.
if (document.hidden) {
  begin();
} else {
  new PerformanceObserver(begin).observe({ type: "paint", buffered: true });
  setTimeout(begin, LATEST_MS);
}
