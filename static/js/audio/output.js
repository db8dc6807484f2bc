// Chimes (Web Audio) and vibration. Unlocked by the first tap.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";

// Seconds from the start and pitch in hertz of each tone.
const CHIMES = {
  half: [[0, 660]],
  ten: [[0, 880], [0.22, 880]],
  change: [[0, 523], [0.18, 784]],
  end: [[0, 784], [0.3, 659], [0.6, 523]],
  note: [[0, 587]],
};
const BUZZES = { half: [80], ten: [60, 80, 60], change: [200, 100, 200], end: [400, 150, 400] };
const LOUD = 0.35;
const TONE_SECONDS = 0.6;
const DEAD_AFTER_MS = 250;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Sound {
  #context = null;
  #chimes = [];
  #reviving = null;
  #back;

  /** `back` is called when the audio clock goes on after it stood still. */
  constructor(back = () => {}) {
    this.#back = back;
  }

  get unlocked() {
    return this.#context?.state === "running";
  }

  /** In a tap: browsers let a page sound only after one. */
  unlock() {
    besideMusic.rest();
    this.#context ??= this.#newContext();
    return this.#resumed(this.#context);
  }

  #newContext() {
    const context = new AudioContext();
    context.onstatechange = () => {
      if (context === this.#context && context.state === "running") this.#back();
    };
    return context;
  }

  /** A resume can hang for ever after an interruption: it is never waited for without an end. */
  #resumed(context) {
    return Promise.race([context.resume().catch(() => {}), pause(DEAD_AFTER_MS)]);
  }

  /** After an interruption (a call, the lock screen, the page cache) sound must come back. */
  revive() {
    this.#reviving ??= this.#revive().finally(() => (this.#reviving = null));
    return this.#reviving;
  }

  async #revive() {
    const context = this.#context;
    if (!context) return;
    await this.#resumed(context);
    const before = context.currentTime;
    await pause(DEAD_AFTER_MS);
    if (context.currentTime > before || document.hidden) return;
    context.close().catch(() => {});
    this.#context = null;
    this.#chimes = [];
    await this.unlock();
    this.#back();
  }

  /** Sound `name` in `inMs` from now, on the audio clock. */
  chime(name, inMs = 0) {
    if (!this.#context) return;
    const start = this.#context.currentTime + Math.max(0, inMs) / 1000;
    const tones = CHIMES[name].map(([after, pitch]) => this.#tone(start + after, pitch));
    this.#chimes = this.#chimes.filter((c) => c.start + 2 > this.#context.currentTime);
    this.#chimes.push({ start, tones });
  }

  #tone(at, pitch) {
    const tone = this.#context.createOscillator();
    const volume = this.#context.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUD, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + TONE_SECONDS);
    return tone;
  }

  /** What begins later than `soonMs` from now sounds no more; a chime that has begun is heard out. */
  cancel(soonMs = 0) {
    const now = (this.#context?.currentTime ?? 0) + soonMs / 1000;
    for (const chime of this.#chimes.filter((c) => c.start > now)) {
      for (const tone of chime.tones) tone.stop();
    }
    this.#chimes = this.#chimes.filter((c) => c.start <= now);
  }

  buzz(name) {
    if (device.get("vibration") === "on") navigator.vibrate?.(BUZZES[name]);
  }
}
