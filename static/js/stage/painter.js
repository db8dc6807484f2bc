// The server's clock, a moment of a session from the server or from the rules on this device, and its second.
import { paintEnds } from "./end-times.js";
import { clockText, renderNext, renderStep } from "./render.js";

const ENDING_SECONDS = 10;
const FILL_SECONDS = 10; // the bar moves slowly; each second would only cost power
const UNCONFIRMED_END_MS = 3_000;
const STALE_MS = 300_000;
const TOLERANCE_MS = 50;
const LEAST_SLEEP_MS = 1_500;
const MOST_SLEEP_MS = 6 * 3_600_000;

/** The server's clock on this device. The device's own date is never used for it. */
export class ServerClock {
  #offset = 0;
  #roundTrip = Infinity;
  #sampledAt = -Infinity;
  #maxCorrection = 0;

  /** Server ms now. */
  now() {
    return performance.now() + this.#offset;
  }

  /** In ms: how far this screen was ever off. */
  get maxCorrection() {
    return this.#maxCorrection;
  }

  /** Server ms at a time of performance.now(). */
  at(time) {
    return time + this.#offset;
  }

  /** Use the offset from before a reload until the server's next answer. */
  restore(offset) {
    this.#offset = offset;
    this.#roundTrip = Infinity;
  }

