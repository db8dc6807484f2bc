// The lines of the pre-flight that look by themselves: the way to the server, what goes on without it, the battery.
import { cookies, lasting } from "./device-store.js";
import { keeps } from "./keep-offline.js";
import { keptSessions } from "./kept-sessions.js";

const LOW_BATTERY = 0.2;
const SLOW_LINK_MS = 1_000;
const ACTS = "What is done without the server: do not reload or close this page then.";
const SETTINGS = "Settings, learned keys.";

/** How long the server takes to answer, or that it does not. */
export async function checkLink(line) {
  const start = performance.now();
  try {
    const answer = await fetch(`${document.querySelector("#session").dataset.path}/live`, { cache: "no-store" });
    if (!answer.ok) throw new Error(answer.status);
    const ms = Math.round(performance.now() - start);
    line.tell(ms < SLOW_LINK_MS ? `Good, ${ms} ms.` : `Slow, ${ms} ms; the countdown stays right.`, "fine");
  } catch {
    line.tell("No answer from the server. Is the network on?", "open");
  }
}

/** What goes on while the server is away; over plain http less, with the way to change that. `refused` is shown
 * only where the browser keeps less than that. */
export async function checkAlone(line, how, refused) {
  refused.hidden = true;
  const keepsActs = lasting.keeps && (await keptSessions.keeps());
  const said = [keepsActs ? "" : ACTS, cookies.keeps && lasting.keeps ? "" : SETTINGS].filter(Boolean);
  refused.tell(said.join(" "), "open");
  refused.hidden = !said.length;
  const kept = keepsActs && (await keeps());
  how.hidden = kept || !keepsActs;
  if (kept) line.tell("Goes on, also after a reload.", "fine");
  else if (isSecureContext) line.tell("Goes on, but no reload.", "open");
  else line.tell("Goes on, but no reload and no install: plain http.", "open");
}

/** Shown only when it is low, and gone once it is plugged in. Not told over plain http. */
export async function watchBattery(line, on) {
  line.hidden = true;
  const battery = await navigator.getBattery?.().catch(() => null);
  if (!battery) return;
  const show = () => {
    line.hidden = battery.charging || battery.level >= LOW_BATTERY;
    line.tell(`${Math.round(battery.level * 100)} %. Plug it in.`, "open");
  };
  for (const name of ["chargingchange", "levelchange"]) on(battery, name, show);
  show();
}
