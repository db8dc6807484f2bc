// <session-stage>: shows what the server answers, paints the seconds between the answers, and leaves to
// alone.js what has to go on when the server cannot be asked.
import { StageAlone } from "./alone.js";
import { fitWords } from "./fit-words.js";
import { keepOffline } from "./keep-offline.js";
import { Nudges } from "./nudges.js";
import { PendingStop } from "./pending-stop.js";
import { ServerClock, SleepWatch } from "./server-clock.js";
import { StageLink } from "./stage-link.js";
import { momentOf, newKey, tellTimeline, wordsOf } from "./stage-moment.js";
import { StagePainter } from "./stage-painter.js";
import { TapGuard } from "./tap-guard.js";

const TRUST_OWN_STEP_MS = 2_000;
const NO_LONGER_JOINED = 401;
const FRESH_MS = 7_500;
const READY_MS = 2_500; // nothing can be lost before the start
const STOPS = "#act-stop, #act-low";
const STOPPING = ["stop", "low"];
const WAKING = ["visibilitychange", "resume"];
const RETURNING = ["pageshow", "online", "focus"];

class SessionStage extends HTMLElement {
  #clock = new ServerClock();
  #sleep = new SleepWatch();
  #link = new StageLink(this);
  #taps = new TapGuard();
  #painter = new StagePainter(this, this.#clock, {
    moved: () => this.#tellTimeline(),
    drawn: () => this.#say(this.#live),
    overdue: () => this.#link.lostSince && this.#alone?.show(),
  });
  #stop = new PendingStop(this.dataset.path, () => this.#resync());
  #nudges = new Nudges(this.dataset.path, () => this.#resync());
  #alone = null;
  #kept = false;
  #moment = null;
  #taken = ""; // of the answer that is shown: the server's time
  #answeredAt = -Infinity;
  #sent = new WeakMap();
  #name = newKey().slice(0, 28);
  #listeners = new AbortController();

  connectedCallback() {
    this.#hearHtmx();
    this.#hearPeople();
    this.#hearDevice();
    fitWords(this, this.#listeners.signal);
    const page = performance.getEntriesByType("navigation")[0];
    if (page && this.#live) {
      this.#clock.sample(page.requestStart, page.responseStart, Number(this.#live.dataset.now));
    }
    this.#adopt();
    if (this.#stop.waiting && this.#moment?.status !== "stopped") this.#showStopped();
    this.#on(document, "page:alive", () => this.#resync());
    const ready = this.#moment?.status === "ready";
    if (!ready) this.#load();
    this.#on(document, "page:alive", () => setTimeout(() => this.#keepOffline(), ready ? READY_MS : 0));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#nudges.close();
    this.#alone?.close();
    this.#painter.stop();
  }

  #on(target, name, act, capture = false) {
    target.addEventListener(name, act, { capture, signal: this.#listeners.signal });
  }

  #hearHtmx() {
    this.#on(this, "every", (e) => this.#isTold && e.stopImmediatePropagation(), true);
    this.#on(this, "htmx:before:request", (e) => this.#sent.set(e.detail.ctx, performance.now()));
    this.#on(this, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    this.#on(this, "htmx:before:swap", (e) => this.#swapping(e));
    this.#on(this, "htmx:after:swap", () => this.#adopt());
    this.#on(document, "htmx:after:swap", () => this.#adopt());
    this.#on(document, "htmx:finally:request", (e) => this.#unswapped(e.detail.ctx));
    this.#on(document, "htmx:error", (e) => this.#failed(e.detail.ctx));
    this.#on(this, "htmx:config:request", (e) => this.#configured(e));
  }

  #hearPeople() {
    this.#on(this, "click", (e) => this.#once(e), true);
    this.#on(this, "pointerdown", () => this.#keepOffline(), true);
    this.#on(this, "keydown", () => this.#keepOffline(), true);
    this.#on(this, "submit", (e) => this.#isAlone && e.preventDefault());
    this.#on(document, "stage:ask", () => this.#moment && this.#tellTimeline());
    this.#on(document, "stage:told", (e) => {
      this.querySelector("#session-status").textContent = e.detail;
    });
    this.#on(this, "click", (e) => {
      const stop = e.target.closest(STOPS);
      if (stop) this.#stopAtOnce(stop.id.slice("act-".length));
    });
  }

  #hearDevice() {
    for (const name of WAKING) {
      this.#on(document, name, () => (document.hidden ? this.#nudges.close() : this.#wake()));
    }
    for (const name of RETURNING) this.#on(window, name, () => this.#wake());
    this.#on(window, "offline", () => this.#nudges.close());
    this.#on(window, "pagehide", () => this.#report());
  }

  get #live() {
    return this.querySelector("#session-live");
  }

  /** Take what the server has just put into the page as the truth. */
  #adopt() {
    const live = this.#live;
    if (!live || (live === this.#moment?.live && live.dataset.now === this.#taken)) return;
    this.#taken = live.dataset.now;
    this.#alone?.adopt(live);
    if (live.dataset.status === "stopped") this.#stop.heard();
    if (!this.#stop.waiting) this.querySelector("#session-controls").hidden = false;
    this.#link.answeredAt = Math.max(this.#link.answeredAt, Number(live.dataset.now));
    this.#link.slept = false;
    const first = this.#moment === null;
    const ended = this.#moment?.status !== "finished" && live.dataset.status === "finished";
    this.#take(momentOf(live), !first);
    if (ended) this.#report();
    this.#alone?.keep();
    this.#painter.paint();
  }

  /** Another moment is true; a screen reader hears of it when something has `changed` that people notice. */
  #take(moment, changed, drawn = () => {}) {
    const before = this.#moment;
    this.#moment = moment;
    this.#painter.take(moment);
    drawn();
    this.#tellTimeline();
    if (changed && (before.status !== moment.status || before.index !== moment.index)) this.#say(moment.live);
  }

  #tellTimeline() {
    tellTimeline(this.#moment, this.#painter.row, this.#clock);
  }

  #say(live) {
    if (live.dataset.status === "stopped") live.querySelector("h1").focus();
    else this.querySelector("#session-status").textContent = wordsOf(live);
  }

  /** The answer has arrived: set the clock by it. */
  #answered(ctx) {
    const sent = this.#sent.get(ctx);
    const serverNow = Number(ctx.response.headers.get("X-Now"));
    if (sent === undefined || !serverNow || ctx.response.status >= 500) return;
    if (ctx.response.status === 204) this.#link.slept = false;
    this.#answeredAt = performance.now();
    this.#found();
    this.#nudges.listen();
    if (this.#clock.sample(sent, performance.now(), serverNow)) {
      this.#tellTimeline();
      this.#painter.paint();
    }
    this.#link.answeredAt = serverNow;
  }

  #swapping(event) {
    const { ctx, tasks } = event.detail;
    const failed = ctx.response?.status >= 500 || ctx.response?.status === NO_LONGER_JOINED;
    if (failed) this.#failed(ctx);
    const liveIn = ({ fragment }) => fragment?.querySelector?.("#session-live");
    const swap = tasks.find(liveIn);
    const next = swap && liveIn(swap);
    if (failed || this.#isOld(ctx) || this.#alone?.settles(next)) event.preventDefault();
    else if (next && this.#isShown(next)) this.#keep(next, swap);
  }

  /** True for an answer that shows less than the page does already. */
  #isOld(ctx) {
    const version = ctx.response?.headers.get("X-Version");
    if (!version || !this.#moment) return false;
    if (this.#alone?.waiting) return true;
    if (this.#stop.waiting && !ctx.text.includes('data-status="stopped"')) return true;
    const [seq, index] = version.split(".").map(Number);
    if (seq !== this.#moment.seq) return seq < this.#moment.seq;
    const { row, steppedAt } = this.#painter;
    return index < this.#moment.index + row && row > 0 && performance.now() - steppedAt < TRUST_OWN_STEP_MS;
  }

  /** True when the page has come to the answer's step by itself. */
  #isShown(next) {
    const { seq, status, step } = this.#live.dataset;
    return status === "running" && next.dataset.status === status && next.dataset.seq === seq && next.dataset.step === step;
  }

  /** The answer's digits are as old as its way here: those that are shown stay. What is the same stays, too, so that
   * the browser need not draw the whole stage once more. */
  #keep(next, swap) {
    if (this.#painter.text) next.querySelector("[role=timer]").textContent = this.#painter.text;
    swap.swapSpec.style = "outerMorph";
    // htmx takes up "load delay" anew only where an attribute of its own changes, and this one may be the same again.
    this.#live.removeAttribute("hx-trigger");
  }

  /** After an act: ask again when its answer found no place in the page, and never lose the focus. */
  #unswapped(ctx) {
    if (ctx.request.method !== "POST") return;
    if (ctx.status !== "swapped") this.#resync();
    else if (this.#taps.byKeys && document.activeElement === document.body) {
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
      this.#link.slept = true;
      this.#link.mark("not confirmed yet");
    }
    this.#painter.paint();
    this.#resync();
  }

  /** From the first tap, or soon, the page is there without the server, too. */
  #keepOffline() {
    this.#load();
    if (this.#kept || !this.isConnected) return;
    this.#kept = true;
    keepOffline(location.pathname).catch(() => {}); // a browser may refuse; the open page goes on all the same
  }

  /** What goes on without the server. */
  #load() {
    if (this.#moment) this.#alone ??= new StageAlone(this, {
      clock: this.#clock,
      link: this.#link,
      stop: this.#stop,
      painter: this.#painter,
      moment: () => this.#moment,
      show: (moment, drawn) => {
        this.#take(moment, true, drawn);
        this.#painter.paint();
      },
      resync: () => this.#resync(),
    });
    return this.#alone;
  }

  /** While the server says by itself when something happens, every second beat suffices. */
  get #isTold() {
    return this.#nudges.open && performance.now() - this.#answeredAt < FRESH_MS;
  }

  /** No answer. A beat is tried again by itself; an act counts here from the moment of the tap. */
  #failed(ctx) {
    this.#link.lost(this.#alone?.kept, ctx?.response?.status === NO_LONGER_JOINED);
    if (this.#link.shut) this.#nudges.close();
    if (ctx?.request?.method !== "POST") return;
    const sent = this.#sent.get(ctx);
    const at = sent === undefined ? this.#clock.now() : this.#clock.at(sent);
    const form = ctx.request.body;
    this.#actAlone(ctx.request.action.split("/").pop(), form?.get?.("key"), at, form?.get?.("time"));
  }

  #actAlone(action, key, at = this.#clock.now(), time = null) {
    this.#load()?.act(action, key, at, time);
  }

  /** While acts count here first, none is sent by itself. */
  #configured(event) {
    const { method, action, body } = event.detail.ctx.request;
    if (method !== "POST" || !this.#isAlone) return;
    event.preventDefault();
    const act = action.split("/").pop();
    if (STOPPING.includes(act) || this.#alone?.stopping) return; // a stop counts by its tap
    this.#actAlone(act, null, undefined, body.get("time"));
  }

  /** True while acts count here first: the server does not answer, or has not heard of all yet. */
  get #isAlone() {
    return this.#link.lostSince !== null || Boolean(this.#alone?.waiting);
  }

  #found() {
    const was = this.#link.found();
    if (this.#alone?.waiting) this.#alone.handOver();
    else if (was && !this.#stop.waiting && !this.#link.saying) this.#link.note("");
  }

  /** A double tap is one tap; after a stop nothing else counts. */
  #once(event) {
    const control = event.target.closest(".control");
    if (!control || control.matches(STOPS)) return;
    if (!this.#taps.isSecond(event, control) && !this.#stop.waiting) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** How well this screen kept time, for the summary: told when the session is over or the page goes. */
  #report() {
    const told = { screen: this.#name, apart: Math.round(this.#clock.apart), alone: this.#link.alonest };
    const body = new URLSearchParams({ account: JSON.stringify(told) });
    if (this.#moment.status !== "ready") navigator.sendBeacon(`${this.dataset.path}/screen`, body);
  }

  /** A stop counts at once, whether the server answers or not. */
  #stopAtOnce(act) {
    this.#stop.wait(act, new URLSearchParams(new FormData(this.querySelector("#acts"))));
    const alone = this.#isAlone;
    this.#showStopped();
    if (alone) this.#actAlone(act);
  }

  #showStopped() {
    this.#painter.stop();
    this.#moment.status = "stopped";
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
}

customElements.define("session-stage", SessionStage);
