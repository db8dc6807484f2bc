// Which key does what: the usual keys of keyboards, pedals and clickers, and those that were learned.
const KEPT = "bound-keys";
const USUAL = {
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

export const boundKeys = {
  get learned() {
    try {
      return JSON.parse(localStorage.getItem(KEPT)) ?? {};
    } catch {
      return {};
    }
  },

  /** The act a key is bound to; learned keys win. Undefined for a key without meaning. */
  actOf({ key, code }) {
    const learned = boundKeys.learned;
    return learned[key] ?? learned[code] ?? USUAL[key] ?? USUAL[key.toLowerCase()];
  },

  learn(key, act) {
    localStorage.setItem(KEPT, JSON.stringify({ ...boundKeys.learned, [key]: act }));
  },

  forget(key) {
    const { [key]: _, ...rest } = boundKeys.learned;
    localStorage.setItem(KEPT, JSON.stringify(rest));
  },
};
