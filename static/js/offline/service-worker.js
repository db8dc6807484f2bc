// The service worker: brings back a stored session page when the server cannot be reached. It is served at
// /worker.js with VERSION, the version of the static files, in front. Open pages may be of an older version, so
// the names in messages stay: { keep: [path, ...files], page: { html, nonce } } or { drop: path }.
const FILES = `files-${VERSION}`;
const PAGES = "pages";
const OFFLINE = "/offline";
const POLICY = "Content-Security-Policy";
const SESSION = /^\/sessions\/[\w-]+(\/remote|\/calm)?$/;
const MAX_PAGES = 6;
const TIMEOUT_MS = 4_000;
const UNPAIRED = 401;

addEventListener("install", (event) => {
  event.waitUntil(storePage(OFFLINE).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(replaceOldFiles().then(() => clients.claim()));
});

addEventListener("message", (event) => {
  const { keep = [], page, drop } = event.data;
  if (drop) event.waitUntil(caches.open(PAGES).then((pages) => pages.delete(drop)));
  else event.waitUntil(Promise.all([storePage(keep[0], page), ...keep.slice(1).map(storeFile)]));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/static/")) event.respondWith(respondWithFile(request));
  else if (request.mode === "navigate") event.respondWith(respondWithPage(request, pathname));
});

/** An older worker may have stored files of this version, for a page that was loaded before this worker. */
async function replaceOldFiles() {
  const files = await caches.open(FILES);
  for (const name of await caches.keys()) {
    if (!name.startsWith("files-") || name === FILES) continue;
    const old = await caches.open(name);
    const current = (await old.keys()).filter(({ url }) => url.includes(`/static/${VERSION}/`));
    for (const request of current) await files.put(request, await old.match(request));
    await caches.delete(name);
  }
}

/** Undefined where the browser refuses or has no room: the server's response counts all the same. */
async function attempt(act) {
  try {
    return await act();
  } catch {
    return undefined;
  }
}

/** The address of a file changes with its content, so a stored one is right. */
async function respondWithFile(request) {
  const stored = await attempt(() => caches.match(request));
  if (stored) return stored;
  const response = await fetch(request);
  if (response.status === 200) await attempt(async () => (await caches.open(FILES)).put(request, response.clone()));
  return response;
}

async function storeFile(name) {
  if (!(await caches.match(name))) await (await caches.open(FILES)).add(name);
}

async function respondWithPage(request, pathname) {
  let response;
  try {
    response = await Promise.race([fetch(request), timeout()]);
  } catch {
    return (await attempt(() => storedPage(pathname))) ?? Response.error();
  }
  if (response.status === 200 && SESSION.test(pathname)) {
    await attempt(() => storeResponse(pathname, response.clone()));
  }
  if (response.status === UNPAIRED) await attempt(deleteSessions);
  return response;
}

async function storedPage(pathname) {
  const pages = await caches.open(PAGES);
  const stored = await pages.match(pathname);
  return stored ? markedAsKept(stored) : pages.match(OFFLINE);
}

const timeout = () => new Promise((_, reject) => setTimeout(() => reject(new Error("too late")), TIMEOUT_MS));

async function markedAsKept(stored) {
  const text = await stored.text();
  return new Response(text.replace("<html ", '<html data-kept="yes" '), { headers: stored.headers });
}

/** Stores a page and the files that it names: the `served` page, or a fetched one. */
async function storePage(path, served) {
  const response = (served && (await responseOf(served))) ?? (await fetch(path, { cache: "no-store" }));
  if (response.status !== 200) return;
  const text = await response.clone().text();
  await storeResponse(path, response);
  const files = new Set(text.match(/\/static\/[\w./-]+\.(css|js|svg)\b/g));
  await Promise.all([...files].map(storeFile));
}

/** All pages have the same headers, but for the nonce. */
async function responseOf({ html, nonce }) {
  const like = await (await caches.open(PAGES)).match(OFFLINE);
  const policy = like?.headers.get(POLICY);
  if (!policy?.includes("'nonce-")) return undefined;
  const headers = new Headers(like.headers);
  headers.set(POLICY, policy.replaceAll(/'nonce-[^']*'/g, `'nonce-${nonce}'`));
  return new Response(html, { headers });
}

/** This device is no longer paired: what it has stored of people goes. */
async function deleteSessions() {
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    if (SESSION.test(new URL(request.url).pathname)) await pages.delete(request);
  }
}

async function storeResponse(path, response) {
  const pages = await caches.open(PAGES);
  await pages.delete(path);
  await pages.put(path, response);
  const sessions = (await pages.keys()).filter(({ url }) => SESSION.test(new URL(url).pathname));
  for (const old of sessions.slice(0, Math.max(0, sessions.length - MAX_PAGES))) await pages.delete(old);
}
