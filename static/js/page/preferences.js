// The settings of this device: on the page they are data attributes of <html>, kept in one cookie.
import { cookies } from "./device-store.js";

const COOKIE = location.protocol === "https:" ? "__Host-device" : "device";
const NAMES = ["theme", "countdown", "sound", "rate", "vibration", "flash", "loud", "headset", "speaker", "note"];
const KEPT_SECONDS = 365 * 24 * 3600;

const here = () => document.documentElement.dataset;

function put(name, value) {
  if (here()[name] === value) return;
  here()[name] = value;
  document.dispatchEvent(new CustomEvent("device:changed", { detail: name }));
}

export const device = {
  get: (name) => here()[name] ?? "",

  /** Counts at once; true where it is kept. */
  set(name, value) {
    put(name, value);
    const all = new URLSearchParams(NAMES.map((key) => [key, device.get(key)]));
    return cookies.set(COOKIE, all, KEPT_SECONDS);
  },
};

/** A page out of the back/forward cache may be older than the settings. */
addEventListener("pageshow", (event) => {
  const kept = cookies.get(COOKIE);
  if (!event.persisted || !kept) return;
  const found = new URLSearchParams(kept);
  for (const name of NAMES) if (found.has(name)) put(name, found.get(name));
});
