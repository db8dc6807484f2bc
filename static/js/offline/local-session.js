// A session carried on by this device: what the server knew, and the acts since, by the rules of rules/; and the
// queue that sends them, again and again until the server answers. Keys make repeating harmless.
// Instants are server ms.
import { localStore } from "../page/preferences.js";
import { Refused, decide, told, view } from "../rules/commands.js";
import { advance, fold } from "../rules/session.js";

export { Refused };

const LEADS_TO_TOUCH = ["start", "resume", "next", "back", "restart", "release"];

export class LocalSession {
  #plan;
  #validity;
  #events = [];
  #acts = [];

  /**
   * `validity` says how long the answers of the screening count:
   * { until, pauseMs, words: { start, old, paused } }, null where they count for ever.
   */
  constructor(plan, validity) {
    this.#plan = plan;
    this.#validity = validity;
  }

  /** `events` are the server's: [[kind, at, leftMs], ...]. */
  setEvents(events) {
    this.#events = events;
  }

  get events() {
    return this.#events;
  }

  /** Not sent to the server yet, in order. */
  get acts() {
    return this.#acts;
  }

  get waiting() {
    return this.#acts.length > 0;
  }

  get seq() {
    return this.#events.length + this.#acts.length;
  }

  #allEvents() {
    return [...this.#events, ...this.#acts.map((act) => act.event)];
  }

  view(now) {
    return view(this.#plan, fold(this.#plan, this.#allEvents()), now);
  }

  /** Returns what is to be said of it. Throws Refused with the reason. `wishMs` goes with end-at. */
  act(action, at, key, wishMs = null) {
    if (this.#acts.some((act) => act.key === key)) return "";
    const folded = fold(this.#plan, this.#allEvents());
    const state = advance(this.#plan, folded, at);
    this.#check(action, state, at);
    const event = decide(this.#plan, folded, action, at, wishMs);
    const step = this.#plan.steps[state.index]?.id ?? "end";
    this.#acts.push({ key, action, step, wishMs, event });
    return told(this.#plan, state, event, wishMs);
  }

  /** As the server: answers that are too old lead to no touch. */
  #check(action, state, at) {
    const { until, pauseMs, words } = this.#validity;
    if (action === "start") throw new Refused(words.start);
    if (!LEADS_TO_TOUCH.includes(action)) return;
    if (until !== null && at > until && this.#isBeforeFirstTouch(state)) throw new Refused(words.old);
    if (pauseMs !== null && this.#pausedMs(state, at) > pauseMs) throw new Refused(words.paused);
  }

  #isBeforeFirstTouch({ status, done, index }) {
    const atWork = status === "running" || status === "waiting";
    const touched = ({ kind }, i) => kind === "phase" && (done[i] || (i === index && atWork));
    return !this.#plan.steps.some(touched);
  }

  #pausedMs({ status, index }, at) {
    const over = !this.#plan.steps.slice(index).some(({ kind }) => kind === "phase");
    if (status !== "paused" || over) return 0;
    const pause = this.#allEvents().findLast(([kind]) => kind === "pause" || kind === "doubt");
    return pause ? at - pause[1] : 0;
  }

  /** What the server gets; `now` is its own time as this device counts it. */
  message(now, aloneSince, counted) {
    const acts = this.#acts.map(({ key, action, step, wishMs, event }) => ({
      key,
      action,
      at: Math.round(event[1]),
      step,
      ...(wishMs === null ? {} : { wish_ms: Math.round(wishMs) }),
    }));
    const { status } = this.view(now).state;
    return { seq: this.#events.length, line: now, alone_since: aloneSince, counted, status, acts };
  }

  /** The server has them. */
  clearActs() {
    this.#acts = [];
  }

  /** What was stored before a reload. */
  restore({ events, acts }) {
    if (events.length >= this.#events.length) this.#events = events;
    this.#acts = acts;
  }
}

const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 10_000;
const TIMEOUT_MS = 6_000;
const STOP_RETRY_MS = 2_000;

export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `own-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** What was done while the server could not be asked: sent as one message, in order. */
export class SyncQueue {
  #path;
  #read;
  #done;
  #timer = 0;
  #retryMs = FIRST_RETRY_MS;
  #sending = false;

  /** `read()` returns the message, or null; `done(message, notice, accepted)` gets the server's words. */
  constructor(path, read, done) {
    this.#path = path;
    this.#read = read;
    this.#done = done;
  }

  async send() {
    clearTimeout(this.#timer);
    const message = this.#sending ? null : this.#read();
    if (!message) return;
    this.#sending = true;
    const response = await this.#post(message);
    this.#sending = false;
    // 401: no longer paired; what was done is stored until the device is paired again.
    if (!response || response.status >= 500 || response.status === 401) return this.#retry();
    this.#retryMs = FIRST_RETRY_MS;
    this.#done(message, response.text, response.ok);
  }

  async #post(message) {
    const body = new URLSearchParams({ account: JSON.stringify(message) });
    const headers = { "HX-Request": "true" };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await fetch(`${this.#path}/account`, { method: "POST", body, headers, signal });
      return { status: response.status, ok: response.ok, text: await response.text() };
    } catch {
      return null;
    }
  }

  #retry() {
    this.#timer = setTimeout(() => this.send(), this.#retryMs * (0.75 + Math.random() / 2));
    this.#retryMs = Math.min(MAX_RETRY_MS, this.#retryMs * 2);
  }

  close() {
    clearTimeout(this.#timer);
  }
}

/** A stop, stored over a reload where the browser allows it. */
export class PendingStop {
  #key;
  #path;
  #onConfirmed;
  #timer = 0;

  constructor(path, onConfirmed) {
    this.#path = path;
    this.#key = `stop ${path}`;
    this.#onConfirmed = onConfirmed;
  }

  get waiting() {
    return localStore.get(this.#key) !== null;
  }

  /** `act` is "stop" or "low", `form` what its button sends. */
  add(act, form) {
    localStore.set(this.#key, `${act}?${form}`);
  }

  get act() {
    return localStore.get(this.#key)?.split("?", 1)[0];
  }

  confirm() {
    localStore.set(this.#key, null);
    clearTimeout(this.#timer);
  }

  async send() {
    clearTimeout(this.#timer);
    const stored = localStore.get(this.#key);
    if (stored === null) return;
    const [act, body] = stored.split(/\?(.*)/s);
    try {
      const type = "application/x-www-form-urlencoded";
      const headers = { "Content-Type": type, "HX-Request": "true" };
      const response = await fetch(`${this.#path}/${act}`, { method: "POST", body, headers });
      if (/data-status="(stopped|finished)"/.test(await response.text())) {
        this.confirm();
        this.#onConfirmed();
        return;
      }
    } catch {
      // No connection.
    }
    this.#timer = setTimeout(() => this.send(), STOP_RETRY_MS);
  }
}
