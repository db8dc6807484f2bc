// <device-settings>: every change counts at once; hear and feel it before it matters.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";
import { cookies } from "./device-store.js";
import { flash } from "./soft-flash.js";
import { Sound } from "./sound.js";
import { Voice } from "./voice.js";

class DeviceSettings extends HTMLElement {
  #sound = new Sound();
  #voice = new Voice();
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    this.addEventListener("change", (e) => device.set(e.target.name, e.target.value), { signal });
    this.#offer("#hear-chimes", () => this.#hearChimes());
    document.addEventListener("device:changed", () => besideMusic.rest(), { signal });
    this.#offer("#feel", () => this.#feel());
    if (this.#voice.exists) {
      this.#offer("#hear-voice", () => this.#hearVoice());
      this.#voices();
      speechSynthesis.addEventListener?.("voiceschanged", () => this.#voices(), { signal });
    } else {
      this.#note("This browser has no voice; chimes stand in for it.");
    }
    this.querySelector("#keep").parentElement.hidden = true;
    document.querySelector("#not-kept").hidden = cookies.keeps;
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#voice.hush();
  }

  #offer(selector, act) {
    const button = this.querySelector(selector);
    button.hidden = false;
    button.addEventListener("click", act, { signal: this.#listeners.signal });
  }

  #feel() {
    this.#sound.buzz("change");
    flash();
    this.#note(navigator.vibrate ? "" : "This device does not vibrate from a page.");
  }

  #hearVoice() {
    this.#note("");
    this.#voice.say("Kneading. Left calf. Lift, roll and let go.", () => {
      this.#note("No voice here; chimes stand in for it.");
    });
  }

  async #hearChimes() {
    await this.#sound.unlock();
    ["half", "ten", "change", "end"].forEach((name, i) => this.#sound.chime(name, i * 1500));
    this.#note("Half, ten seconds, change, end.");
  }

  #voices() {
    const voices = speechSynthesis.getVoices().filter((v) => v.lang.startsWith("en"));
    const select = this.querySelector("#speaker");
    this.querySelector("#speaker-choice").hidden = !voices.length;
    const chosen = device.get("speaker");
    select.replaceChildren(new Option("The device's own choice", ""));
    for (const voice of voices) select.append(new Option(voice.name, voice.name, false, voice.name === chosen));
  }

  #note(text) {
    this.querySelector("#sound-note").textContent = text;
  }
}

customElements.define("device-settings", DeviceSettings);
