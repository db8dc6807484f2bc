// Which key does what: the usual keys of keyboards, pedals and clickers, and those that were learned.
import { lasting } from "./device-store.js";

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
      return JSON.parse(lasting.get(KEPT)) ?? {};
    } catch {
      return {};
    }
  },

  /** The act a key is bound to; learned keys win. Undefined for a key without meaning. */
  actOf({ key, code }) {
    const learned = boundKeys.learned;
    return learned[key] ?? learned[code] ?? USUAL[key] ?? USUAL[key.toLowerCase()];
  },

  /** True where it outlives the page. */
  learn(key, act) {
    return lasting.set(KEPT, JSON.stringify({ ...boundKeys.learned, [key]: act }));
  },

  /** As `learn`. */
  forget(key) {
    const { [key]: _, ...rest } = boundKeys.learned;
    return lasting.set(KEPT, JSON.stringify(rest));
  },
};
