// <pre-flight>: before hands get oily, one line for each thing that can fail, put right in place; none blocks.
import { Sound, Voice, audioSession } from "../audio/output.js";
import { canKeepPages, sessionStore } from "../offline/session-store.js";
import { cookies, localStore, preferences } from "../page/preferences.js";
import { awakeBy } from "./screen-awake.js";

const REFUSED = "Refused now: plug in, leave the battery saver, or set the screen to stay on.";
const SCREEN = {
  video: ["Kept on by a silent video. If it goes dark all the same: set the screen to stay on.", "fine"],
  none: ["This page cannot keep it on: set the screen to stay on.", "open"],
};
const HEARD = "Heard it? If not: volume up";
const LOW_BATTERY = 0.2;
const SLOW_LINK_MS = 1_000;
const ACTS = "What is done without the server: do not reload or close this page then.";
const SETTINGS = "Settings, learned keys.";

/** One line: what is known, a question whether it was heard or felt, a button that puts it right. */
class CheckLine {
  #element;
  #fix = null;
  #act = () => {};

  constructor(element) {
    this.#element = element;
  }

  set hidden(hidden) {
    this.#element.hidden = hidden;
  }

  /** `state` is "open" or "fine". */
  show(text, state) {
    this.#element.dataset.state = state;
    this.#element.querySelector(".check-text").textContent = text;
  }

  /** Only the person can say whether it worked. */
  ask(text) {
    this.show(text, "open");
    this.#question.hidden = false;
  }

  close(text) {
    this.show(text, "fine");
    this.#question.hidden = true;
  }

