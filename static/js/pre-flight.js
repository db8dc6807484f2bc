// <pre-flight>: before hands get oily, one line per thing that can fail, each put right in its place;
// none of them blocks.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";
import { awakeBy } from "./screen-awake.js";
import { Sound } from "./sound.js";
import { Voice } from "./voice.js";

const LOW_BATTERY = 0.2;
const SLOW_LINK_MS = 1_000;
const SCREEN = {
  lock: ["Stays on by itself.", "fine"],
  video: ["Kept on by a silent video. If it goes dark all the same: set the screen to stay on.", "fine"],
  none: ["This page cannot keep it on: set the screen to stay on.", "open"],
};
const HEARD = "Heard it? If not: volume up";

class PreFlight extends HTMLElement {
  #sound = new Sound();
  #voice = new Voice();
  #battery = null;
  #fixes = {};
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "stage:timeline", (e) => (this.hidden = e.detail.status !== "ready"));
    on(this, "click", (e) => this.#pressed(e.target.closest("[data-check]")?.dataset.check));
    on(document, "device:changed", () => this.#look());
    for (const name of ["online", "offline"]) on(window, name, () => this.#link());
    this.hidden = false;
    this.#line("battery").hidden = true;
    this.#look();
    this.#tell("screen", ...SCREEN[awakeBy()]);
    if (awakeBy() === "lock") this.#offer("screen", "Try it", () => this.#tryLock());
    this.#link();
    this.#watchBattery(on);
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  /** What the settings say of sound, voice and vibration. */
  #look() {
    const mode = device.get("sound");
    if (mode === "silent") this.#ask("sound", "Silent is chosen, but for the end of a rest.", "Voice on", "sound", "voice");
    else this.#ask("sound", "Not heard yet.");
    if (!this.#voice.exists) this.#tell("voice", "This browser has none; chimes stand in.", "fine");
    else if (mode === "voice") this.#ask("voice", "Not heard yet.");
    else this.#ask("voice", "Not chosen.", "Voice on", "sound", "voice");
    if (!("vibrate" in navigator)) this.#tell("vibration", "This device has none for pages.", "fine");
    else if (device.get("vibration") === "on") this.#ask("vibration", "Not felt yet.");
    else this.#ask("vibration", "Off is chosen.", "Turn it on", "vibration", "on");
  }

  /** A line that is open, or that a setting has closed and `button` opens again. */
  #ask(what, text, button, name, value) {
    this.#tell(what, text, button ? "fine" : "open");
    this.#offer(what, button, () => device.set(name, value));
  }

  #pressed(what) {
    if (what === "sound") this.#sound.unlock().then(() => this.#sound.chime("change")).then(() => this.#playedSound());
    if (what === "voice") this.#speak();
    if (what === "vibration") {
      navigator.vibrate?.([200, 100, 200]);
      this.#done(what, "Felt it?");
    }
    if (what === "link") this.#link();
    if (what?.startsWith("heard-")) this.#tell(what.slice(6), "Works.", "fine");
    if (what?.startsWith("fix-")) this.#fixes[what.slice(4)]();
  }

  /** Where the browser can say so, one tap sounds past the silent switch. */
  #playedSound() {
    const quiet = navigator.audioSession && device.get("loud") !== "on";
    this.#done("sound", quiet ? `${HEARD}, silent switch off, or:` : `${HEARD}, silent switch off.`);
    if (!quiet) return;
    this.#offer("sound", "Sound all the same", () => {
      device.set("loud", "on");
      besideMusic.rest();
      this.#pressed("sound");
    });
  }

  #speak() {
    this.#voice.say("Left calf. Lift, roll and let go.", () => {
      this.#tell("voice", "No voice here; chimes stand in.", "fine");
      this.#heardButton("voice").hidden = true;
    });
    this.#done("voice", `${HEARD}, silent switch off.`);
  }

  #done(what, text) {
    this.#tell(what, text, "open");
    this.#heardButton(what).hidden = false;
  }

  async #tryLock() {
    try {
      await (await navigator.wakeLock.request("screen")).release();
      this.#tell("screen", "Works.", "fine");
    } catch {
      this.#tell("screen", "Refused now: plug in, leave the battery saver, or set the screen to stay on.", "open");
    }
  }

  async #link() {
    const start = performance.now();
    try {
      const answer = await fetch(`${location.pathname}/live`, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const ms = Math.round(performance.now() - start);
      this.#tell("link", ms < SLOW_LINK_MS ? `Good, ${ms} ms.` : `Slow, ${ms} ms; the countdown stays right.`, "fine");
    } catch {
      this.#tell("link", "No answer from the server. Is the network on?", "open");
    }
  }

  async #watchBattery(on) {
    this.#battery = await navigator.getBattery?.().catch(() => null);
    if (!this.#battery) return;
    for (const name of ["chargingchange", "levelchange"]) on(this.#battery, name, () => this.#showBattery());
    this.#showBattery();
  }

  #showBattery() {
    const { charging, level } = this.#battery;
    this.#line("battery").hidden = charging || level >= LOW_BATTERY;
    this.#tell("battery", `${Math.round(level * 100)} %. Plug it in.`, "open");
  }

  #line(what) {
    return this.querySelector(`[data-line=${what}]`);
  }

  #heardButton(what) {
    return this.querySelector(`[data-check="heard-${what}"]`);
  }

  /** The button that puts a line right; without `words` there is none. */
  #offer(what, words, act) {
    let button = this.querySelector(`[data-check="fix-${what}"]`);
    if (!button && !words) return;
    if (!button) {
      button = document.createElement("button");
      Object.assign(button, { type: "button", className: "button" });
      button.dataset.check = `fix-${what}`;
      this.#line(what).append(" ", button);
    }
    button.hidden = !words;
    button.textContent = words ?? "";
    this.#fixes[what] = act;
  }

  #tell(what, text, state) {
    const line = this.#line(what);
    line.dataset.state = state;
    line.querySelector(".check-text").textContent = text;
  }
}

customElements.define("pre-flight", PreFlight);
