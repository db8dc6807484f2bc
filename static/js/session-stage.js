// <session-stage>: paints the seconds between the server's answers. When the server cannot be asked it
// goes on by the plan and the rules that it has, keeps what is done meanwhile, and hands it over later.
import { HandOver } from "./hand-over.js";
import { dropOffline, keepOffline } from "./keep-offline.js";
import { keptSessions } from "./kept-sessions.js";
import { Nudges } from "./nudges.js";
import { OwnSession, Refused } from "./own-session.js";
import { PendingStop } from "./pending-stop.js";
import { ServerClock, SleepWatch } from "./server-clock.js";
import { drawControls, drawLive, drawStep } from "./stage-view.js";

const TRUST_OWN_STEP_MS = 2_000;
const DOUBLE_TAP_MS = 400;
const ENDING_SECONDS = 10;
const FILL_SECONDS = 5; // the bar moves slowly; each second would only cost power
const UNCONFIRMED_END_MS = 3_000;
const SAID_MS = 60_000;
const STOP_UNSENT = "The stop counts here. The server has not heard of it yet; this device keeps trying.";
const UNREAD = "The server could not take over what was done here; it shows its own state now.";
const STOPS = "#act-stop, #act-low";
const STOPPING = ["stop", "low"];
const WAKING = ["visibilitychange", "resume"];
const RETURNING = ["pageshow", "online", "focus"];

const pad = (n) => String(n).padStart(2, "0");
const clockText = (s) => `${Math.floor(s / 60)}:${pad(s % 60)}`;

