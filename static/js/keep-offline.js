// Keeps this page and its files for a reload without the server, where a browser lets a page do that.
const WORKER = "/worker.js";

const policy = globalThis.trustedTypes?.createPolicy("steady-hands", {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError(`not our worker: ${url}`);
    return url;
  },
});

/** True where a reload without the server brings the session back. */
export const canKeep = () => "serviceWorker" in navigator;

const register = () => navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);

/** Whether it is so here: a browser refuses behind a certificate that was only clicked through. */
export async function keeps() {
  if (!canKeep()) return false;
  return Boolean(await register().catch(() => false));
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

/** Keep the page at `path`, which is this one, with all the files that it has loaded. */
export async function keepOffline(path) {
  if (!canKeep() || document.documentElement.dataset.kept) return;
  const files = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  const ours = [...new Set(files.filter((name) => name.startsWith("/static/")))];
  (await worker()).postMessage({ keep: [path, ...ours], page: asServed() });
}

/** The session at `path` is over. */
export async function dropOffline(path) {
  const found = canKeep() && (await navigator.serviceWorker.getRegistration());
  if (found) found.active?.postMessage({ drop: path });
}
