// What this device keeps for our pages by name: the only script that touches these stores. A browser may refuse
// at any call, also at reading the property (site data blocked, a private window, no room left). What is refused
// lives as long as this page.
const SAMPLE = "sample";

class Shelf {
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

  /** Null takes it away. True where that outlives the page. */
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

  /** Tried out, since there is no other way to know. */
  get keeps() {
    const kept = this.set(SAMPLE, SAMPLE);
    this.set(SAMPLE, null);
    return kept;
  }
}

/** For as long as the browser keeps it. */
export const lasting = new Shelf("localStorage");
/** For as long as the tab is open. */
export const forTab = new Shelf("sessionStorage");

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

  get keeps() {
    const kept = cookies.set(SAMPLE, SAMPLE, 60);
    cookies.set(SAMPLE, "", 0);
    return kept;
  },
};
