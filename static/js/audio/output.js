// What this device can signal with: chimes (Web Audio), speech, vibration and a soft flash.
import { preferences } from "../page/preferences.js";

// Seconds from the start and pitch in hertz of each tone.
const CHIMES = {
  half: [[0, 660]],
  ten: [[0, 880], [0.22, 880]],
  change: [[0, 523], [0.18, 784]],
  end: [[0, 784], [0.3, 659], [0.6, 523]],
  note: [[0, 587]],
};
const VIBRATIONS = { half: [80], ten: [60, 80, 60], change: [200, 100, 200], end: [400, 150, 400] };
const GAIN = 0.35;
const TONE_SECONDS = 0.6;
const DEAD_AFTER_MS = 250;
const SPEECH_RATES = { slow: 0.85, usual: 1, quick: 1.2 };
const SPEECH_BEGINS_MS = 1_000;
const FLASH_MS = 450;
const FLASHES_APART_MS = 1_000;

const isOn = (name) => preferences.get(name) === "on";
/** "playback" sounds in silent mode, and stops other music; "ambient" lies over it. */
const usualType = () => (isOn("loud") || isOn("headset") ? "playback" : "ambient");

function setType(type) {
  if (navigator.audioSession && navigator.audioSession.type !== type) navigator.audioSession.type = type;
}

/** How our sound stands beside other music, where a browser lets a page say so (Safari). */
export const audioSession = {
  rest: () => setType(usualType()),

  /** Other music may be lowered meanwhile. */
  speak: () => setType(usualType() === "playback" ? "playback" : "transient"),
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Chimes and vibration. Unlocked by the first tap. */
export class Sound {
  #context = null;
  #chimes = [];
  #reviving = null;
  #onRunning;

  /** `onRunning` is called when the audio clock goes on after it stood still. */
  constructor(onRunning = () => {}) {
    this.#onRunning = onRunning;
  }

  get unlocked() {
    return this.#context?.state === "running";
  }

  /** In a tap: browsers let a page sound only after one. */
  unlock() {
    audioSession.rest();
    this.#context ??= this.#newContext();
    return this.#resumed(this.#context);
  }

  #newContext() {
    const context = new AudioContext();
    context.onstatechange = () => {
      if (context === this.#context && context.state === "running") this.#onRunning();
    };
    return context;
  }

  /** A resume can hang for ever after an interruption. */
  #resumed(context) {
    return Promise.race([context.resume().catch(() => {}), pause(DEAD_AFTER_MS)]);
  }

  /** Brings sound back after an interruption (a call, the lock screen, the page cache). */
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
    this.#onRunning();
  }

  /** Schedules chime `name` in `inMs` on the audio clock. */
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
    volume.gain.linearRampToValueAtTime(GAIN, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.001, at + TONE_SECONDS);
    tone.connect(volume).connect(this.#context.destination);
    tone.start(at);
    tone.stop(at + TONE_SECONDS);
    return tone;
  }

  /** Drops what begins later than in `soonMs`; a chime that has begun is played to its end. */
  cancel(soonMs = 0) {
    const now = (this.#context?.currentTime ?? 0) + soonMs / 1000;
    for (const chime of this.#chimes.filter((c) => c.start > now)) {
      for (const tone of chime.tones) tone.stop();
    }
    this.#chimes = this.#chimes.filter((c) => c.start <= now);
  }

  vibrate(name) {
    if (isOn("vibration")) navigator.vibrate?.(VIBRATIONS[name]);
  }
}

/** Speech synthesis. Where nothing speaks, `fallback` is called. */
export class Voice {
  #spoken = null;
  #timer = 0;
  #silent = false;
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

  /** Says `text` in place of what is being said. */
  say(text, fallback = () => {}) {
    if (!text) return;
    this.cancel();
    if (!this.exists || (this.#silent && this.#noVoices)) return fallback();
    const utterance = this.#utterance(text);
    this.#spoken = utterance; // some browsers drop an utterance without a reference
    utterance.addEventListener("start", () => {
      this.#silent = false;
      if (utterance === this.#spoken) clearTimeout(this.#timer);
    });
    for (const over of ["end", "error"]) {
      utterance.addEventListener(over, () => utterance === this.#spoken && audioSession.rest());
    }
    this.#timer = setTimeout(() => this.#missed(fallback), SPEECH_BEGINS_MS);
    audioSession.speak();
    speechSynthesis.speak(utterance);
  }

  #utterance(text) {
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.rate = SPEECH_RATES[preferences.get("rate")] ?? 1;
    utterance.lang = "en";
    const speaker = speechSynthesis.getVoices().find((v) => v.name === preferences.get("speaker"));
    if (speaker) utterance.voice = speaker;
    return utterance;
  }

  /** It has not begun, and there is no voice that could. */
  #missed(fallback) {
    if (!this.#noVoices) return;
    this.#silent = true;
    this.cancel();
    fallback();
  }

  /** Never pauses: on Android a pause loses the rest. */
  cancel() {
    clearTimeout(this.#timer);
    this.#spoken = null;
    if (!this.exists) return;
    speechSynthesis.cancel();
    audioSession.rest();
  }
}

let flashedAt = -Infinity;

/** At the screen's edge: by choice, never two within a second, never with reduced motion. */
export function flash() {
  const now = performance.now();
  const reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (!isOn("flash") || reduced || now - flashedAt < FLASHES_APART_MS) return;
  flashedAt = now;
  document.body.classList.add("flash");
  setTimeout(() => document.body.classList.remove("flash"), FLASH_MS);
}

/** What is left, as it is said. */
export function spokenTime(ms) {
  const all = Math.ceil(ms / 1000);
  const [minutes, seconds] = [Math.floor(all / 60), all % 60];
  const words = [];
  if (minutes) words.push(minutes === 1 ? "1 minute" : `${minutes} minutes`);
  if (seconds || !minutes) words.push(seconds === 1 ? "1 second" : `${seconds} seconds`);
  return `${words.join(" ")} left.`;
}