const deviceNow = () => performance.timeOrigin + performance.now();

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `own-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

/** From now until the next time the clock on the wall shows `HH:MM`. */
function untilTime(text) {
  const [hours, minutes] = (text ?? "").split(":").map(Number);
  if (Number.isNaN(hours + minutes)) throw new Refused("Please give a time, like 15:50.");
  const at = new Date();
  at.setHours(hours, minutes, 0, 0);
  if (at <= new Date()) at.setDate(at.getDate() + 1);
  return at - new Date();
}

class SessionStage extends HTMLElement {
  #clock = new ServerClock();
  #sleep = new SleepWatch();
  #sent = new WeakMap();
  #timer = 0;
  #shown = null;
  #confirmed = null;
  #steppedAt = -Infinity;
  #byKeys = false;
  #restored = false;
  #remembered = false;
  #lostSince = null;
  #tapped = { control: null, at: -Infinity };
  #stop = new PendingStop(this.dataset.path, () => this.#resync());
  #nudges = new Nudges(this.dataset.path, () => this.#resync());
  #own = null;
  #handOver = new HandOver(
    this.dataset.path,
    () => this.#account(),
    (...told) => this.#handedOver(...told),
  );
  #lastAnswer = 0;
  #slept = false;
  #settling = null;
  #said = 0;
  #alonest = 0;
  #name = newKey().slice(0, 28);
  #listeners = new AbortController();

  connectedCallback() {
    this.#own = new OwnSession(JSON.parse(this.dataset.plan), JSON.parse(this.dataset.answers));
    const on = (target, name, act) =>
      target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "htmx:before:request", (e) => this.#sent.set(e.detail.ctx, performance.now()));
    on(this, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    on(this, "htmx:before:swap", (e) => {
      const { ctx, tasks } = e.detail;
      const failed = ctx.response?.status >= 500;
      if (failed) this.#failed(ctx);
      if (failed || this.#isOld(ctx) || this.#isDoubtOnly(tasks)) e.preventDefault();
      else this.#keepDigits(tasks);
    });
    on(this, "htmx:after:swap", () => this.#adopt());
    on(document, "htmx:after:swap", () => this.#adopt());
    on(document, "htmx:finally:request", (e) => this.#unswapped(e.detail.ctx));
    on(document, "htmx:error", (e) => this.#failed(e.detail.ctx));
    const first = { capture: true, signal: this.#listeners.signal };
    this.addEventListener("click", (e) => this.#once(e), first);
    on(this, "htmx:config:request", (e) => this.#configured(e));
    on(this, "submit", (e) => this.#alone && e.preventDefault());
    on(document, "stage:ask", () => this.#confirmed && this.#tellTimeline());
    on(document, "stage:told", (e) => {
      this.querySelector("#session-status").textContent = e.detail;
    });
    on(this, "click", (e) => {
      const stop = e.target.closest(STOPS);
      if (stop) this.#stopAtOnce(stop.id.slice("act-".length));
    });
    for (const name of WAKING) on(document, name, () => (document.hidden ? this.#nudges.close() : this.#wake()));
    on(window, "pagehide", () => this.#report());
    for (const name of RETURNING) on(window, name, () => this.#wake());
    const page = performance.getEntriesByType("navigation")[0];
    if (page && this.#live) {
      this.#clock.sample(page.requestStart, page.responseStart, Number(this.#live.dataset.now));
    }
    this.#adopt();
    if (this.#stop.waiting && this.#confirmed?.status !== "stopped") this.#showStopped();
    this.#restore();
    const loaded = () => {
      this.#resync();
      keepOffline(location.pathname).catch(() => {}); // a browser may refuse; the open page goes on all the same
    };
    addEventListener("load", loaded, { once: true, signal: this.#listeners.signal });
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#nudges.close();
    this.#handOver.close();
    clearTimeout(this.#timer);
  }

  get #live() {
    return this.querySelector("#session-live");
  }

  /** Take what the server has just put into the page as the truth. */
  #adopt() {
    const live = this.#live;
    if (!live || live === this.#confirmed?.live) return;
    const data = live.dataset;
    const now = Number(data.now);
    this.#own.adopt(JSON.parse(data.events));
    const rows = JSON.parse(data.rows).map(([id, begins, ends, wait]) => ({
      id,
      wait,
      begins: now + begins,
      ends: ends === null ? null : now + ends,
    }));
    const before = this.#confirmed;
    if (data.status === "stopped") this.#stop.heard();
    if (!this.#stop.waiting) this.querySelector("#session-controls").hidden = false;
    this.#lastAnswer = Math.max(this.#lastAnswer, now);
    this.#confirmed = {
      live, now, rows,
      status: data.status,
      seq: Number(data.seq),
      index: Number(data.index),
      waited: Number(data.waitedMs),
      planned: Number(data.plannedMs),
    };
    this.#shown = { row: 0, text: null };
    this.#tellTimeline();
    if (before && (before.status !== data.status || before.index !== this.#confirmed.index)) {
      this.#say(live);
    }
    if (data.status === "finished" && before?.status !== "finished") this.#report();
    this.#keep();
    this.#paint();
  }

  /** For voice and chimes: what is shown, and what comes. */
  #tellTimeline() {
    const { rows, status, planned } = this.#confirmed;
    const { row } = this.#shown;
    const first = rows[row];
    const detail = {
      status,
      rows: rows.slice(row),
      total: row ? first.ends - first.begins : planned,
      now: () => this.#clock.now(),
    };
    document.dispatchEvent(new CustomEvent("stage:timeline", { detail }));
  }

  #say(live) {
    if (live.dataset.status === "stopped") {
      live.querySelector("h1").focus();
      return;
    }
    const status = this.querySelector("#session-status");
    const words = [live.querySelector(".step-name"), live.querySelector(".step-place")]
      .map((e) => e?.textContent.trim())
      .filter(Boolean);
    if (live.dataset.status === "paused") words.unshift("Paused");
    status.textContent = words.join(", ");
  }

  /** The answer has arrived: set the clock by it. */
  #answered(ctx) {
    const sent = this.#sent.get(ctx);
    const serverNow = Number(ctx.response.headers.get("X-Now"));
    if (sent === undefined || !serverNow || ctx.response.status >= 500) return;
    this.#slept = false;
    this.#found();
    this.#nudges.listen();
    if (this.#clock.sample(sent, performance.now(), serverNow)) {
      this.#tellTimeline();
      this.#paint();
    }
    this.#lastAnswer = serverNow;
  }

  /** True for an answer that shows less than the page does already. */
  #isOld(ctx) {
    const version = ctx.response?.headers.get("X-Version");
    if (!version || !this.#confirmed) return false;
    if (this.#own.waiting) return true;
    if (this.#stop.waiting && !ctx.text.includes('data-status="stopped"')) return true;
    const [seq, index] = version.split(".").map(Number);
    if (seq !== this.#confirmed.seq) return seq < this.#confirmed.seq;
    const own = this.#confirmed.index + this.#shown.row;
    const steppedLately = performance.now() - this.#steppedAt < TRUST_OWN_STEP_MS;
    return index < own && this.#shown.row > 0 && steppedLately;
  }

  /** The answer's digits are as old as its way here: the same step keeps those that are shown. */
  #keepDigits(tasks) {
    const { seq, status, step } = this.#live.dataset;
    for (const { fragment } of tasks) {
      const next = fragment?.querySelector?.("#session-live");
      const same = next?.dataset.seq === seq && next.dataset.step === step;
      if (same && status === "running" && this.#shown.text) {
        next.querySelector("[role=timer]").textContent = this.#shown.text;
      }
    }
  }

  /** After an act: ask again when its answer found no place in the page, and never lose the focus. */
  #unswapped(ctx) {
    if (ctx.request.method !== "POST") return;
    if (ctx.status !== "swapped") this.#resync();
    else if (this.#byKeys && document.activeElement === document.body) {
      this.querySelector("#session-controls .control-main")?.focus();
    }
  }

  #resync() {
    document.body.dispatchEvent(new Event("resync"));
  }

  #wake() {
    const slept = this.#sleep.look();
    if (slept) {
      this.#clock.slept(slept);
      this.#mark("not confirmed yet");
    }
    this.#paint();
    this.#resync();
  }

  /** No answer. A beat is tried again by itself; an act counts here from the moment of the tap. */
  #failed(ctx) {
    this.#lost();
    if (ctx?.request?.method !== "POST") return;
    const sent = this.#sent.get(ctx);
    const at = sent === undefined ? this.#clock.now() : this.#clock.at(sent);
    const form = ctx.request.body;
    this.#actAlone(ctx.request.action.split("/").pop(), form?.get?.("key"), at, form?.get?.("time"));
  }

  /** Do it here, by the same rules, and tell the server as soon as it can be asked. */
  #actAlone(action, key = null, at = this.#clock.now(), time = null) {
    try {
      const wish = action === "end-at" ? untilTime(time) : null;
      this.#own.act(action, Math.round(at), key ?? newKey(), wish);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      return this.#unsent(refused.message);
    }
    this.#unsent(this.#stop.waiting ? STOP_UNSENT : "");
    this.#keep();
    if (!this.#stop.waiting) this.#showOwn();
    this.#live.dataset.seq = this.#own.seq;
    const acted = new CustomEvent("stage:acted", { detail: action });
    setTimeout(() => document.dispatchEvent(acted)); // after the tap itself has reached everyone
    this.#markLost();
    this.#handOver.now();
  }

  /** Show what the rules make of all that happened, here and on the server. */
  #showOwn() {
    const view = this.#own.view(Math.round(this.#clock.now()));
    const { state, rows, plannedMs } = view;
    const before = this.#confirmed;
    drawLive(this, this.#live, view, this.#own.seq);
    drawControls(this, state.status, view.actions);
    this.#confirmed = {
      live: this.#live,
      now: state.at,
      rows: rows.map(({ id, beginsIn, endsIn, wait }) => ({
        id,
        wait,
        begins: state.at + beginsIn,
        ends: endsIn === null ? null : state.at + endsIn,
      })),
      status: state.status,
      seq: this.#own.seq,
      index: state.index,
      waited: state.waited,
      planned: plannedMs,
    };
    this.#shown = { row: 0, text: null };
    if (state.status !== "running" && rows.length) {
      this.#write(clockText(Math.ceil(view.remainingMs / 1000)));
    }
    this.#tellTimeline();
    if (before.status !== state.status || before.index !== state.index) this.#say(this.#live);
    this.#paint();
  }

  /** What the server has to know; null when there is nothing. */
  #account() {
    if (!this.#own.waiting && this.#settling === null) return null;
    const counted = !this.#slept && !this.#restored;
    return this.#own.account(Math.round(this.#clock.now()), Math.round(this.#lastAnswer), counted);
  }

  /** The server has answered for `account`: its truth is shown, and its word on what it could not do. */
  #handedOver(account, said, understood) {
    if (account.acts.length < this.#own.acts.length) return this.#handOver.now();
    const stopped = account.acts.some(({ action }) => STOPPING.includes(action));
    this.#own.handedOver();
    this.#restored = false;
    this.#settling = null;
    if (stopped && understood) this.#stop.heard();
    this.#keep();
    this.#tell(understood ? said : UNREAD);
    this.#live.querySelector("input[name=seq]").value = "";
    this.#resync();
  }

  /** The server lost time and asks, but this device went on counting: it says so instead of showing that. */
  #isDoubtOnly(tasks) {
    const next = tasks.map(({ fragment }) => fragment?.querySelector?.("#session-live")).find(Boolean);
    if (!next || this.#confirmed.status !== "running" || this.#slept || this.#own.waiting) return false;
    const events = JSON.parse(next.dataset.events);
    const known = this.#own.events.length;
    if (events.length !== known + 1 || events[known][0] !== "doubt" || this.#settling === known) return false;
    this.#settling = known;
    this.#handOver.now();
    return true;
  }

  /** Kept over a reload: what the server knew, what was done here, and how far its clock is ahead. */
  #keep() {
    if (!this.#remembered) return undefined;
    const { status } = this.#confirmed;
    if (["ready", "stopped", "finished"].includes(status) && !this.#own.waiting) {
      if (status !== "ready") dropOffline(location.pathname);
      return keptSessions.drop(this.dataset.path);
    }
    const { events, acts } = this.#own;
    return keptSessions.keep({
      path: this.dataset.path,
      title: this.querySelector(".stage-title").textContent.trim(),
      events,
      acts,
      lead: this.#clock.now() - deviceNow(),
      answeredAt: this.#lastAnswer,
    });
  }

  /** After a reload: go on with what was done here and the server has not heard of. */
  async #restore() {
    const kept = await keptSessions.of(this.dataset.path);
    this.#remembered = true;
    const fromCache = document.documentElement.dataset.kept === "yes";
    if (kept && (kept.acts.length || fromCache)) {
      this.#restored = true;
      this.#own.restore(kept);
      if (fromCache) {
        this.#clock.trust(kept.lead + performance.timeOrigin);
        this.#lastAnswer = kept.answeredAt;
        this.#lost();
      }
      this.#showOwn();
    }
    this.#keep();
    if (this.#own.waiting) this.#handOver.now();
    else if (this.#stop.waiting) this.#stop.send();
  }

  /** The server's word after it was away; it stays for a minute. */
  #tell(text) {
    if (!text) return;
    this.#unsent(text);
    clearTimeout(this.#said);
    this.#said = setTimeout(() => {
      this.#said = 0;
      this.#unsent("");
    }, SAID_MS);
  }

  #unsent(text) {
    const note = this.querySelector("#session-unsent");
    note.textContent = text;
    note.hidden = !text;
  }

  /** A double tap is one tap. */
  #once(event) {
    const control = event.target.closest(".control");
    if (!control || control.matches(STOPS)) return;
    this.#byKeys = event.detail === 0;
    if (this.#stop.waiting) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    const now = performance.now();
    const { control: before, at } = this.#tapped;
    const touched = event.pointerType === "touch" && before === control.id && now - at < DOUBLE_TAP_MS;
    if (event.detail > 1 || touched) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return;
    }
    this.#tapped = { control: control.id, at: now };
  }

  /** While acts count here first, none is sent by itself. */
  #configured(event) {
    const { method, action, body } = event.detail.ctx.request;
    if (method !== "POST" || !this.#alone) return;
    event.preventDefault();
    const act = action.split("/").pop();
    if (!this.#own.acts.some(({ action }) => STOPPING.includes(action))) this.#actAlone(act, null, undefined, body.get("time"));
  }

  /** True while acts count here first: the server does not answer, or has not heard of all yet. */
  get #alone() {
    return this.#lostSince !== null || this.#own.waiting;
  }

  #lost() {
    this.#lostSince ??= new Date();
    this.#markLost();
  }

  #markLost() {
    if (!this.#lostSince) return;
    const since = `${this.#lostSince.getHours()}:${pad(this.#lostSince.getMinutes())}`;
    const taps = this.#own.acts.length;
    this.#mark(`on its own since ${since}${taps ? `, ${taps} kept` : ""}`);
  }

  #found() {
    const was = this.#lostSince;
    if (was) this.#alonest = Math.max(this.#alonest, new Date() - was);
    this.#lostSince = null;
    this.#mark("");
    if (this.#own.waiting) this.#handOver.now();
    else if (was && !this.#stop.waiting && !this.#said) this.#unsent("");
  }

  /** How well this screen kept time, for the summary: told when the session is over or the page goes. */
  #report() {
    const told = { screen: this.#name, apart: Math.round(this.#clock.apart), alone: this.#alonest };
    const body = new URLSearchParams({ account: JSON.stringify(told) });
    if (this.#confirmed.status !== "ready") navigator.sendBeacon(`${this.dataset.path}/screen`, body);
  }

  #mark(text) {
    const mark = this.querySelector("#session-link");
    if (mark.textContent !== text) mark.textContent = text;
  }

  /** A stop counts at once, whether the server answers or not. */
  #stopAtOnce(act) {
    this.#stop.wait(act, new URLSearchParams(new FormData(this.querySelector("#acts"))));
    const alone = this.#alone;
    this.#showStopped();
    if (alone) this.#actAlone(act);
  }

  #showStopped() {
    clearTimeout(this.#timer);
    this.#confirmed.status = "stopped";
    const live = this.#live;
    this.#tellTimeline();
    live.dataset.status = "stopped";
    live.className = "stage stage-stopped";
    live.replaceChildren(
      ...live.querySelectorAll("input"),
      this.querySelector(`#${this.#stop.act}-advice`).content.cloneNode(true),
    );
    this.querySelector("#session-controls").hidden = true;
    this.querySelector("#undo").hidden = true;
    const heading = live.querySelector("h1");
    heading.focus();
    this.querySelector("#session-status").textContent = heading.textContent;
  }

  /** Show this moment, and come back when the second changes. */
  #paint() {
    clearTimeout(this.#timer);
    if (!this.#confirmed) return;
    const { status } = this.#confirmed;
    if (status === "running") this.#paintRunning();
    else if (status === "paused") this.#paintHold();
    else if (status === "waiting") this.#countUp(this.#confirmed.now - this.#confirmed.waited);
  }

  #paintRunning() {
    const { rows } = this.#confirmed;
    const now = this.#clock.now();
    let row = 0;
    while (row + 1 < rows.length && this.#isOver(rows[row], now)) row += 1;
    if (row !== this.#shown.row) this.#step(row);
    const { begins, ends, wait } = rows[row];
    if (ends === null) return this.#countUp(begins);
    if (now >= ends && wait) return this.#countUp(ends);
    const left = Math.max(0, ends - now);
    const seconds = Math.ceil(left / 1000);
    this.#write(clockText(seconds));
    this.#live.classList.toggle("stage-ending", seconds <= ENDING_SECONDS);
    if (this.#shown.from === undefined || seconds % FILL_SECONDS === 0) this.#fill(rows[row], now);
    if (left > 0) this.#again(left - (seconds - 1) * 1000);
    else if (now - ends < UNCONFIRMED_END_MS) this.#again(UNCONFIRMED_END_MS);
    else if (this.#lostSince) this.#showOwn();
  }

  #isOver({ ends, wait }, now) {
    return ends !== null && !wait && now >= ends;
  }

  #countUp(since) {
    const waited = Math.max(0, this.#clock.now() - since);
    const seconds = Math.floor(waited / 1000);
    this.#write(clockText(seconds));
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
    this.#timer = setTimeout(() => this.#paint(), ms + 1);
  }

  #write(text) {
    if (this.#shown.text === text) return;
    this.#shown.text = text;
    const digits = this.#live.querySelector("[role=timer]");
    if (digits.textContent !== text) digits.textContent = text;
    digits.classList.toggle("digits-long", text.length > 4);
  }

  /** The running step's share of the time bar. */
  #fill({ id, begins, ends }, now) {
    const segment = this.#live.querySelector(`.segment[data-step="${CSS.escape(id)}"]`);
    if (!segment) return;
    const [all, done] = segment.querySelectorAll("rect");
    const whole = Number(all.getAttribute("width"));
    this.#shown.from ??= Number(done.getAttribute("width")) / whole;
    // At most all of it: on the very first paint the server's clock is not known yet.
    const left = Math.min(1, Math.max(0, ends - now) / (ends - Math.max(begins, this.#confirmed.now)));
    const from = this.#shown.from;
    done.setAttribute("width", (whole * (from + (1 - from) * (1 - left))).toFixed(2));
  }

  /** Go on to a later step of the plan without having asked the server. */
  #step(row) {
    const { rows, live, index } = this.#confirmed;
    for (const past of rows.slice(0, row)) {
      const rects = live.querySelectorAll(`.segment[data-step="${CSS.escape(past.id)}"] rect`);
      rects[1]?.setAttribute("width", rects[0].getAttribute("width"));
    }
    this.#shown = { row, text: null };
    this.#steppedAt = performance.now();
    this.#tellTimeline();
    live.dataset.step = rows[row].id;
    live.dataset.index = index + row;
    const kind = drawStep(this, live, rows[row].id);
    if (!kind) return;
    live.className = `stage stage-running ${kind.kind} ${kind.hue}`;
    this.#say(live);
  }
}

customElements.define("session-stage", SessionStage);