  /** Use one request and its answer; times of performance.now(). True when that set the clock. */
  sample(sent, received, serverNow) {
    const roundTrip = received - sent;
    const offset = serverNow - (sent + received) / 2;
    const stale = performance.now() - this.#sampledAt > STALE_MS;
    const differs = Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2 + TOLERANCE_MS;
    if (!(roundTrip <= this.#roundTrip || stale || differs)) return false;
    if (this.#roundTrip < Infinity) {
      this.#maxCorrection = Math.max(this.#maxCorrection, Math.abs(offset - this.#offset));
    }
    this.#offset = offset;
    this.#roundTrip = roundTrip;
    this.#sampledAt = performance.now();
    return true;
  }

  /** The device slept for about `ms`; the server's next answer corrects that. */
  addSleep(ms) {
    this.#offset += ms;
    this.#roundTrip = Infinity;
  }
}

/** The device slept when its date went on while performance.now() stood still. */
export class SleepWatch {
  #lead = Date.now() - performance.now();

  /** Ms slept since the last call, 0 for none. */
  measure() {
    const lead = Date.now() - performance.now();
    const gained = lead - this.#lead;
    this.#lead = lead;
    return gained > LEAST_SLEEP_MS && gained < MOST_SLEEP_MS ? gained : 0;
  }
}

/** Rows are [id, begins in ms, ends in ms, waits], counted from the fragment's `now`. */
export function momentFromFragment(live) {
  const data = live.dataset;
  const now = Number(data.now);
  const rows = JSON.parse(data.rows).map(([id, begins, ends, wait]) => row(now, { id, wait, begins, ends }));
  return {
    live, now, rows,
    status: data.status,
    seq: Number(data.seq),
    index: Number(data.index),
    waited: Number(data.waitedMs),
    planned: Number(data.plannedMs),
  };
}

/** From a view of rules/commands.js. */
export function momentFromView(live, { state, rows, plannedMs }, seq) {
  const { at: now, status, index, waited } = state;
  return {
    live, now, status, seq, index, waited,
    rows: rows.map(({ id, wait, beginsIn, endsIn }) => row(now, { id, wait, begins: beginsIn, ends: endsIn })),
    planned: plannedMs,
  };
}

function row(now, { id, wait, begins, ends }) {
  return { id, wait, begins: now + begins, ends: ends === null ? null : now + ends };
}

export class StagePainter {
  /** When the page last went on to another step by itself, in ms of performance.now(). */
  steppedAt = -Infinity;
  #stage;
  #clock;
  #callbacks;
  #timer = 0;
  #moment = null;
  #shown = { row: 0, text: null };

  /** `callbacks`: moved() and then drawn() at a step, overdue() at the end of the plan. */
  constructor(stage, clock, callbacks) {
    this.#stage = stage;
    this.#clock = clock;
    this.#callbacks = callbacks;
  }

  /** How many steps the page went on by itself since the moment. */
  get row() {
    return this.#shown.row;
  }

  /** The digits that are shown. */
  get text() {
    return this.#shown.text;
  }

  setMoment(moment) {
    this.#moment = moment;
    this.#shown = { row: 0, text: null };
  }

  stop() {
    clearTimeout(this.#timer);
  }

  /** Paints now, and again when the second changes. */
  paint() {
    this.stop();
    const { status, now, waited } = this.#moment ?? {};
    if (status === "running") this.#paintRunning();
    else if (status === "paused") this.#paintIn(Math.min(this.#paintHold(), this.#paintEnds(now)));
    else if (status === "waiting") this.#countUp(now - waited);
    else if (status === "ready") this.#paintIn(this.#paintEnds(now));
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
    if (left > 0) this.#paintIn(left - (seconds - 1) * 1000);
    else if (now - ends < UNCONFIRMED_END_MS) this.#paintIn(UNCONFIRMED_END_MS);
    else this.#callbacks.overdue();
  }

  #isOver({ ends, wait }, now) {
    return ends !== null && !wait && now >= ends;
  }

  #countUp(since) {
    const waited = Math.max(0, this.#clock.now() - since);
    const seconds = Math.floor(waited / 1000);
    this.write(clockText(seconds));
    if (this.#live.dataset.status === "running") this.#live.classList.add("stage-waiting");
    this.#paintEnds(since);
    this.#paintIn((seconds + 1) * 1000 - waited);
  }

  /** The end moves on from `since`, while nothing counts. Returns the ms until it changes. */
  #paintEnds(since) {
    const { now } = this.#moment;
    return paintEnds(this.#live, now, Math.max(0, this.#clock.now() - Math.max(since, now)));
  }

  /** In a pause with cups on: the rest of their time. Returns the ms until it changes. */
  #paintHold() {
    const hold = this.#live.querySelector("#hold-left");
    if (!hold) return Infinity;
    const left = Math.max(0, Number(hold.dataset.until) - this.#clock.now());
    const seconds = Math.ceil(left / 1000);
    hold.textContent = clockText(seconds);
    return left > 0 ? left - (seconds - 1) * 1000 : Infinity;
  }

  #paintIn(ms) {
    this.#timer = setTimeout(() => this.paint(), ms + 1);
  }

  write(text) {
    if (this.#shown.text === text) return;
    this.#shown.text = text;
    const digits = this.#live.querySelector("[role=timer]");
    const node = digits.firstChild;
    // Only the text: with a new node the browser checks every :has() of the stage again.
    if (!node) digits.textContent = text;
    else if (node.data !== text) node.data = text;
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
    // At most 1: before the first answer the server's clock is not known.
    const left = Math.min(1, Math.max(0, ends - now) / (ends - Math.max(begins, this.#moment.now)));
    const from = this.#shown.from;
    done.setAttribute("width", (whole * (from + (1 - from) * (1 - left))).toFixed(2));
  }

  /** Goes on to a later step of the plan without asking the server. */
  #step(row) {
    const { rows, live, index } = this.#moment;
    for (const past of rows.slice(0, row)) {
      const rects = live.querySelectorAll(`.segment[data-step="${CSS.escape(past.id)}"] rect`);
      rects[1]?.setAttribute("width", rects[0].getAttribute("width"));
    }
    this.#shown = { row, text: null };
    this.steppedAt = performance.now();
    this.#callbacks.moved();
    Object.assign(live.dataset, { step: rows[row].id, index: index + row });
    const step = renderStep(this.#stage, live, rows[row].id);
    if (!step) return;
    renderNext(this.#stage, live, rows, row);
    live.className = `stage stage-running ${step.kind} ${step.hue}`;
    this.#callbacks.drawn();
  }
}
