// <session-voice>: speaks, chimes and vibrates along the stage's timeline.
import { preferences } from "../page/preferences.js";
import { Sound, Voice, flash, spokenTime } from "./output.js";

const HALF_FROM_MS = 40_000;
const TEN_FROM_MS = 25_000;
const TEN_MS = 10_000;
const LINE_MS = 3_000; // another line within this time would cut it off
const AHEAD_MS = 20_000;
const LATE_MS = 400;
const TOO_LATE_MS = 1_500;
const JUST_CHIMED_MS = 2_000;
const SOON_MS = 60;
const HALTED = ["paused", "stopped"];

// The parts of a step that are said: on entering it; after the move that has said them; on demand.
const PLACES = [".step-place", ".place-words"];
const ON_ENTRY = [".step-name", ...PLACES, ".step-lines li:first-child", ".step-text", ".step-passes", ".step-fresh"];
const AFTER_A_MOVE = [".step-lines li", ".step-passes", ".step-fresh"];
const WHOLE = [".step-name", ...PLACES, ".step-lines li", ".step-lines p"];

/**
 * The cues of one row, in order: { at, chime, say, always }. `row` is { id, begins, ends, wait } in server
 * ms (`ends` null: it waits), `speech` the step's words, `total` the whole length of the step in ms.
 */
export function cuesOf(row, speech, total, last) {
  if (row.ends === null) return [];
  const began = row.ends - total;
  const own = (speech.cues ?? []).map(([at, say]) => ({ at: instantOf(at, began, row.ends, total), say }));
  const cues = [];
  if (speech.hands && total >= HALF_FROM_MS) cues.push({ at: began + total / 2, chime: "half" });
  if (speech.hands && total >= TEN_FROM_MS) {
    const ten = { at: row.ends - TEN_MS, chime: "ten" };
    const alone = own.every(({ at }) => Math.abs(at - ten.at) >= LINE_MS);
    cues.push(alone ? { ...ten, say: "Ten seconds." } : ten);
  }
  const ending = last || row.wait || speech.lastHands;
  cues.push({ at: row.ends, chime: ending ? "end" : "change", always: speech.rest });
  return [...cues, ...own].sort((a, b) => a.at - b.at);
}

function instantOf(at, began, ends, total) {
  if (at === "half") return began + total / 2;
  return at < 0 ? ends + at * 1000 : began + at * 1000;
}

/** The cues of all `rows`; `key` identifies a cue after the plan was made anew. */
function cuesAhead(rows, speech, total) {
  return rows.flatMap((row, i) => {
    if (!speech[row.id] || (i && row.ends === row.begins)) return [];
    const whole = i ? row.ends - row.begins : total;
    return cuesOf(row, speech[row.id], whole, i === rows.length - 1).map((cue) => ({
      ...cue,
      key: `${row.id} ${Math.round(cue.at / 1000)} ${cue.chime ?? cue.say}`,
    }));
  });
}

export class CuePlayer {
  speech = {};
  #sound;
  #say;
  #timeline = null;
  #timers = [];
  #planned = [];
  #played = new Set();
  #chimedAt = -Infinity;

  constructor(sound, say) {
    this.#sound = sound;
    this.#say = say;
  }

  get chimedLately() {
    return performance.now() - this.#chimedAt < JUST_CHIMED_MS;
  }

  /** What sounds within the next seconds goes on the audio clock, the rest later. */
  plan(timeline) {
    this.#finishDue(timeline);
    this.#timeline = timeline;
    if (timeline?.status !== "running") return;
    const now = timeline.now();
    for (const cue of cuesAhead(timeline.rows, this.speech, timeline.total)) {
      const wait = cue.at - now;
      if (wait < -LATE_MS || wait > AHEAD_MS || this.#played.has(cue.key)) continue;
      if (cue.chime && this.#sounds(cue)) this.#sound.chime(cue.chime, wait);
      this.#planned.push(cue);
      this.#timers.push(setTimeout(() => this.#play(cue), Math.max(0, wait)));
    }
    this.#timers.push(setTimeout(() => this.plan(timeline), AHEAD_MS));
  }

  /** The new rows may begin after a cue that is due now: it must not be lost. */
  #finishDue(next) {
    const goesOn = next && this.#timeline && !HALTED.includes(next.status);
    const until = goesOn ? next.now() + SOON_MS : -Infinity;
    const due = this.#planned.filter((cue) => cue.at <= until);
    this.clear(goesOn ? SOON_MS : 0);
    for (const cue of due) this.#play(cue);
  }

  /** The end of a rest sounds in every mode: perhaps nobody is looking. */
  #sounds(cue) {
    return preferences.get("sound") !== "silent" || cue.always;
  }

