// Loads what brings a page to life once the page has been seen: neither its bytes nor its work keep
// anybody from reading. All are fetched at once and run in the order in which they stand.
const LATEST_MS = 1_000;

const own = document.querySelector("script[data-then]");
const scripts = own.dataset.then.split(" ");
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
}

// What nobody looks at is never painted, and has to sound all the same.
if (document.hidden) {
  begin();
} else {
  new PerformanceObserver(begin).observe({ type: "paint", buffered: true });
  setTimeout(begin, LATEST_MS);
}
