// One soft flash of the screen's edge at a change: by choice, never two within a second, never with reduced motion.
import { device } from "./device.js";

const LASTS_MS = 450;
const APART_MS = 1_000;
let flashedAt = -Infinity;

export function flash() {
  const now = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (device.get("flash") !== "on" || still || now - flashedAt < APART_MS) return;
  flashedAt = now;
  document.body.classList.add("flash");
  setTimeout(() => document.body.classList.remove("flash"), LASTS_MS);
}
