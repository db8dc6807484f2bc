// <session-voice>: speaks, chimes and buzzes along the stage's timeline, and stays out of it otherwise.
import { device } from "./device.js";
import { CuePlayer } from "./cue-player.js";
import { spokenTime } from "./session-cues.js";
import { Sound } from "./sound.js";
import { Voice } from "./voice.js";

const MODES = ["voice", "chime", "silent"];
const MODE_WORDS = { voice: "Voice", chime: "Chimes", silent: "Silent" };
const OVER = ["stopped", "finished"];

class SessionVoice extends HTMLElement {
  #sound = new Sound(() => this.#plan());
  #voice = new Voice();
  #steps = [];
  #line = null;
  #step = null;
  #status = null;
  #cues = new CuePlayer(this.#sound, (text) => this.#tell(text));
  #listeners = new AbortController();

  connectedCallback() {
    this.#steps = [...this.closest("session-stage").querySelectorAll("template[data-for]")];
    this.#cues.speech = Object.fromEntries(
      this.#steps.map(({ dataset }) => [dataset.for, JSON.parse(dataset.speech)]),
    );
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "stage:timeline", (e) => this.#follow(e.detail));
    on(document, "stage:say", (e) => this.#ask(e.detail));
    for (const name of ["pointerup", "click", "keydown"]) on(document, name, () => this.#unlock());
    for (const name of ["visibilitychange", "resume"]) on(document, name, () => document.hidden || this.#back());
    on(window, "pageshow", () => this.#back());
    on(window, "pagehide", () => this.#voice.hush());
    on(document, "device:changed", (e) => e.detail === "sound" && this.#newMode());
    const button = this.querySelector("button");
    button.hidden = false;
    on(button, "click", () => this.#nextMode());
    this.#showMode();
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#cues.clear();
    this.#voice.hush();
  }

  #unlock() {
    this.#voice.unlock();
    if (!this.#sound.unlocked) this.#sound.unlock().then(() => this.#plan());
  }

  #back() {
    this.#plan();
    this.#sound.revive();
  }

  #nextMode() {
    const next = MODES[(MODES.indexOf(device.get("sound")) + 1) % MODES.length];
    device.set("sound", next);
    if (next === "chime") this.#sound.chime("half");
    if (next === "voice") this.#say("Voice on.");
  }

  #newMode() {
    this.#showMode();
    if (device.get("sound") !== "voice") this.#voice.hush();
    this.#plan();
  }

  #showMode() {
    this.querySelector("button").textContent = MODE_WORDS[device.get("sound")] ?? "Voice";
  }

  /** The stage has taken a new state: rows from the one that is shown, and the clock. */
  #follow(line) {
    const entered = line.rows[0]?.id !== this.#step;
    const before = this.#status;
    this.#line = line;
    this.#step = line.rows[0]?.id;
    this.#status = line.status;
    this.#plan();
    if (line.status === "stopped") this.#voice.hush();
    else if (line.status === "finished" && before && before !== "finished") this.#tell("Finished.");
    else if (before === null || line.status === "ready") return;
    else if (line.status === "paused") {
      if (before !== "paused") this.#tell("Paused.");
    } else if (entered || before === "ready") this.#tell(this.#words(line.rows[0]));
    else if (before === "paused") this.#tell("Going on.");
  }

  /** What a step has on the screen: its name, for hands the side and the place, and the first line. */
  #words(row) {
    const step = this.#steps.find(({ dataset }) => dataset.for === row?.id);
    if (!step) return "";
    const places = step.dataset.kind === "stage-text" ? [] : [".step-place", ".place-words"];
    return [".step-name", ...places, ".step-lines :is(li, .step-text)"]
      .map((part) => step.content.querySelector(part)?.firstChild.textContent.trim())
      .filter(Boolean)
      .join(". ");
  }

  #tell(text) {
    if (device.get("sound") === "voice") this.#say(text);
  }

  /** Without a voice one soft tone says that there is something to read, unless a chime just did. */
  #say(text) {
    this.#voice.say(text, () => this.#cues.chimedLately || this.#sound.chime("note"));
  }

  #plan() {
    this.#cues.plan(this.#line);
  }

  /** On demand, whatever the mode: what to do now, or how long it still takes. */
  #ask(what) {
    if (!this.#line) return;
    if (OVER.includes(this.#status)) return this.#say(document.querySelector("#session-live h1")?.textContent);
    const row = this.#line.rows[0];
    if (what === "step") this.#say(this.#words(row));
    if (what === "time") {
      const text = row?.ends ? spokenTime(Math.max(0, row.ends - this.#line.now())) : "No time is running.";
      this.dispatchEvent(new CustomEvent("stage:told", { bubbles: true, detail: text }));
      this.#tell(text);
    }
  }
}

customElements.define("session-voice", SessionVoice);
