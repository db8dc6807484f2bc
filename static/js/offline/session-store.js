// Stores sessions on this device, so that a reload without the server loses nothing: events and acts in IndexedDB,
// the page and its files by the service worker. <kept-list> shows them on the offline page.
const DATABASE = "steady-hands";
const STORE = "sessions";
const TIMEOUT_MS = 3_000;

const openDatabase = () =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "path" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** A full device fails only at the end of the transaction. */
const completed = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });

/** Null where the browser refuses: the open page goes on without the store. */
async function transact(mode, act) {
  try {
    const database = await openDatabase();
    try {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      await completed(transaction);
      return request.result;
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

const timeout = () => new Promise((resolve) => setTimeout(resolve, TIMEOUT_MS, false));

export const sessionStore = {
  /** `record` has the session's address as `path`. True once it is stored. */
  put: async (record) => (await transact("readwrite", (store) => store.put(record))) !== null,
  get: (path) => transact("readonly", (store) => store.get(path)),
  all: async () => (await transact("readonly", (store) => store.getAll())) ?? [],
  delete: async (path) => (await transact("readwrite", (store) => store.delete(path))) !== null,

  /** Tries it out; some browsers never answer. */
  async works() {
    const sample = async () => (await sessionStore.put({ path: "" })) && sessionStore.delete("");
    return Promise.race([sample(), timeout()]);
  },
};

const WORKER = "/worker.js";
const SAMPLE = "/sample";

const policy = globalThis.trustedTypes?.createPolicy("steady-hands", {
  createScriptURL: (url) => {
    if (url !== WORKER) throw new TypeError(`not our worker: ${url}`);
    return url;
  },
});

const register = async () => navigator.serviceWorker.register(policy ? policy.createScriptURL(WORKER) : WORKER);

/** Tries it out: a browser refuses behind a certificate that was only clicked through, where site data is
 * blocked, and where there is no room. */
export async function canKeepPages() {
  try {
    const { active, waiting, installing } = await register();
    return (await isActivated(active ?? waiting ?? installing)) && (await hasRoom());
  } catch {
    return false;
  }
}

/** False for a worker that could not store what it needs. */
const isActivated = (worker) =>
  new Promise((resolve) => {
    const check = () => ["activated", "redundant"].includes(worker.state) && resolve(worker.state === "activated");
    worker.addEventListener("statechange", check);
    check();
  });

async function hasRoom() {
  const pages = await caches.open("pages");
  await pages.put(SAMPLE, new Response(SAMPLE));
  return pages.delete(SAMPLE);
}

async function activeWorker() {
  await register();
  return (await navigator.serviceWorker.ready).active;
}

/** This page as the server sent it, so that it need not be sent again; undefined where that is unknown. */
function servedPage() {
  const script = document.querySelector("script[data-then]");
  if (!script?.served || location.search) return undefined;
  const html = script.served.replaceAll('nonce=""', `nonce="${script.nonce}"`); // browsers hide nonces
  return { html: `<!doctype html>\n${html}`, nonce: script.nonce };
}

/** `path` is that of this page. Throws where the browser refuses. */
export async function keepPage(path) {
  if (document.documentElement.dataset.kept) return;
  const loaded = performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname);
  const files = new Set(loaded.filter((name) => name.startsWith("/static/")));
  (await activeWorker()).postMessage({ keep: [path, ...files], page: servedPage() });
}

export async function dropPage(path) {
  try {
    const registration = await navigator.serviceWorker.getRegistration();
    registration?.active?.postMessage({ drop: path });
  } catch {
    // Without a worker nothing was kept.
  }
}

class KeptList extends HTMLElement {
  #reload = () => location.reload();

  async connectedCallback() {
    addEventListener("online", this.#reload);
    const sessions = await sessionStore.all();
    this.querySelector("ul").replaceChildren(...sessions.map(({ path, title }) => listItem(path, title)));
    this.querySelector("p").hidden = sessions.length > 0;
  }

  disconnectedCallback() {
    removeEventListener("online", this.#reload);
  }
}

function listItem(path, title) {
  const link = document.createElement("a");
  link.className = "button button-main";
  link.href = path;
  link.textContent = title;
  const item = document.createElement("li");
  item.append(link);
  return item;
}

customElements.define("kept-list", KeptList);
