// <session-voice>: speaks, chimes and buzzes along the stage's timeline, and stays out of it otherwise.
import { device } from "./device.js";
import { cuesOf, spokenTime } from "./session-cues.js";
import { Sound } from "./sound.js";

const AHEAD_MS = 20_000;
const LATE_MS = 400;
const TOO_LATE_MS = 1_500;
const MODES = ["voice", "chime", "silent"];
const MODE_WORDS = { voice: "Voice", chime: "Chimes", silent: "Silent" };

class SessionVoice extends HTMLElement {
  #sound = new Sound();
  #speech = {};
  #line = null;
  #step = null;
  #status = null;
  #timers = [];
  #heard = new Set();
  #listeners = new AbortController();

  connectedCallback() {
    this.#speech = JSON.parse(this.dataset.speech);
    const on = (target, name, act, more) =>
      target.addEventListener(name, act, { signal: this.#listeners.signal, ...more });
    on(document, "stage:timeline", (e) => this.#follow(e.detail));
    on(document, "stage:say", (e) => this.#ask(e.detail));
    for (const name of ["pointerdown", "keydown"]) on(document, name, () => this.#unlock());
    on(document, "visibilitychange", () => document.hidden || this.#back());
    on(window, "pageshow", () => this.#back());
    const button = this.querySelector("button");
    button.hidden = false;
    on(button, "click", () => this.#nextMode());
    this.#showMode();
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#clear();
    this.#sound.hush();
  }

  #unlock() {
    if (this.#sound.unlocked) return;
    this.#sound.unlock().then(() => this.#plan());
  }

  #back() {
    this.#sound.revive().then(() => this.#plan());
  }

  #nextMode() {
    const next = MODES[(MODES.indexOf(device.get("sound")) + 1) % MODES.length];
    device.set("sound", next);
    this.#showMode();
    if (next !== "voice") this.#sound.hush();
    if (next === "chime") this.#sound.chime("half");
    if (next === "voice") this.#sound.say("Voice on.");
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
    if (line.status === "stopped") this.#sound.hush();
    else if (line.status === "finished" && before && before !== "finished") this.#tell("Finished.");
    else if (before === null || line.status === "ready") return;
    else if (line.status === "paused") {
      if (before !== "paused") this.#tell("Paused.");
    } else if (entered || before === "ready") this.#tell(this.#words(line.rows[0]));
    else if (before === "paused") this.#tell("Going on.");
  }

  #words(row) {
    return this.#speech[row?.id]?.say ?? "";
  }

  #tell(text) {
    if (device.get("sound") === "voice") this.#sound.say(text);
  }

  /** On demand, whatever the mode: what to do now, or how long it still takes. */
  #ask(what) {
    if (!this.#line) return;
    if (["stopped", "finished"].includes(this.#status)) {
      return this.#sound.say(document.querySelector("#session-live h1")?.textContent);
    }
    const row = this.#line.rows[0];
    if (what === "step") this.#sound.say(this.#words(row));
    if (what === "time") {
      const text = row?.ends ? spokenTime(Math.max(0, row.ends - this.#line.now())) : "No time is running.";
      this.dispatchEvent(new CustomEvent("stage:told", { bubbles: true, detail: text }));
      if (device.get("sound") === "voice") this.#sound.say(text);
    }
  }

  /** Everything that sounds within the next seconds is put on the audio clock, the rest later. */
  #plan() {
    this.#clear();
    if (this.#line?.status !== "running") return;
    const now = this.#line.now();
    const { rows, total } = this.#line;
    const cues = rows.flatMap((row, i) => {
      const speech = this.#speech[row.id];
      const whole = i ? row.ends - row.begins : total;
      const found = speech ? cuesOf(row, speech, whole, i === rows.length - 1) : [];
      return found.map((cue) => ({ ...cue, key: `${row.id} ${Math.round(cue.at / 1000)} ${cue.chime ?? cue.say}` }));
    });
    for (const cue of cues) {
      const wait = cue.at - now;
      if (wait < -LATE_MS || wait > AHEAD_MS || this.#heard.has(cue.key)) continue;
      if (cue.chime && this.#sounds(cue)) this.#sound.chime(cue.chime, wait);
      this.#timers.push(setTimeout(() => this.#now(cue), Math.max(0, wait)));
    }
    this.#timers.push(setTimeout(() => this.#plan(), AHEAD_MS));
  }

  #sounds(cue) {
    return device.get("sound") !== "silent" || cue.always;
  }

  #now(cue) {
    const late = Math.abs(this.#line.now() - cue.at) > TOO_LATE_MS;
    if (late || this.#heard.has(cue.key)) return;
    this.#heard.add(cue.key);
    if (cue.chime) {
      this.#sound.buzz(cue.chime);
      if (cue.chime === "change" || cue.chime === "end") this.#flash();
    }
    if (cue.say) this.#tell(cue.say);
  }

  #flash() {
    if (device.get("flash") !== "on") return;
    document.body.classList.add("flash");
    setTimeout(() => document.body.classList.remove("flash"), 450);
  }

  #clear() {
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#sound.cancel();
  }
}

customElements.define("session-voice", SessionVoice);
