// What this device keeps of running sessions, so that a reload without the server loses nothing.
const NAME = "steady-hands";
const STORE = "sessions";
const PATIENCE_MS = 3_000;

const opened = () =>
  new Promise((done, failed) => {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "path" });
    opening.onsuccess = () => done(opening.result);
    opening.onerror = () => failed(opening.error);
  });

/** Not before the whole transaction is through: a full device says so only then. */
const through = (transaction) =>
  new Promise((done, failed) => {
    transaction.oncomplete = done;
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });

/** Null where a browser refuses: the page itself holds all of it and goes on. */
async function tried(mode, act) {
  try {
    const database = await opened();
    try {
      const transaction = database.transaction(STORE, mode);
      const request = act(transaction.objectStore(STORE));
      await through(transaction);
      return request.result;
    } finally {
      database.close();
    }
  } catch {
    return null;
  }
}

const tooLate = () => new Promise((done) => setTimeout(done, PATIENCE_MS, false));

export const keptSessions = {
  /** `record` has the session's address as `path`. True once it is kept. */
  keep: async (record) => (await tried("readwrite", (kept) => kept.put(record))) !== null,
  of: (path) => tried("readonly", (kept) => kept.get(path)),
  all: () => tried("readonly", (kept) => kept.getAll()).then((found) => found ?? []),
  drop: async (path) => (await tried("readwrite", (kept) => kept.delete(path))) !== null,

  /** Whether anything can be kept; some browsers never answer. */
  async keeps() {
    const sample = async () => (await keptSessions.keep({ path: "" })) && keptSessions.drop("");
    return Promise.race([sample(), tooLate()]);
  },
};
