// A session as this device carries it on by itself: what the server knew, and what was done here since.
// The rules are those of session-rules.js; instants are server ms as this device counts them on.
import { Refused, decide } from "./session-acts.js";
import { fold } from "./session-rules.js";
import { advance } from "./session-time.js";
import { view } from "./session-view.js";

export { Refused };

const LEADS_ON = ["start", "resume", "next", "back", "restart", "release"];

export class OwnSession {
  #plan;
  #answers;
  #events = [];
  #acts = [];

  /**
   * `plan` is the bare plan; `answers` says how long the answers of the screening count:
   * { until, pauseMs, words: { start, old, paused } }, null where they count for ever.
   */
  constructor(plan, answers) {
    this.#plan = plan;
    this.#answers = answers;
  }

  /** What the server knows: [[kind, at, leftMs], ...]. */
  adopt(events) {
    this.#events = events;
  }

  get events() {
    return this.#events;
  }

  /** What was done here and not handed over yet, in order. */
  get acts() {
    return this.#acts;
  }

  get waiting() {
    return this.#acts.length > 0;
  }

  get seq() {
    return this.#events.length + this.#acts.length;
  }

  #all() {
    return [...this.#events, ...this.#acts.map((act) => act.event)];
  }

  view(now) {
    return view(this.#plan, fold(this.#plan, this.#all()), now);
  }

  /** Do `action` here. Throws Refused with the reason. `wishMs` goes with end-at. */
  act(action, at, key, wishMs = null) {
    if (this.#acts.some((act) => act.key === key)) return;
    const folded = fold(this.#plan, this.#all());
    const state = advance(this.#plan, folded, at);
    this.#check(action, state, at);
    const event = decide(this.#plan, folded, action, at, wishMs);
    const step = this.#plan.steps[state.index]?.id ?? "end";
    this.#acts.push({ key, action, step, wishMs, event });
  }

  /** As webapp/routes/hindrances.py: answers that are too old lead to no touch. */
  #check(action, state, at) {
    const { until, pauseMs, words } = this.#answers;
    if (action === "start") throw new Refused(words.start);
    if (!LEADS_ON.includes(action)) return;
    if (until !== null && at > until && this.#beforeFirstTouch(state)) throw new Refused(words.old);
    if (pauseMs !== null && this.#pausedMs(state, at) > pauseMs) throw new Refused(words.paused);
  }

  #beforeFirstTouch({ status, done, index }) {
    const atWork = status === "running" || status === "waiting";
    const touched = ({ kind }, i) => kind === "phase" && (done[i] || (i === index && atWork));
    return !this.#plan.steps.some(touched);
  }

  #pausedMs({ status, index }, at) {
    const over = !this.#plan.steps.slice(index).some(({ kind }) => kind === "phase");
    if (status !== "paused" || over) return 0;
    const pause = this.#all().findLast(([kind]) => kind === "pause" || kind === "doubt");
    return pause ? at - pause[1] : 0;
  }

  /** For the server: everything done here, with `line`, this device's idea of the server's now. */
  account(line, aloneSince, counted) {
    const acts = this.#acts.map(({ key, action, step, wishMs, event }) => ({
      key,
      action,
      at: Math.round(event[1]),
      step,
      ...(wishMs === null ? {} : { wish_ms: Math.round(wishMs) }),
    }));
    const { status } = this.view(line).state;
    return { seq: this.#events.length, line, alone_since: aloneSince, counted, status, acts };
  }

  /** The server has all of it. */
  handedOver() {
    this.#acts = [];
  }

  /** What was kept over a reload. */
  restore({ events, acts }) {
    if (events.length >= this.#events.length) this.#events = events;
    this.#acts = acts;
  }
}
