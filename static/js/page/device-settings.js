// <device-settings>: every change counts at once, and can be heard and felt.
import { Sound, Voice, audioSession, flash } from "../audio/output.js";
import { cookies, preferences } from "./preferences.js";

class DeviceSettings extends HTMLElement {
  #sound = new Sound();
  #voice = new Voice();
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    this.addEventListener("change", (e) => preferences.set(e.target.name, e.target.value), { signal });
    this.#offer("#hear-chimes", () => this.#playChimes());
    document.addEventListener("device:changed", () => audioSession.rest(), { signal });
    this.#offer("#feel", () => this.#vibrate());
    if (this.#voice.exists) {
      this.#offer("#hear-voice", () => this.#playVoice());
      this.#listVoices();
      speechSynthesis.addEventListener?.("voiceschanged", () => this.#listVoices(), { signal });
    } else {
      this.#showNote("This browser has no voice; chimes stand in for it.");
    }
    this.querySelector("#keep").parentElement.hidden = true;
    document.querySelector("#not-kept").hidden = cookies.work;
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#voice.cancel();
  }

  #offer(selector, act) {
    const button = this.querySelector(selector);
    button.hidden = false;
    button.addEventListener("click", act, { signal: this.#listeners.signal });
  }

  #vibrate() {
    this.#sound.vibrate("change");
    flash();
    this.#showNote(navigator.vibrate ? "" : "This device does not vibrate from a page.");
  }

  #playVoice() {
    this.#showNote("");
    this.#voice.say("Kneading. Left calf. Lift, roll and let go.", () => {
      this.#showNote("No voice here; chimes stand in for it.");
    });
  }

  async #playChimes() {
    await this.#sound.unlock();
    ["half", "ten", "change", "end"].forEach((name, i) => this.#sound.chime(name, i * 1500));
    this.#showNote("Half, ten seconds, change, end.");
  }

  #listVoices() {
    const voices = speechSynthesis.getVoices().filter((v) => v.lang.startsWith("en"));
    const select = this.querySelector("#speaker");
    this.querySelector("#speaker-choice").hidden = !voices.length;
    const chosen = preferences.get("speaker");
    select.replaceChildren(new Option("The device's own choice", ""));
    for (const voice of voices) select.append(new Option(voice.name, voice.name, false, voice.name === chosen));
  }

  #showNote(text) {
    this.querySelector("#sound-note").textContent = text;
  }
}

customElements.define("device-settings", DeviceSettings);
