// Shows the running second of a moment of the session, and goes on to the next step by the plan.
import { drawStep } from "./stage-step.js";
import { clockText } from "./stage-moment.js";

const ENDING_SECONDS = 10;
const FILL_SECONDS = 10; // the bar moves slowly; each second would only cost power
const UNCONFIRMED_END_MS = 3_000;

export class StagePainter {
  /** When the page went on to another step without having asked, in ms of performance.now(). */
  steppedAt = -Infinity;
  #stage;
  #clock;
  #told;
  #timer = 0;
  #moment = null;
  #shown = { row: 0, text: null };

  /** `told` has what is to be done: moved() and then drawn() at a step, overdue() at the end of the plan. */
  constructor(stage, clock, told) {
    this.#stage = stage;
    this.#clock = clock;
    this.#told = told;
  }

  /** How many steps the page went on by itself since the moment. */
  get row() {
    return this.#shown.row;
  }

  /** The digits that are shown. */
  get text() {
    return this.#shown.text;
  }

  /** Another moment is true now. */
  take(moment) {
    this.#moment = moment;
    this.#shown = { row: 0, text: null };
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Show this moment, and come back when the second changes. */
  paint() {
    this.stop();
    const { status, now, waited } = this.#moment ?? {};
    if (status === "running") this.#paintRunning();
    else if (status === "paused") this.#paintHold();
    else if (status === "waiting") this.#countUp(now - waited);
  }

  get #live() {
    return this.#stage.querySelector("#session-live");
  }

  #paintRunning() {
    const { rows } = this.#moment;
    const now = this.#clock.now();
    let row = 0;
    while (row + 1 < rows.length && this.#isOver(rows[row], now)) row += 1;
    if (row !== this.#shown.row) this.#step(row);
    const { begins, ends, wait } = rows[row];
    if (ends === null) return this.#countUp(begins);
    if (now >= ends && wait) return this.#countUp(ends);
    const left = Math.max(0, ends - now);
    const seconds = Math.ceil(left / 1000);
    this.write(clockText(seconds));
    this.#live.classList.toggle("stage-ending", seconds <= ENDING_SECONDS);
    if (this.#shown.from === undefined || seconds % FILL_SECONDS === 0) this.#fill(rows[row], now);
    if (left > 0) this.#again(left - (seconds - 1) * 1000);
    else if (now - ends < UNCONFIRMED_END_MS) this.#again(UNCONFIRMED_END_MS);
    else this.#told.overdue();
  }

  #isOver({ ends, wait }, now) {
    return ends !== null && !wait && now >= ends;
  }

  #countUp(since) {
    const waited = Math.max(0, this.#clock.now() - since);
    const seconds = Math.floor(waited / 1000);
    this.write(clockText(seconds));
    if (this.#live.dataset.status === "running") this.#live.classList.add("stage-waiting");
    this.#again((seconds + 1) * 1000 - waited);
  }

  /** In a pause with cups on: what is left of their time. */
  #paintHold() {
    const hold = this.#live.querySelector("#hold-left");
    if (!hold) return;
    const left = Math.max(0, Number(hold.dataset.until) - this.#clock.now());
    const seconds = Math.ceil(left / 1000);
    hold.textContent = clockText(seconds);
    if (left > 0) this.#again(left - (seconds - 1) * 1000);
  }

  #again(ms) {
    this.#timer = setTimeout(() => this.paint(), ms + 1);
  }

  write(text) {
    if (this.#shown.text === text) return;
    this.#shown.text = text;
    const digits = this.#live.querySelector("[role=timer]");
    const shown = digits.firstChild;
    // The text alone: an exchanged node would make every :has() of the stage be looked at again.
    if (!shown) digits.textContent = text;
    else if (shown.data !== text) shown.data = text;
    digits.classList.toggle("digits-long", text.length > 4);
    document.dispatchEvent(new Event("stage:second"));
  }

  /** The running step's share of the time bar. */
  #fill({ id, begins, ends }, now) {
    const segment = this.#live.querySelector(`.segment[data-step="${CSS.escape(id)}"]`);
    if (!segment) return;
    const [all, done] = segment.querySelectorAll("rect");
    const whole = Number(all.getAttribute("width"));
    this.#shown.from ??= Number(done.getAttribute("width")) / whole;
    // At most all of it: on the very first paint the server's clock is not known yet.
    const left = Math.min(1, Math.max(0, ends - now) / (ends - Math.max(begins, this.#moment.now)));
    const from = this.#shown.from;
    done.setAttribute("width", (whole * (from + (1 - from) * (1 - left))).toFixed(2));
  }

  /** Go on to a later step of the plan without having asked the server. */
  #step(row) {
    const { rows, live, index } = this.#moment;
    for (const past of rows.slice(0, row)) {
      const rects = live.querySelectorAll(`.segment[data-step="${CSS.escape(past.id)}"] rect`);
      rects[1]?.setAttribute("width", rects[0].getAttribute("width"));
    }
    this.#shown = { row, text: null };
    this.steppedAt = performance.now();
    this.#told.moved();
    Object.assign(live.dataset, { step: rows[row].id, index: index + row });
    const kind = drawStep(this.#stage, live, rows[row].id);
    if (!kind) return;
    live.className = `stage stage-running ${kind.kind} ${kind.hue}`;
    this.#told.drawn();
  }
}
