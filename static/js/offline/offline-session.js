// The session without the server: goes on by the same rules, keeps what is done, and hands it over later.
import { HandOver } from "./hand-over.js";
import { dropOffline } from "./keep-offline.js";
import { keptSessions } from "./kept-sessions.js";
import { OwnSession, Refused } from "./own-session.js";
import { clockText, momentOfView, newKey } from "./stage-moment.js";
import { drawControls, drawLive } from "./stage-view.js";

const STOP_UNSENT = "The stop counts here. The server has not heard of it yet; this device keeps trying.";
const STAY = "Not kept by this browser: leave this page open until it is sent.";
const UNREAD = "The server could not take over what was done here; it shows its own state now.";
const UNANSWERED_MS = 3_000;
const STOPPING = ["stop", "low"];

const deviceNow = () => performance.timeOrigin + performance.now();

/** From now until the next time the clock on the wall shows `HH:MM`. */
function untilTime(text) {
  const [hours, minutes] = (text ?? "").split(":").map(Number);
  if (Number.isNaN(hours + minutes)) throw new Refused("Please give a time, like 15:50.");
  const at = new Date();
  at.setHours(hours, minutes, 0, 0);
  if (at <= new Date()) at.setDate(at.getDate() + 1);
  return at - new Date();
}

export class StageAlone {
  #stage;
  #with;
  #path;
  #own;
  #handOver;
  #remembered = false;
  #restored = false;
  #warned = false;
  #settling = null;

  /** `parts` are the stage's clock, link, stop and painter, its `moment()`, `show(moment)` and `resync()`. */
  constructor(stage, parts) {
    this.#stage = stage;
    this.#with = parts;
    this.#path = stage.dataset.path;
    this.#own = new OwnSession(JSON.parse(stage.dataset.plan), JSON.parse(stage.dataset.answers));
    this.#handOver = new HandOver(this.#path, () => this.#account(), (...told) => this.#handedOver(...told));
    this.adopt(parts.moment().live);
    this.#restore();
  }

  close() {
    this.#handOver.close();
  }

  /** True while acts that were done here wait to be handed over. */
  get waiting() {
    return this.#own.waiting;
  }

  get kept() {
    return this.#own.acts.length;
  }

  /** True after a stop that the server has not taken over yet. */
  get stopping() {
    return this.#own.acts.some(({ action }) => STOPPING.includes(action));
  }

  /** The server's own word on what happened. */
  adopt(live) {
    this.#own.adopt(JSON.parse(live.dataset.events));
  }

  handOver() {
    this.#handOver.now();
  }

  /** Do it here, by the same rules, and tell the server as soon as it can be asked. */
  act(action, key, at, time) {
    const { link, stop } = this.#with;
    try {
      const wish = action === "end-at" ? untilTime(time) : null;
      this.#own.act(action, Math.round(at), key ?? newKey(), wish);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      return link.note(refused.message);
    }
    link.note(stop.waiting ? STOP_UNSENT : link.standing);
    this.#keepActs();
    if (!stop.waiting) this.show();
    this.#with.moment().live.dataset.seq = this.#own.seq;
    const acted = new CustomEvent("stage:acted", { detail: action });
    setTimeout(() => document.dispatchEvent(acted)); // after the tap itself has reached everyone
    if (link.lostSince) link.lost(this.kept);
    this.#handOver.now();
  }

  /** Where the browser has refused, that is said once; a stop says so always. */
  async #keepActs() {
    const { link, stop } = this.#with;
    if ((await this.keep()) !== false || !this.waiting) return;
    link.keeps = false;
    if (link.lostSince) link.lost(this.kept);
    if (stop.waiting) link.note(`${STOP_UNSENT} ${STAY}`);
    else if (!this.#warned) link.say(STAY);
    this.#warned = true;
  }

  /** Show what the rules make of all that happened, here and on the server. */
  show() {
    const { clock, painter } = this.#with;
    const { live } = this.#with.moment();
    const view = this.#own.view(Math.round(clock.now()));
    drawLive(this.#stage, live, view, this.#own.seq);
    drawControls(this.#stage, view.state.status, view.actions);
    const held = view.state.status !== "running" && view.rows.length;
    this.#with.show(momentOfView(live, view, this.#own.seq), () => {
      if (held) painter.write(clockText(Math.ceil(view.remainingMs / 1000)));
    });
  }

  /** What the server has to know; null when there is nothing. */
  #account() {
    if (!this.#own.waiting && this.#settling === null) return null;
    const { clock, link } = this.#with;
    const counted = !link.slept && !this.#restored;
    return this.#own.account(Math.round(clock.now()), Math.round(link.answeredAt), counted);
  }

  /** The server has answered for `account`: its truth is shown, and its word on what it could not do. */
  #handedOver(account, said, understood) {
    const { link, stop } = this.#with;
    if (account.acts.length < this.kept) return this.#handOver.now();
    const stopped = account.acts.some(({ action }) => STOPPING.includes(action));
    this.#own.handedOver();
    this.#restored = false;
    this.#settling = null;
    if (stopped && understood) stop.heard();
    if ((stopped && understood) || this.#warned) link.note(link.standing); // nothing waits to be heard any more
    this.keep();
    link.say(understood ? said : UNREAD);
    this.#with.moment().live.querySelector("input[name=seq]").value = "";
    this.#with.resync();
  }

  /** The server lost time and asks, but this device went on counting: true when it says so instead of showing that. */
  settles(next) {
    if (!next || this.#with.moment().status !== "running" || this.#with.link.slept || this.#own.waiting) return false;
    const events = JSON.parse(next.dataset.events);
    const known = this.#own.events.length;
    if (events.length !== known + 1 || events[known][0] !== "doubt" || this.#settling === known) return false;
    this.#settling = known;
    this.#handOver.now();
    return true;
  }

  /** Kept over a reload (false where the browser refuses): what the server knew, what was done here, and how far its clock is ahead. */
  keep() {
    if (!this.#remembered) return undefined;
    const { status } = this.#with.moment();
    if (["ready", "stopped", "finished"].includes(status) && !this.#own.waiting) {
      if (status !== "ready") dropOffline(location.pathname);
      return keptSessions.drop(this.#path);
    }
    const { events, acts } = this.#own;
    return keptSessions.keep({
      path: this.#path,
      title: this.#stage.querySelector(".stage-title").textContent.trim(),
      events,
      acts,
      lead: this.#with.clock.now() - deviceNow(),
      answeredAt: this.#with.link.answeredAt,
    });
  }

  /** After a reload: go on with what was done here and the server has not heard of. */
  async #restore() {
    const { clock, link, stop } = this.#with;
    const late = setTimeout(() => stop.waiting && stop.send(), UNANSWERED_MS); // some browsers never answer
    const kept = await keptSessions.of(this.#path);
    clearTimeout(late);
    this.#remembered = true;
    const fromCache = document.documentElement.dataset.kept === "yes";
    if (kept && (kept.acts.length || fromCache)) {
      this.#restored = true;
      this.#own.restore(kept);
      if (fromCache) {
        clock.trust(kept.lead + performance.timeOrigin);
        link.answeredAt = kept.answeredAt;
        link.lost(this.kept);
      }
      this.show();
    }
    this.keep();
    if (this.#own.waiting) this.#handOver.now();
    else if (stop.waiting) stop.send();
  }
}
