// What this device stores for our pages by name, its preferences among that: the only script that touches these
// stores. A browser may refuse at any call, also when the property is read (site data blocked, a private window, no
// room left). What is refused lives as long as the page.
const SAMPLE = "sample";

class BrowserStore {
  #name;
  #memory = new Map();

  constructor(name) {
    this.#name = name;
  }

  /** Null for what is not there. */
  get(key) {
    if (this.#memory.has(key)) return this.#memory.get(key);
    try {
      return globalThis[this.#name].getItem(key);
    } catch {
      return null;
    }
  }

  /** Null removes it. True where the change outlives the page. */
  set(key, value) {
    try {
      const store = globalThis[this.#name];
      if (value === null) store.removeItem(key);
      else store.setItem(key, value);
      this.#memory.delete(key);
      return true;
    } catch {
      this.#memory.set(key, value);
      return false;
    }
  }

  /** Tries it out: there is no other way to know. */
  get works() {
    const stored = this.set(SAMPLE, SAMPLE);
    this.set(SAMPLE, null);
    return stored;
  }
}

export const localStore = new BrowserStore("localStorage");
export const tabStore = new BrowserStore("sessionStorage");

export const cookies = {
  /** Undefined for one that is not there. */
  get(name) {
    try {
      return document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
    } catch {
      return undefined;
    }
  },

  /** True where the browser took it. */
  set(name, value, seconds) {
    const secure = location.protocol === "https:" ? ";secure" : "";
    try {
      document.cookie = `${name}=${value};path=/;max-age=${seconds};samesite=lax${secure}`;
    } catch {
      return false;
    }
    return cookies.get(name) === String(value);
  },

  get work() {
    const stored = cookies.set(SAMPLE, SAMPLE, 60);
    cookies.set(SAMPLE, "", 0);
    return stored;
  },
};

const COOKIE = location.protocol === "https:" ? "__Host-device" : "device";
const NAMES = ["theme", "countdown", "sound", "rate", "vibration", "flash", "loud", "headset", "speaker", "note",
  "zone", "emergency"];
const COOKIE_SECONDS = 365 * 24 * 3600;

const values = document.documentElement.dataset;

function change(name, value) {
  if (values[name] === value) return;
  values[name] = value;
  document.dispatchEvent(new CustomEvent("device:changed", { detail: name }));
}

export const preferences = {
  get: (name) => values[name] ?? "",

  /** As it is stored now: a page that lay in a cache may be older. */
  stored: (name) => new URLSearchParams(cookies.get(COOKIE) ?? "").get(name) ?? preferences.get(name),

  /** Counts at once; true where it is stored. */
  set(name, value) {
    change(name, value);
    const before = new URLSearchParams(cookies.get(COOKIE) ?? "");
    const all = new URLSearchParams(NAMES.map((key) => [key, before.get(key) ?? preferences.get(key)]));
    all.set(name, value);
    return cookies.set(COOKIE, all, COOKIE_SECONDS);
  },
};

// The server chooses the emergency number by it.
const { timeZone = "" } = Intl.DateTimeFormat().resolvedOptions();
if (preferences.stored("zone") !== timeZone) preferences.set("zone", timeZone);

/** A page out of the back/forward cache may be older than the preferences. */
addEventListener("pageshow", (event) => {
  const cookie = cookies.get(COOKIE);
  if (!event.persisted || !cookie) return;
  const stored = new URLSearchParams(cookie);
  for (const name of NAMES) if (stored.has(name)) change(name, stored.get(name));
});

const LEARNED = "bound-keys";
const USUAL_KEYS = {
  " ": "toggle",
  Enter: "toggle",
  MediaPlayPause: "toggle",
  ArrowRight: "next",
  ArrowDown: "next",
  PageDown: "next",
  MediaTrackNext: "next",
  ArrowLeft: "back",
  ArrowUp: "back",
  PageUp: "back",
  MediaTrackPrevious: "back",
  s: "step",
  t: "time",
  u: "undo",
};

/** The usual keys of keyboards, pedals and clickers, and those that were learned. */
export const keyBindings = {
  get learned() {
    try {
      return JSON.parse(localStore.get(LEARNED)) ?? {};
    } catch {
      return {};
    }
  },

  /** Learned keys win. Undefined for a key without meaning. */
  actFor({ key, code }) {
    const learned = keyBindings.learned;
    return learned[key] ?? learned[code] ?? USUAL_KEYS[key] ?? USUAL_KEYS[key.toLowerCase()];
  },

  /** True where it outlives the page. */
  learn(key, act) {
    return localStore.set(LEARNED, JSON.stringify({ ...keyBindings.learned, [key]: act }));
  },

  forget(key) {
    const { [key]: _, ...rest } = keyBindings.learned;
    return localStore.set(LEARNED, JSON.stringify(rest));
  },
};