  get #question() {
    return this.#element.querySelector('[data-check^="heard-"]');
  }

  /** A button that puts it right; none without `words`. */
  offer(words, act) {
    this.#act = act;
    if (!this.#fix && words) this.#fix = this.#newButton();
    if (!this.#fix) return;
    this.#fix.hidden = !words;
    this.#fix.textContent = words ?? "";
  }

  #newButton() {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button" });
    button.addEventListener("click", () => this.#act());
    this.#element.append(" ", button);
    return button;
  }
}

async function checkLink(line) {
  const start = performance.now();
  try {
    const response = await fetch(`${document.querySelector("#session").dataset.path}/live`, { cache: "no-store" });
    if (!response.ok) throw new Error(response.status);
    const ms = Math.round(performance.now() - start);
    line.show(ms < SLOW_LINK_MS ? `Good, ${ms} ms.` : `Slow, ${ms} ms; the countdown stays right.`, "fine");
  } catch {
    line.show("No answer from the server. Is the network on?", "open");
  }
}

/** What goes on without the server; over plain http less, and `how` tells why. `refused` names what is not stored. */
async function checkOffline(line, how, refused) {
  refused.hidden = true;
  const storesActs = localStore.works && (await sessionStore.works());
  const missing = [storesActs ? "" : ACTS, cookies.work && localStore.works ? "" : SETTINGS].filter(Boolean);
  refused.show(missing.join(" "), "open");
  refused.hidden = !missing.length;
  const reloads = storesActs && (await canKeepPages());
  how.hidden = reloads || !storesActs;
  if (reloads) line.show("Goes on, also after a reload.", "fine");
  else if (isSecureContext) line.show("Goes on, but no reload.", "open");
  else line.show("Goes on, but no reload and no install: plain http.", "open");
}

/** Shown only while it is low. Browsers say nothing over plain http. */
async function watchBattery(line, on) {
  line.hidden = true;
  const battery = await navigator.getBattery?.().catch(() => null);
  if (!battery) return;
  const update = () => {
    line.hidden = battery.charging || battery.level >= LOW_BATTERY;
    line.show(`${Math.round(battery.level * 100)} %. Plug it in.`, "open");
  };
  for (const name of ["chargingchange", "levelchange"]) on(battery, name, update);
  update();
}

class PreFlight extends HTMLElement {
  #sound = new Sound();
  #voice = new Voice();
  #lines = {};
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    for (const line of this.querySelectorAll("[data-line]")) this.#lines[line.dataset.line] ??= new CheckLine(line);
    on(document, "stage:timeline", (e) => (this.hidden = e.detail.status !== "ready"));
    on(this, "click", (e) => this.#pressed(e.target.closest("[data-check]")?.dataset.check));
    on(document, "device:changed", (e) => {
      if (e.detail === "sound") this.#checkSound();
      if (e.detail === "vibration") this.#checkVibration();
    });
    on(document, "visibilitychange", () => this.hidden || this.#checkScreen());
    for (const name of ["online", "offline"]) on(window, name, () => checkLink(this.#lines.link));
    this.hidden = false;
    this.#checkSound();
    this.#checkVibration();
    this.#checkScreen();
    checkLink(this.#lines.link);
    checkOffline(this.#lines.alone, this.querySelector("[data-how]"), this.#lines.kept);
    watchBattery(this.#lines.battery, on);
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #checkSound() {
    const { sound, voice } = this.#lines;
    const mode = preferences.get("sound");
    if (mode === "silent") this.#off(sound, "Silent is chosen, but for the end of a rest.", "Voice on", "sound", "voice");
    else this.#open(sound, "Not heard yet.");
    if (!this.#voice.exists) voice.show("This browser has none; chimes stand in.", "fine");
    else if (mode === "voice") this.#open(voice, "Not heard yet.");
    else this.#off(voice, "Not chosen.", "Voice on", "sound", "voice");
  }

  #checkVibration() {
    const { vibration } = this.#lines;
    if (!("vibrate" in navigator)) vibration.show("This device has none for pages.", "fine");
    else if (preferences.get("vibration") === "on") this.#open(vibration, "Not felt yet.");
    else this.#off(vibration, "Off is chosen.", "Turn it on", "vibration", "on");
  }

  #open(line, text) {
    line.show(text, "open");
    line.offer();
  }

  /** A preference has turned it off, and a button turns it on. */
  #off(line, text, button, name, value) {
    line.show(text, "fine");
    line.offer(button, () => preferences.set(name, value));
  }

  #pressed(check) {
    if (check === "sound") this.#playChime();
    if (check === "voice") this.#speak();
    if (check === "vibration") {
      navigator.vibrate?.([200, 100, 200]);
      this.#lines.vibration.ask("Felt it?");
    }
    if (check === "link") checkLink(this.#lines.link);
    if (check?.startsWith("heard-")) this.#lines[check.slice(6)].show("Works.", "fine");
  }

  /** Where the browser can say so, one tap sounds in silent mode too. */
  async #playChime() {
    await this.#sound.unlock();
    this.#sound.chime("change");
    const quiet = navigator.audioSession && preferences.get("loud") !== "on";
    this.#lines.sound.ask(quiet ? `${HEARD}, silent switch off, or:` : `${HEARD}, silent switch off.`);
    if (quiet) this.#lines.sound.offer("Sound all the same", () => this.#playLoud());
  }

  #playLoud() {
    preferences.set("loud", "on");
    audioSession.rest();
    this.#playChime();
  }

  #speak() {
    const { voice } = this.#lines;
    this.#voice.say("Left calf. Lift, roll and let go.", () => voice.close("No voice here; chimes stand in."));
    voice.ask(`${HEARD}, silent switch off.`);
  }

  #checkScreen() {
    if (awakeBy() !== "lock") return this.#lines.screen.show(...SCREEN[awakeBy()]);
    this.#lines.screen.offer("Try it", () => this.#tryLock("Works.", REFUSED));
    if (!document.hidden) this.#tryLock("Stays on by itself.", "May go dark. Try it.");
  }

  /** Only what was tried is said to work. */
  async #tryLock(works, refused) {
    try {
      await (await navigator.wakeLock.request("screen")).release();
      this.#lines.screen.show(works, "fine");
    } catch {
      this.#lines.screen.show(refused, "open");
    }
  }
}

customElements.define("pre-flight", PreFlight);
