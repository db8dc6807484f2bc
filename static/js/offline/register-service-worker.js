// Keeps this page and its files for a reload without the server, where a browser lets a page do that.
const WORKER = "/worker.js";
const SAMPLE = "/sample";

const policy = globalThis.trustedTypes?.createPolicy("steady-hands", {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError(`not our worker: ${url}`);
    return url;
  },
});

const register = async () => navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);

/** True where a reload without the server brings the page back, tried out: a browser refuses behind a certificate
 * that was only clicked through, where site data is blocked, and where there is no room. */
export async function keeps() {
  try {
    const { active, waiting, installing } = await register();
    return (await atWork(active ?? waiting ?? installing)) && (await hasRoom());
  } catch {
    return false;
  }
}

/** False for a worker that could not keep what it needs. */
const atWork = (worker) =>
  new Promise((done) => {
    const look = () => ["activated", "redundant"].includes(worker.state) && done(worker.state === "activated");
    worker.addEventListener("statechange", look);
    look();
  });

async function hasRoom() {
  const pages = await caches.open("pages");
  await pages.put(SAMPLE, new Response(SAMPLE));
  return pages.delete(SAMPLE);
}

async function worker() {
  await register();
  return (await navigator.serviceWorker.ready).active;
}

/** This page as the server sent it, so that it need not be sent again; undefined where that is not known. */
function asServed() {
  const script = document.querySelector("script[data-then]");
  if (!script?.served || location.search) return undefined;
  const html = script.served.replaceAll('nonce=""', `nonce="${script.nonce}"`); // browsers hide nonces
  return { html: `<!doctype html>\n${html}`, nonce: script.nonce };
}

/** Keep the page at `path`, which is this one, with all the files that it has loaded. Throws where the browser refuses. */
export async function keepOffline(path) {
  if (document.documentElement.dataset.kept) return;
  const files = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  const ours = [...new Set(files.filter((name) => name.startsWith("/static/")))];
  (await worker()).postMessage({ keep: [path, ...ours], page: asServed() });
}

/** The session at `path` is over. */
export async function dropOffline(path) {
  try {
    const found = await navigator.serviceWorker.getRegistration();
    found?.active?.postMessage({ drop: path });
  } catch {
    // Where there is no worker nothing was kept.
  }
}
