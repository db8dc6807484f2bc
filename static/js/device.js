// The settings of this device: on the page they are data attributes of <html>, kept in one cookie.
const COOKIE = "device";
const NAMES = ["theme", "sound", "rate", "vibration", "flash", "speaker", "note"];
const KEPT_SECONDS = 365 * 24 * 3600;

export const device = {
  get: (name) => document.documentElement.dataset[name] ?? "",

  /** Counts at once, and is kept. */
  set(name, value) {
    document.documentElement.dataset[name] = value;
    const all = new URLSearchParams(NAMES.map((key) => [key, device.get(key)]));
    const secure = location.protocol === "https:" ? ";secure" : "";
    document.cookie = `${COOKIE}=${all};path=/;max-age=${KEPT_SECONDS};samesite=lax${secure}`;
  },
};
