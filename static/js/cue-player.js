// Puts the cues of a timeline on the audio clock, and tells them when they are due.
import { device } from "./device.js";
import { cuesAhead } from "./session-cues.js";
import { flash } from "./soft-flash.js";

const AHEAD_MS = 20_000;
const LATE_MS = 400;
const TOO_LATE_MS = 1_500;
const JUST_CHIMED_MS = 2_000;
const SOON_MS = 60;
const HALTED = ["paused", "stopped"];

export class CuePlayer {
  speech = {};
  #sound;
  #tell;
  #line = null;
  #timers = [];
  #planned = [];
  #heard = new Set();
  #chimedAt = -Infinity;

  /** `tell` is called with the words of a cue. */
  constructor(sound, tell) {
    this.#sound = sound;
    this.#tell = tell;
  }

  get chimedLately() {
    return performance.now() - this.#chimedAt < JUST_CHIMED_MS;
  }

  /** Everything that sounds within the next seconds is put on the audio clock, the rest later. */
  plan(line) {
    this.#settle(line);
    this.#line = line;
    if (line?.status !== "running") return;
    const now = line.now();
    for (const cue of cuesAhead(line.rows, this.speech, line.total)) {
      const wait = cue.at - now;
      if (wait < -LATE_MS || wait > AHEAD_MS || this.#heard.has(cue.key)) continue;
      if (cue.chime && this.#sounds(cue)) this.#sound.chime(cue.chime, wait);
      this.#planned.push(cue);
      this.#timers.push(setTimeout(() => this.#now(cue), Math.max(0, wait)));
    }
    this.#timers.push(setTimeout(() => this.plan(line), AHEAD_MS));
  }

  /** The new rows may begin after a cue that is due at this very moment: it is not lost by that. */
  #settle(next) {
    const goesOn = next && this.#line && !HALTED.includes(next.status);
    const until = goesOn ? next.now() + SOON_MS : -Infinity;
    const due = this.#planned.filter((cue) => cue.at <= until);
    this.clear(goesOn ? SOON_MS : 0);
    for (const cue of due) this.#now(cue);
  }

  /** The end of a rest sounds in every mode: nobody may be looking. */
  #sounds(cue) {
    return device.get("sound") !== "silent" || cue.always;
  }

  #now(cue) {
    const late = Math.abs(this.#line.now() - cue.at) > TOO_LATE_MS;
    if (late || this.#heard.has(cue.key)) return;
    this.#heard.add(cue.key);
    if (cue.chime) {
      this.#chimedAt = performance.now();
      this.#sound.buzz(cue.chime);
      if (cue.chime === "change" || cue.chime === "end") flash();
    }
    if (cue.say) this.#tell(cue.say);
  }

  /** Nothing of what was planned comes, but for a chime that begins within `soonMs`. */
  clear(soonMs = 0) {
    this.#planned = [];
    for (const timer of this.#timers.splice(0)) clearTimeout(timer);
    this.#sound.cancel(soonMs);
  }
}
