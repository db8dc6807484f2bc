// What this device keeps of running sessions, so that a reload without the server loses nothing.
const NAME = "steady-hands";
const STORE = "sessions";

const asked = (request) =>
  new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });

async function store(mode) {
  const opening = indexedDB.open(NAME, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "path" });
  const database = await asked(opening);
  return database.transaction(STORE, mode).objectStore(STORE);
}

/** Where a browser lets nothing be kept, nothing is kept: the page itself goes on. */
async function tried(mode, act) {
  try {
    return await asked(act(await store(mode)));
  } catch {
    return null;
  }
}

export const keptSessions = {
  /** `record` has the session's address as `path`. */
  keep: (record) => tried("readwrite", (kept) => kept.put(record)),
  of: (path) => tried("readonly", (kept) => kept.get(path)),
  all: () => tried("readonly", (kept) => kept.getAll()).then((found) => found ?? []),
  drop: (path) => tried("readwrite", (kept) => kept.delete(path)),
};
