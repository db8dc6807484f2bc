// Goes on without the server: by the same rules, stores what is done, and sends it later.
import { STOP_ACTS } from "../stage/connection.js";
import { momentFromView } from "../stage/painter.js";
import { clockText, renderControls, renderState } from "../stage/render.js";
import { say } from "../stage/said-line.js";
import { LocalSession, Refused, SyncQueue, newKey } from "./local-session.js";
import { dropPage, sessionStore } from "./session-store.js";

const STOP_UNSENT = "The stop counts here. The server has not heard of it yet; this device keeps trying.";
const NOT_STORED = "Not kept by this browser: leave this page open until it is sent.";
const REJECTED = "The server could not take over what was done here; it shows its own state now.";
const RESTORE_TIMEOUT_MS = 3_000;
const MINUTE_MS = 60_000;
const FARTHEST_END_MS = 12 * 60 * MINUTE_MS; // a time that is farther away has passed
const PASSED_MS = FARTHEST_END_MS + 60 * MINUTE_MS; // one day of the year is an hour longer

const deviceNow = () => performance.timeOrigin + performance.now();

/** Ms until the wall clock next shows `HH:MM`, 0 where that has passed; an hour may come twice in a night, or never. */
export function msUntil(text, now = Date.now()) {
  const [, hour, minute] = /^([01]?\d|2[0-3])[:.]([0-5]\d)$/.exec((text ?? "").trim()) ?? [];
  const first = Math.floor(now / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  let passed = false;
  for (let at = first - PASSED_MS; at <= now + FARTHEST_END_MS; at += MINUTE_MS) {
    const shown = new Date(at);
    if (shown.getHours() !== Number(hour) || shown.getMinutes() !== Number(minute)) continue;
    if (at > now) return at - now;
    passed = true;
  }
  if (passed) return 0;
  throw new Refused("Please give a time, like 15:50.");
}

export class OfflineSession {
  #stage;
  #parts;
  #path;
  #session;
  #queue;
  #storeRead = false;
  #restored = false;
  #warned = false;
  #confirming = null; // number of events before the time that the server lost

  /** `parts` are the stage's clock, status, stop and painter, its `moment()`, `show(moment, rendered)` and `resync()`. */
  constructor(stage, parts) {
    this.#stage = stage;
    this.#parts = parts;
    this.#path = stage.dataset.path;
    this.#session = new LocalSession(JSON.parse(stage.dataset.plan), JSON.parse(stage.dataset.answers));
    this.#queue = new SyncQueue(this.#path, () => this.#message(), (...sent) => this.#sent(...sent));
    this.adopt(parts.moment().live);
    this.#restore();
  }

  close() {
    this.#queue.close();
  }

  /** True while acts wait to be sent. */
  get waiting() {
    return this.#session.waiting;
  }

  get waitingCount() {
    return this.#session.acts.length;
  }

  get stopWaiting() {
    return this.#session.acts.some(({ action }) => STOP_ACTS.includes(action));
  }

  /** Takes the events that the server knows. */
  adopt(live) {
    this.#session.setEvents(JSON.parse(live.dataset.events));
  }

  sync() {
    this.#queue.send();
  }

  /** `form` is what the act's button sends, where there is one. */
  act(action, key, at, form) {
    const { status, stop } = this.#parts;
    try {
      const wish = action === "end-at" ? this.#wish(form) : null;
      say(this.#session.act(action, Math.round(at), key ?? newKey(), wish));
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      return this.#parts.moment().status === "ready" ? status.showNote(refused.message) : say(refused.message);
    }
    status.showNote(stop.waiting ? STOP_UNSENT : status.lastingNote);
    this.#storeActs();
    if (!stop.waiting) this.show();
    this.#parts.moment().live.dataset.seq = this.#session.seq;
    const acted = new CustomEvent("stage:acted", { detail: action });
    setTimeout(() => document.dispatchEvent(acted)); // after all listeners have had the tap itself
    if (status.lostSince) status.setLost(this.waitingCount);
    this.sync();
  }

  /** Ms until the hands-on work must be over. */
  #wish(form) {
    const until = msUntil(form?.get("time"));
    const { upIn, handsOnEndsIn } = this.#session.view(Math.round(this.#parts.clock.now()));
    return Math.max(0, until - (form.get("which") === "up" ? upIn - handsOnEndsIn : 0));
  }

  /** A refusal of the browser is said once, and at every stop. */
  async #storeActs() {
    const { status, stop } = this.#parts;
    if ((await this.store()) !== false || !this.waiting) return;
    status.storageWorks = false;
    if (status.lostSince) status.setLost(this.waitingCount);
    if (stop.waiting) status.showNote(`${STOP_UNSENT} ${NOT_STORED}`);
    else if (!this.#warned) status.showNotice(NOT_STORED);
    this.#warned = true;
  }

  /** Shows the state after all events, those of the server and those of this device. */
  show() {
    const { clock, painter } = this.#parts;
    const { live } = this.#parts.moment();
    const view = this.#session.view(Math.round(clock.now()));
    renderState(this.#stage, live, view, this.#session.seq);
    renderControls(this.#stage, view.state.status, view.actions);
    const holds = view.state.status !== "running" && view.rows.length;
    this.#parts.show(momentFromView(live, view, this.#session.seq), () => {
      if (holds) painter.write(clockText(Math.ceil(view.remainingMs / 1000)));
    });
  }

  /** Null when the server knows everything. */
  #message() {
    if (!this.waiting && this.#confirming === null) return null;
    const { clock, status } = this.#parts;
    const counted = !status.slept && !this.#restored;
    return this.#session.message(Math.round(clock.now()), Math.round(status.answeredAt), counted);
  }

  /** The server has answered: show its state, and its words on what it could not do. */
  #sent(message, notice, accepted) {
    const { status, stop } = this.#parts;
    if (message.acts.length < this.waitingCount) return this.sync();
    const stopped = accepted && message.acts.some(({ action }) => STOP_ACTS.includes(action));
    this.#session.clearActs();
    this.#restored = false;
    this.#confirming = null;
    if (stopped) stop.confirm();
    if (stopped || this.#warned) status.showNote(status.lastingNote);
    this.store();
    status.showNotice(accepted ? notice : REJECTED);
    this.#parts.moment().live.querySelector("input[name=seq]").value = "";
    this.#parts.resync();
  }

  /** True when the server lost time but this device went on counting: it confirms that instead of showing a pause. */
  confirmsTime(next) {
    const { moment, status } = this.#parts;
    if (!next || moment().status !== "running" || status.slept || this.waiting) return false;
    const events = JSON.parse(next.dataset.events);
    const known = this.#session.events.length;
    if (events.length !== known + 1 || events[known][0] !== "doubt" || this.#confirming === known) return false;
    this.#confirming = known;
    this.sync();
    return true;
  }

  /** Stores events, acts and the clock for a reload; false where the browser refuses. */
  store() {
    if (!this.#storeRead) return undefined;
    const { status } = this.#parts.moment();
    if (["ready", "stopped", "finished"].includes(status) && !this.waiting) {
      if (status !== "ready") dropPage(location.pathname);
      return sessionStore.delete(this.#path);
    }
    const { events, acts } = this.#session;
    return sessionStore.put({
      path: this.#path,
      title: this.#stage.querySelector(".stage-title").textContent.trim(),
      events,
      acts,
      lead: this.#parts.clock.now() - deviceNow(),
      answeredAt: this.#parts.status.answeredAt,
    });
  }

  /** After a reload: goes on with what the server has not heard of. */
  async #restore() {
    const { clock, status, stop } = this.#parts;
    const timer = setTimeout(() => stop.waiting && stop.send(), RESTORE_TIMEOUT_MS); // some browsers never answer
    const stored = await sessionStore.get(this.#path);
    clearTimeout(timer);
    this.#storeRead = true;
    const fromCache = document.documentElement.dataset.kept === "yes";
    if (stored && (stored.acts.length || fromCache)) {
      this.#restored = true;
      this.#session.restore(stored);
      if (fromCache) {
        clock.restore(stored.lead + performance.timeOrigin);
        status.answeredAt = stored.answeredAt;
        status.setLost(this.waitingCount);
      }
      this.show();
    }
    this.store();
    if (this.waiting) this.sync();
    else if (stop.waiting) stop.send();
  }
}
