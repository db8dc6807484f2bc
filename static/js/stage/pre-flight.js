// <pre-flight>: before hands get oily, one line per thing that can fail, each put right in place; none blocks.
import { besideMusic } from "./audio-session.js";
import { CheckLine } from "./check-line.js";
import { device } from "./device.js";
import { checkAlone, checkLink, watchBattery } from "./link-and-battery.js";
import { awakeBy } from "./screen-awake.js";
import { Sound } from "./sound.js";
import { Voice } from "./voice.js";

const REFUSED = "Refused now: plug in, leave the battery saver, or set the screen to stay on.";
const SCREEN = {
  video: ["Kept on by a silent video. If it goes dark all the same: set the screen to stay on.", "fine"],
  none: ["This page cannot keep it on: set the screen to stay on.", "open"],
};
const HEARD = "Heard it? If not: volume up";

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
      if (e.detail === "sound") this.#lookAtSound();
      if (e.detail === "vibration") this.#lookAtVibration();
    });
    on(document, "visibilitychange", () => this.hidden || this.#screen());
    for (const name of ["online", "offline"]) on(window, name, () => checkLink(this.#lines.link));
    this.hidden = false;
    this.#lookAtSound();
    this.#lookAtVibration();
    this.#screen();
    checkLink(this.#lines.link);
    checkAlone(this.#lines.alone, this.querySelector("[data-how]"), this.#lines.kept);
    watchBattery(this.#lines.battery, on);
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #lookAtSound() {
    const { sound, voice } = this.#lines;
    const mode = device.get("sound");
    if (mode === "silent") this.#off(sound, "Silent is chosen, but for the end of a rest.", "Voice on", "sound", "voice");
    else this.#open(sound, "Not heard yet.");
    if (!this.#voice.exists) voice.tell("This browser has none; chimes stand in.", "fine");
    else if (mode === "voice") this.#open(voice, "Not heard yet.");
    else this.#off(voice, "Not chosen.", "Voice on", "sound", "voice");
  }

  #lookAtVibration() {
    const { vibration } = this.#lines;
    if (!("vibrate" in navigator)) vibration.tell("This device has none for pages.", "fine");
    else if (device.get("vibration") === "on") this.#open(vibration, "Not felt yet.");
    else this.#off(vibration, "Off is chosen.", "Turn it on", "vibration", "on");
  }

  #open(line, text) {
    line.tell(text, "open");
    line.offer();
  }

  /** A setting has closed it, and a button opens it again. */
  #off(line, text, button, name, value) {
    line.tell(text, "fine");
    line.offer(button, () => device.set(name, value));
  }

  #pressed(what) {
    if (what === "sound") this.#play();
    if (what === "voice") this.#speak();
    if (what === "vibration") {
      navigator.vibrate?.([200, 100, 200]);
      this.#lines.vibration.question("Felt it?");
    }
    if (what === "link") checkLink(this.#lines.link);
    if (what?.startsWith("heard-")) this.#lines[what.slice(6)].tell("Works.", "fine");
  }

  /** Where the browser can say so, one tap sounds past the silent switch. */
  async #play() {
    await this.#sound.unlock();
    this.#sound.chime("change");
    const quiet = navigator.audioSession && device.get("loud") !== "on";
    this.#lines.sound.question(quiet ? `${HEARD}, silent switch off, or:` : `${HEARD}, silent switch off.`);
    if (quiet) this.#lines.sound.offer("Sound all the same", () => this.#playLoud());
  }

  #playLoud() {
    device.set("loud", "on");
    besideMusic.rest();
    this.#play();
  }

  #speak() {
    const { voice } = this.#lines;
    this.#voice.say("Left calf. Lift, roll and let go.", () => voice.close("No voice here; chimes stand in."));
    voice.question(`${HEARD}, silent switch off.`);
  }

  #screen() {
    if (awakeBy() !== "lock") return this.#lines.screen.tell(...SCREEN[awakeBy()]);
    this.#lines.screen.offer("Try it", () => this.#tryLock("Works.", REFUSED));
    if (!document.hidden) this.#tryLock("Stays on by itself.", "May go dark. Try it.");
  }

  /** Only what was tried is said to work. Where nobody asked, a refusal takes one line. */
  async #tryLock(works, refused) {
    try {
      await (await navigator.wakeLock.request("screen")).release();
      this.#lines.screen.tell(works, "fine");
    } catch {
      this.#lines.screen.tell(refused, "open");
    }
  }
}

customElements.define("pre-flight", PreFlight);
