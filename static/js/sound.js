// Chimes (Web Audio), voice (speech synthesis) and vibration. Unlocked by the first tap.
import { device } from "./device.js";

// Seconds from the start and pitch in hertz of each tone.
const CHIMES = {
  half: [[0, 660]],
  ten: [[0, 880], [0.22, 880]],
  change: [[0, 523], [0.18, 784]],
  end: [[0, 784], [0.3, 659], [0.6, 523]],
};
const BUZZES = { half: [80], ten: [60, 80, 60], change: [200, 100, 200], end: [400, 150, 400] };
const RATES = { slow: 0.85, usual: 1, quick: 1.2 };
const LOUD = 0.35;
const TONE_SECONDS = 0.6;
const DEAD_AFTER_MS = 400;

export class Sound {
  #context = null;
  #chimes = [];
  #spoken = null;

  get unlocked() {
    return this.#context?.state === "running";
  }

  /** In a tap: browsers let a page sound only after one. */
  unlock() {
    if (navigator.audioSession) navigator.audioSession.type = "transient";
    this.#context ??= new AudioContext();
    return this.#context.resume();
  }

  /** After an interruption (a call, the lock screen, the page cache) sound must come back. */
  async revive() {
    if (!this.#context) return;
    const context = this.#context;
    await context.resume().catch(() => {});
    const before = context.currentTime;
    setTimeout(() => {
      if (context !== this.#context || context.currentTime > before) return;
      context.close().catch(() => {});
      this.#context = null;
      this.unlock();
    }, DEAD_AFTER_MS);
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

  /** What was planned and has not begun sounds no more; a chime that has begun is heard out. */
  cancel() {
    const now = this.#context?.currentTime ?? 0;
    for (const chime of this.#chimes.filter((c) => c.start > now)) {
      for (const tone of chime.tones) tone.stop();
    }
    this.#chimes = this.#chimes.filter((c) => c.start <= now);
  }

  buzz(name) {
    if (device.get("vibration") === "on") navigator.vibrate?.(BUZZES[name]);
  }

  get canSpeak() {
    return "speechSynthesis" in window;
  }

  /** Say `text` now, instead of whatever is being said. */
  say(text) {
    if (!this.canSpeak || !text) return;
    speechSynthesis.cancel();
    const words = new SpeechSynthesisUtterance(text);
    words.rate = RATES[device.get("rate")] ?? 1;
    words.lang = "en";
    const speaker = speechSynthesis.getVoices().find((v) => v.name === device.get("speaker"));
    if (speaker) words.voice = speaker;
    this.#spoken = words; // kept: some browsers drop an utterance that nobody holds
    speechSynthesis.speak(words);
  }

  hush() {
    if (this.canSpeak) speechSynthesis.cancel();
    this.#spoken = null;
  }
}
