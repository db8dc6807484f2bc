// <session-stage>: shows what the server answers, paints the seconds in between, and leaves to
// offline/offline-session.js what has to go on when the server cannot be asked.
import { PendingStop, newKey } from "../offline/local-session.js";
import { OfflineSession } from "../offline/offline-session.js";
import { keepPage } from "../offline/session-store.js";
import { ConnectionStatus, PushEvents, ServerResponses } from "./connection.js";
import { ServerClock, SleepWatch, StagePainter, momentFromFragment } from "./painter.js";
import { announcementOf, dispatchTimeline, fitWords, renderStopped } from "./render.js";
import { letGo } from "./said-line.js";

const DOUBLE_TAP_MS = 400;
const READY_MS = 2_500; // nothing can be lost before the start
const STOPS = "#act-stop, #act-low";
const WAKING = ["visibilitychange", "resume"];
const RETURNING = ["pageshow", "online", "focus"];

class SessionStage extends HTMLElement {
  #clock = new ServerClock();
  #sleep = new SleepWatch();
  #status = new ConnectionStatus(this);
  #taps = { control: null, at: -Infinity, byKeys: false };
  #painter = new StagePainter(this, this.#clock, {
    moved: () => this.#dispatchTimeline(),
    drawn: () => this.#announce(this.#live),
    overdue: () => this.#status.lostSince && this.#offline?.show(),
  });
  #stop = new PendingStop(this.dataset.path, () => this.#resync());
  #push = new PushEvents(this.dataset.path, () => this.#resync());
  #offline = null;
  #pageKept = false;
  #moment = null;
  #adoptedNow = ""; // the server's time of the fragment that is shown
  #screen = newKey().slice(0, 28);
  #listeners = new AbortController();

  connectedCallback() {
    this.#listenToServer();
    this.#listenToPeople();
    this.#listenToDevice();
    fitWords(this, this.#listeners.signal);
    const page = performance.getEntriesByType("navigation")[0];
    if (page && this.#live) {
      this.#clock.sample(page.requestStart, page.responseStart, Number(this.#live.dataset.now));
    }
    this.#adopt();
    if (this.#stop.waiting && this.#moment?.status !== "stopped") this.#showStopped();
    this.#on(document, "page:alive", () => this.#resync());
    const ready = this.#moment?.status === "ready";
    if (!ready) this.#loadOffline();
    this.#on(document, "page:alive", () => setTimeout(() => this.#keepPage(), ready ? READY_MS : 0));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#push.close();
    this.#offline?.close();
    this.#painter.stop();
  }

  #on(target, name, act, capture = false) {
    target.addEventListener(name, act, { capture, signal: this.#listeners.signal });
  }

  #listenToServer() {
    const parts = {
      clock: this.#clock,
      status: this.#status,
      stop: this.#stop,
      push: this.#push,
      painter: this.#painter,
      taps: this.#taps,
      live: () => this.#live,
      moment: () => this.#moment,
      offline: () => this.#offline,
      isOffline: () => this.#isOffline,
      act: (...args) => this.#loadOffline()?.act(...args),
      clockSet: () => this.#clockSet(),
      adopt: () => this.#adopt(),
      resync: () => this.#resync(),
    };
    new ServerResponses(this, parts, (...args) => this.#on(...args));
  }

  #listenToPeople() {
    this.#on(this, "click", (e) => this.#dropRepeatedTap(e), true);
    this.#on(this, "pointerdown", () => this.#keepPage(), true);
    this.#on(this, "keydown", () => this.#keepPage(), true);
    this.#on(this, "submit", (e) => this.#isOffline && e.preventDefault());
    this.#on(document, "stage:ask", () => this.#moment && this.#dispatchTimeline());
    this.#on(document, "stage:told", (e) => {
      this.querySelector("#session-status").textContent = e.detail;
    });
    this.#on(this, "click", (e) => {
      const stop = e.target.closest(STOPS);
      if (stop) this.#stopAtOnce(stop.id.slice("act-".length));
    });
  }

  #listenToDevice() {
    for (const name of WAKING) {
      this.#on(document, name, () => (document.hidden ? this.#push.close() : this.#wake()));
    }
    for (const name of RETURNING) this.#on(window, name, () => this.#wake());
    this.#on(window, "offline", () => this.#push.close());
    this.#on(window, "pagehide", () => this.#report());
  }

  get #live() {
    return this.querySelector("#session-live");
  }

  /** Take what the server has just put into the page as the truth. */
  #adopt() {
    const live = this.#live;
    letGo();
    if (!live || (live === this.#moment?.live && live.dataset.now === this.#adoptedNow)) return;
    this.#adoptedNow = live.dataset.now;
    this.#offline?.adopt(live);
    if (live.dataset.status === "stopped") this.#stop.confirm();
    if (!this.#stop.waiting) this.querySelector("#session-controls").hidden = false;
    this.#status.answeredAt = Math.max(this.#status.answeredAt, Number(live.dataset.now));
    this.#status.slept = false;
    const first = this.#moment === null;
    const ended = this.#moment?.status !== "finished" && live.dataset.status === "finished";
    this.#setMoment(momentFromFragment(live), !first);
    if (ended) this.#report();
    this.#offline?.store();
    this.#painter.paint();
  }

  /** `announce`: a screen reader hears of it when people would see a change. */
  #setMoment(moment, announce, rendered = () => {}) {
    const before = this.#moment;
    this.#moment = moment;
    this.#painter.setMoment(moment);
    rendered();
    this.#dispatchTimeline();
    if (announce && (before.status !== moment.status || before.index !== moment.index)) this.#announce(moment.live);
  }

  #dispatchTimeline() {
    dispatchTimeline(this.#moment, this.#painter.row, this.#clock);
  }

  #announce(live) {
    if (live.dataset.status === "stopped") live.querySelector("h1").focus();
    else this.querySelector("#session-status").textContent = announcementOf(live);
  }

  #clockSet() {
    this.#dispatchTimeline();
    this.#painter.paint();
  }

  #resync() {
    document.body.dispatchEvent(new Event("resync"));
  }

  #wake() {
    const slept = this.#sleep.measure();
    if (slept) {
      this.#clock.addSleep(slept);
      this.#status.slept = true;
      this.#status.showMark("not confirmed yet");
    }
    this.#painter.paint();
    this.#resync();
  }

  /** From the first tap, or soon, the page can be reloaded without the server. */
  #keepPage() {
    this.#loadOffline();
    if (this.#pageKept || !this.isConnected) return;
    this.#pageKept = true;
    keepPage(location.pathname).catch(() => {}); // a browser may refuse; the open page goes on all the same
  }

  #loadOffline() {
    if (this.#moment) this.#offline ??= new OfflineSession(this, {
      clock: this.#clock,
      status: this.#status,
      stop: this.#stop,
      painter: this.#painter,
      moment: () => this.#moment,
      show: (moment, rendered) => {
        this.#setMoment(moment, true, rendered);
        this.#painter.paint();
      },
      resync: () => this.#resync(),
    });
    return this.#offline;
  }

  /** True while acts count here first: the server does not answer, or does not know all acts yet. */
  get #isOffline() {
    return this.#status.lostSince !== null || Boolean(this.#offline?.waiting);
  }

  /** A double tap is one tap; after a stop nothing else counts. */
  #dropRepeatedTap(event) {
    const control = event.target.closest(".control");
    if (!control || control.matches(STOPS)) return;
    if (!this.#isRepeatedTap(event, control) && !this.#stop.waiting) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  #isRepeatedTap({ detail, isTrusted, pointerType }, { id }) {
    const taps = this.#taps;
    // A key or screen reader can lose its focus; a pedal has none.
    taps.byKeys = detail === 0 && (isTrusted || document.activeElement !== document.body);
    const now = performance.now();
    if (detail > 1 || (pointerType === "touch" && taps.control === id && now - taps.at < DOUBLE_TAP_MS)) return true;
    Object.assign(taps, { control: id, at: now });
    return false;
  }

  /** How well this screen kept time: sent when the session is over or the page goes. */
  #report() {
    const report = {
      screen: this.#screen,
      apart: Math.round(this.#clock.maxCorrection),
      alone: this.#status.longestLossMs,
    };
    const body = new URLSearchParams({ account: JSON.stringify(report) });
    if (this.#moment.status !== "ready") navigator.sendBeacon(`${this.dataset.path}/screen`, body);
  }

  /** A stop counts at once, whether the server answers or not. */
  #stopAtOnce(act) {
    this.#stop.add(act, new URLSearchParams(new FormData(this.querySelector("#acts"))));
    const offline = this.#isOffline;
    this.#showStopped();
    if (offline) this.#loadOffline()?.act(act, undefined, this.#clock.now(), null);
  }

  #showStopped() {
    this.#painter.stop();
    this.#moment.status = "stopped";
    this.#dispatchTimeline();
    renderStopped(this, this.#live, this.#stop.act);
  }
}

customElements.define("session-stage", SessionStage);
