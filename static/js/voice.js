// The voice (speech synthesis). Where nothing speaks, something else must be heard: `instead`.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";

const RATES = { slow: 0.85, usual: 1, quick: 1.2 };
const BEGINS_WITHIN_MS = 1_000;

export class Voice {
  #spoken = null;
  #timer = 0;
  #dumb = false;
  #unlocked = false;

  get exists() {
    return "speechSynthesis" in window;
  }

  get #noVoices() {
    return speechSynthesis.getVoices().length === 0;
  }

  /** In a tap: some browsers let a page speak later only when it has spoken in one. */
  unlock() {
    if (!this.exists || this.#unlocked) return;
    this.#unlocked = true;
    const nothing = new SpeechSynthesisUtterance(" ");
    nothing.volume = 0;
    speechSynthesis.speak(nothing);
  }

  /** Say `text` now, instead of whatever is being said. */
  say(text, instead = () => {}) {
    if (!text) return;
    this.hush();
    if (!this.exists || (this.#dumb && this.#noVoices)) return instead();
    const words = this.#words(text);
    this.#spoken = words; // kept: some browsers drop an utterance that nobody holds
    words.addEventListener("start", () => {
      this.#dumb = false;
      if (words === this.#spoken) clearTimeout(this.#timer);
    });
    for (const over of ["end", "error"]) {
      words.addEventListener(over, () => words === this.#spoken && besideMusic.rest());
    }
    this.#timer = setTimeout(() => this.#missed(instead), BEGINS_WITHIN_MS);
    besideMusic.speak();
    speechSynthesis.speak(words);
  }

  #words(text) {
    const words = new SpeechSynthesisUtterance(text);
    words.rate = RATES[device.get("rate")] ?? 1;
    words.lang = "en";
    const speaker = speechSynthesis.getVoices().find((v) => v.name === device.get("speaker"));
    if (speaker) words.voice = speaker;
    return words;
  }

  /** It has not begun and there is no voice that could: from now on without it. */
  #missed(instead) {
    if (!this.#noVoices) return;
    this.#dumb = true;
    this.hush();
    instead();
  }

  /** Cancel, never pause: on Android a pause loses the rest. */
  hush() {
    clearTimeout(this.#timer);
    this.#spoken = null;
    if (!this.exists) return;
    speechSynthesis.cancel();
    besideMusic.rest();
  }
}
