// The service worker: brings a kept session page back when the server cannot be reached. It is served at
// /worker.js, with VERSION, the version of the static files, in front.
const FILES = `files-${VERSION}`;
const PAGES = "pages";
const OFFLINE = "/offline";
const POLICY = "Content-Security-Policy";
const SESSION = /^\/sessions\/[\w-]+(\/remote|\/calm)?$/;
const MOST_PAGES = 6;
const PATIENCE_MS = 4_000;
const NOT_JOINED = 401;

addEventListener("install", (event) => {
  event.waitUntil(keepPage(OFFLINE).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(dropOld().then(() => clients.claim()));
});

addEventListener("message", (event) => {
  const { keep = [], page: given, drop } = event.data;
  if (drop) event.waitUntil(caches.open(PAGES).then((pages) => pages.delete(drop)));
  else event.waitUntil(Promise.all([keepPage(keep[0], given), ...keep.slice(1).map(keepFile)]));
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode === "navigate") event.respondWith(page(request, pathname));
});

async function dropOld() {
  for (const name of await caches.keys()) {
    if (name.startsWith("files-") && name !== FILES) await caches.delete(name);
  }
}

/** Undefined where the browser refuses, or has no room: what the server answers counts all the same. */
async function tried(act) {
  try {
    return await act();
  } catch {
    return undefined;
  }
}

/** A static file: its address changes with its content, so a kept one is right. */
async function file(request) {
  const kept = await tried(() => caches.match(request));
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.status === 200) await tried(async () => (await caches.open(FILES)).put(request, answer.clone()));
  return answer;
}

async function keepFile(name) {
  if (!(await caches.match(name))) await (await caches.open(FILES)).add(name);
}

/** A page from the server; without it the kept one, which is told that it is one. */
async function page(request, pathname) {
  let answer;
  try {
    answer = await Promise.race([fetch(request), tooLate()]);
  } catch {
    return (await tried(() => keptPage(pathname))) ?? Response.error();
  }
  if (answer.status === 200 && SESSION.test(pathname)) await tried(() => keepAnswer(pathname, answer.clone()));
  if (answer.status === NOT_JOINED) await tried(dropSessions);
  return answer;
}

async function keptPage(pathname) {
  const pages = await caches.open(PAGES);
  const kept = await pages.match(pathname);
  return kept ? marked(kept) : pages.match(OFFLINE);
}

const tooLate = () => new Promise((_, fail) => setTimeout(() => fail(new Error("too late")), PATIENCE_MS));

async function marked(kept) {
  const text = await kept.text();
  return new Response(text.replace("<html ", '<html data-kept="yes" '), { headers: kept.headers });
}

/** Keep a page and what it needs, for a day without the server: the one that is `given`, or fetched. */
async function keepPage(path, given) {
  const answer = (given && (await answerOf(given))) ?? (await fetch(path, { cache: "no-store" }));
  if (answer.status !== 200) return;
  const text = await answer.clone().text();
  await keepAnswer(path, answer);
  const files = new Set(text.match(/\/static\/[\w./-]+\.(css|js|svg)\b/g));
  await Promise.all([...files].map(keepFile));
}

/** An answer of the server with this page in it: all pages have the same headers, but for the nonce. */
async function answerOf({ html, nonce }) {
  const like = await (await caches.open(PAGES)).match(OFFLINE);
  const policy = like?.headers.get(POLICY);
  if (!policy?.includes("'nonce-")) return undefined;
  const headers = new Headers(like.headers);
  headers.set(POLICY, policy.replaceAll(/'nonce-[^']*'/g, `'nonce-${nonce}'`));
  return new Response(html, { headers });
}

/** This device is out: what it has seen of people goes. */
async function dropSessions() {
  const pages = await caches.open(PAGES);
  for (const kept of await pages.keys()) {
    if (SESSION.test(new URL(kept.url).pathname)) await pages.delete(kept);
  }
}

async function keepAnswer(path, answer) {
  const pages = await caches.open(PAGES);
  await pages.delete(path);
  await pages.put(path, answer);
  const kept = (await pages.keys()).filter(({ url }) => SESSION.test(new URL(url).pathname));
  for (const old of kept.slice(0, Math.max(0, kept.length - MOST_PAGES))) await pages.delete(old);
}