  #play(cue) {
    const late = Math.abs(this.#timeline.now() - cue.at) > TOO_LATE_MS;
    if (late || this.#played.has(cue.key)) return;
    this.#played.add(cue.key);
    if (cue.chime) {
      this.#chimedAt = performance.now();
      this.#sound.vibrate(cue.chime);
      if (cue.chime === "change" || cue.chime === "end") flash();
    }
    if (cue.say) this.#say(cue.say);
  }

  /** Keeps only a chime that begins within `soonMs`. */
  clear(soonMs = 0) {
    this.#planned = [];
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#sound.cancel(soonMs);
  }
}

const MODES = ["voice", "chime", "silent"];
const MODE_WORDS = { voice: "Voice", chime: "Chimes", silent: "Silent" };
const OVER = ["stopped", "finished"];

class SessionVoice extends HTMLElement {
  #sound = new Sound(() => this.#cues.plan(this.#timeline));
  #voice = new Voice();
  #steps = [];
  #timeline = null;
  #step = null;
  #status = null;
  #cues = new CuePlayer(this.#sound, (text) => this.#sayInVoiceMode(text));
  #listeners = new AbortController();

  connectedCallback() {
    this.#steps = [...this.closest("session-stage").querySelectorAll("template[data-for]")];
    this.#cues.speech = Object.fromEntries(
      this.#steps.map(({ dataset }) => [dataset.for, JSON.parse(dataset.speech)]),
    );
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "stage:timeline", (e) => this.#follow(e.detail));
    on(document, "stage:say", (e) => this.#sayOnDemand(e.detail));
    for (const name of ["pointerup", "click", "keydown"]) on(document, name, () => this.#unlock());
    for (const name of ["visibilitychange", "resume"]) on(document, name, () => document.hidden || this.#wake());
    on(window, "pageshow", () => this.#wake());
    on(window, "pagehide", () => this.#voice.cancel());
    on(document, "device:changed", (e) => e.detail === "sound" && this.#modeChanged());
    const button = this.querySelector("button");
    button.hidden = false;
    on(button, "click", () => this.#nextMode());
    this.#showMode();
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#cues.clear();
    this.#voice.cancel();
  }

  #unlock() {
    this.#voice.unlock();
    if (!this.#sound.unlocked) this.#sound.unlock().then(() => this.#cues.plan(this.#timeline));
  }

  #wake() {
    this.#cues.plan(this.#timeline);
    this.#sound.revive();
  }

  #nextMode() {
    const next = MODES[(MODES.indexOf(preferences.get("sound")) + 1) % MODES.length];
    preferences.set("sound", next);
    if (next === "chime") this.#sound.chime("half");
    if (next === "voice") this.#say("Voice on.");
  }

  #modeChanged() {
    this.#showMode();
    if (preferences.get("sound") !== "voice") this.#voice.cancel();
    this.#cues.plan(this.#timeline);
  }

  #showMode() {
    this.querySelector("button").textContent = MODE_WORDS[preferences.get("sound")] ?? "Voice";
  }

  #follow(timeline) {
    const entered = timeline.rows[0]?.id !== this.#step;
    const moved = this.#step === `to-${timeline.rows[0]?.id}`;
    const before = this.#status;
    this.#timeline = timeline;
    this.#step = timeline.rows[0]?.id;
    this.#status = timeline.status;
    this.#cues.plan(this.#timeline);
    if (timeline.status === "stopped") this.#voice.cancel();
    else if (timeline.status === "finished" && before && before !== "finished") this.#sayInVoiceMode("Finished.");
    else if (before === null || timeline.status === "ready") return;
    else if (timeline.status === "paused") {
      if (before !== "paused") this.#sayInVoiceMode("Paused.");
    } else if (entered || before === "ready") {
      this.#sayInVoiceMode(this.#wordsOf(timeline.rows[0], moved ? AFTER_A_MOVE : ON_ENTRY));
    } else if (before === "paused") this.#sayInVoiceMode("Going on.");
  }

  /** What the screen says of a step in these `parts`; the place for hands only. */
  #wordsOf(row, parts) {
    const step = this.#steps.find(({ dataset }) => dataset.for === row?.id);
    if (!step) return "";
    const silent = step.dataset.kind === "stage-text" ? PLACES : [];
    return parts
      .filter((part) => !silent.includes(part))
      .flatMap((part) => [...step.content.querySelectorAll(part)])
      .map((part) => part.dataset.said ?? part.firstChild.textContent.trim())
      .filter(Boolean)
      .join(". ")
      .replaceAll("..", ".");
  }

  #sayInVoiceMode(text) {
    if (preferences.get("sound") === "voice") this.#say(text);
  }

  /** Without a voice a soft tone says that there is something to read, unless a chime just did. */
  #say(text) {
    this.#voice.say(text, () => this.#cues.chimedLately || this.#sound.chime("note"));
  }

  /** In every mode: what to do now ("step"), or how long it still takes ("time"). */
  #sayOnDemand(what) {
    if (!this.#timeline) return;
    if (OVER.includes(this.#status)) return this.#say(document.querySelector("#session-live h1")?.textContent);
    const row = this.#timeline.rows[0];
    if (what === "step") this.#say(this.#wordsOf(row, WHOLE));
    if (what === "time") {
      const text = row?.ends ? spokenTime(Math.max(0, row.ends - this.#timeline.now())) : "No time is running.";
      this.dispatchEvent(new CustomEvent("stage:told", { bubbles: true, detail: text }));
      this.#sayInVoiceMode(text);
    }
  }
}

customElements.define("session-voice", SessionVoice);
