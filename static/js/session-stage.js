// <session-stage>: paints the seconds between the server's answers, and goes on to the next
// phase by the plan it already has when the server cannot be asked.
import { PendingStop } from "./pending-stop.js";
import { ServerClock, SleepWatch } from "./server-clock.js";

const TRUST_OWN_STEP_MS = 2_000;
const DOUBLE_TAP_MS = 400;
const ENDING_SECONDS = 10;
const FILL_SECONDS = 5; // the bar moves slowly; each second would only cost power
const STOP_UNSENT = "The stop counts here. The server has not heard of it yet; this device keeps trying.";
const STOPS = "#act-stop, #act-low";
const WAKING = ["visibilitychange", "resume"];
const RETURNING = ["pageshow", "online", "focus"];

const pad = (n) => String(n).padStart(2, "0");
const clockText = (s) => `${Math.floor(s / 60)}:${pad(s % 60)}`;

class SessionStage extends HTMLElement {
  #clock = new ServerClock();
  #sleep = new SleepWatch();
  #sent = new WeakMap();
  #timer = 0;
  #shown = null;
  #confirmed = null;
  #steppedAt = -Infinity;
  #byKeys = false;
  #lostSince = null;
  #tapped = { control: null, at: -Infinity };
  #stop = new PendingStop(location.pathname, () => this.#resync());
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) =>
      target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "htmx:before:request", (e) => this.#sent.set(e.detail.ctx, performance.now()));
    on(this, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    on(this, "htmx:before:swap", (e) => {
      if (this.#isOld(e.detail.ctx)) e.preventDefault();
      else this.#keepDigits(e.detail.tasks);
    });
    on(this, "htmx:after:swap", () => this.#adopt());
    on(document, "htmx:after:swap", () => this.#adopt());
    on(document, "htmx:finally:request", (e) => this.#unswapped(e.detail.ctx));
    on(document, "htmx:error", (e) => this.#failed(e.detail.ctx));
    this.addEventListener("click", (e) => this.#once(e), {
      capture: true,
      signal: this.#listeners.signal,
    });
    on(document, "stage:ask", () => this.#confirmed && this.#tellTimeline());
    on(document, "stage:told", (e) => {
      this.querySelector("#session-status").textContent = e.detail;
    });
    on(this, "click", (e) => {
      const stop = e.target.closest(STOPS);
      if (stop) this.#stopAtOnce(stop.id.slice("act-".length));
    });
    for (const name of WAKING) on(document, name, () => document.hidden || this.#wake());
    for (const name of RETURNING) on(window, name, () => this.#wake());
    const page = performance.getEntriesByType("navigation")[0];
    this.#adopt();
    if (page && this.#confirmed) {
      this.#clock.sample(page.requestStart, page.responseStart, this.#confirmed.now);
    }
    this.#paint();
    if (this.#stop.waiting && this.#confirmed?.status !== "stopped") {
      this.#showStopped();
      this.#stop.send();
    }
    addEventListener("load", () => this.#resync(), { once: true, signal: this.#listeners.signal });
  }

  disconnectedCallback() {
    this.#listeners.abort();
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
    const rows = JSON.parse(data.rows).map(([id, begins, ends, wait]) => ({
      id,
      wait,
      begins: now + begins,
      ends: ends === null ? null : now + ends,
    }));
    const before = this.#confirmed;
    if (data.status === "stopped") this.#stop.heard();
    if (!this.#stop.waiting) this.querySelector("#session-controls").hidden = false;
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
    if (sent === undefined || !serverNow) return;
    this.#found();
    if (this.#clock.sample(sent, performance.now(), serverNow)) {
      this.#tellTimeline();
      this.#paint();
    }
  }

  /** True for an answer that shows less than the page does already. */
  #isOld(ctx) {
    const version = ctx.response?.headers.get("X-Version");
    if (!version || !this.#confirmed) return false;
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

  /** No answer. A beat is tried again by itself; an act was not done, and the person must know. */
  #failed(ctx) {
    this.#lost();
    if (ctx?.request?.method !== "POST") return;
    if (this.#stop.waiting) {
      this.#stop.send();
      return this.#unsent(STOP_UNSENT);
    }
    const stop = /\/(stop|low)$/.test(ctx.request.action);
    if (stop) this.#stop.send();
    this.#unsent(
      stop
        ? STOP_UNSENT
        : "Not sent: no connection. The countdown goes on; please tap again when it is back.",
    );
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

  #lost() {
    this.#lostSince ??= new Date();
    const since = `${this.#lostSince.getHours()}:${pad(this.#lostSince.getMinutes())}`;
    this.#mark(`on its own since ${since}`);
  }

  #found() {
    this.#lostSince = null;
    this.#mark("");
    if (!this.#stop.waiting) this.#unsent("");
  }

  #mark(text) {
    const mark = this.querySelector("#session-link");
    if (mark.textContent !== text) mark.textContent = text;
  }

  /** A stop counts at once, whether the server answers or not. */
  #stopAtOnce(act) {
    this.#stop.wait(act, new URLSearchParams(new FormData(this.querySelector("#acts"))));
    this.#showStopped();
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
    const template = this.querySelector(`template[data-for="${CSS.escape(rows[row].id)}"]`);
    this.#shown = { row, text: null };
    this.#steppedAt = performance.now();
    this.#tellTimeline();
    live.dataset.step = rows[row].id;
    live.dataset.index = index + row;
    if (!template) return;
    for (const part of template.content.cloneNode(true).children) {
      live.querySelector(`.${part.classList[0]}`)?.replaceWith(part.cloneNode(true));
    }
    live.className = `stage stage-running ${template.dataset.kind} ${template.dataset.hue}`;
    this.#say(live);
  }
}

customElements.define("session-stage", SessionStage);
