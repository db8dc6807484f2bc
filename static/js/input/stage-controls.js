// <session-hands>: controls for hands that are not clean: a tap on the stage, keys, pedals, headset keys,
// a lock against drops and sleeves, and five seconds in which a tap can be taken back.
import { keyBindings, preferences } from "../page/preferences.js";
import { say } from "../stage/said-line.js";

const HOLD_MS = 1_200;
const UNDO_MS = 5_000;
// A pause needs none: Resume stands in its place.
const BACK_FROM = { next: "back", end: "back", back: "next", "end-at": "undo" };
const WORDS = { next: "go back", end: "go on", back: "forward again", "end-at": "end as before" };
const DONE = { next: "Next", end: "Ended", back: "Back", "end-at": "New end" };
const BAR_REACH_PX = 24; // a fingertip is wider than the time bar

const live = () => document.querySelector("#session-live");
const control = (name) => document.querySelector(`#session-controls #act-${name}`);

/** Opens after a slow hold; keys and *Pain: stop* work through it. */
class TouchLock {
  #cover;
  #timer = 0;

  /** `on` listens while the stage is connected; `stop` is called for *Pain: stop*. */
  constructor(cover, button, on, stop) {
    this.#cover = cover;
    button.hidden = false;
    on(button, "click", () => this.#lock());
    on(cover, "pointerdown", () => this.#hold(true));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) on(cover, name, () => this.#hold(false));
    on(cover, "close", () => this.#hold(false));
    on(cover, "cancel", (e) => e.preventDefault());
    on(cover, "click", (e) => {
      const stops = e.target.closest("#lock-stop");
      if (e.detail === 0 || stops) cover.close(); // a key or a screen reader opens at once
      if (stops) stop();
    });
  }

  #lock() {
    this.#cover.showModal();
    this.#cover.focus();
  }

  /** A drop of oil or a sleeve does not stay that long. */
  #hold(down) {
    clearTimeout(this.#timer);
    this.#cover.classList.toggle("holding", down);
    if (down) this.#timer = setTimeout(() => this.#cover.close(), HOLD_MS);
  }
}

class UndoOffer {
  #button;
  #status;
  #timer = 0;
  #row = null;
  #waiting = null;
  #offered = null;
  #taking = false;

  /** `status` is a polite live region. */
  constructor(button, status) {
    this.#button = button;
    this.#status = status;
  }

  /** A control was pressed. An undo is not offered to be undone. */
  tapped(act) {
    this.withdraw();
    this.#waiting = this.#taking || !BACK_FROM[act] ? null : { act, seq: Number(live().dataset.seq) };
  }

  /** Only an act that the server has recorded can be taken back. */
  answered(ctx) {
    const waiting = this.#waiting;
    if (!waiting || ctx.request?.method !== "POST" || !ctx.request.action.endsWith(`/${waiting.act}`)) return;
    if (!ctx.response) return; // no answer: then it was done offline
    this.#waiting = null;
    const seq = Number(ctx.response?.headers.get("X-Version")?.split(".")[0]);
    if (ctx.response?.status === 200 && seq > waiting.seq) this.#offer(waiting.act, seq);
  }

  actedOffline(act) {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting?.act === act) this.#offer(act, Number(live().dataset.seq));
  }

  /** After another step or another screen's act, going back would lead elsewhere. */
  follow({ rows }) {
    this.#row = rows[0]?.id ?? null;
    const same = this.#row === this.#offered?.row && Number(live().dataset.seq) === this.#offered?.seq;
    if (this.#offered && !same) this.withdraw();
  }

  #offer(act, seq) {
    if (!control(BACK_FROM[act]) || Number(live().dataset.seq) !== seq) return;
    this.#offered = { act, seq, row: this.#row };
    this.#button.ariaLabel = `Undo: ${WORDS[act]}`;
    this.#button.lastElementChild.textContent = `: ${WORDS[act]}`;
    this.#button.hidden = false;
    this.#status.textContent = `${DONE[act]}. U takes it back, for five seconds.`;
    this.#timer = setTimeout(() => this.withdraw(), UNDO_MS);
  }

  take() {
    if (!this.#offered) return;
    const back = control(BACK_FROM[this.#offered.act]);
    this.withdraw();
    this.#taking = true;
    back?.click();
    this.#taking = false;
  }

  withdraw() {
    clearTimeout(this.#timer);
    this.#offered = null;
    if (document.activeElement === this.#button) control("toggle")?.focus();
    this.#button.hidden = true;
    this.#status.textContent = "";
  }
}

const DEBOUNCE_MS = 600;
const PRESS_KEYS = ["Enter", " "];
const PRESSABLE = "button, a, summary";
const FIELDS = "input, select, textarea";

/** Takes the focus from an element that matches `selector`. */
function blurFocused(selector) {
  if (document.activeElement?.matches(selector)) document.activeElement.blur();
}

/** The step on the time bar that a tap means; none for a tap elsewhere. */
function stepOnBar({ clientX, clientY }) {
  const bar = live().querySelector(".bar")?.getBoundingClientRect();
  if (!bar || Math.abs(clientY - (bar.top + bar.bottom) / 2) > BAR_REACH_PX) return undefined;
  const left = (step) => step.getBoundingClientRect().left;
  const steps = [...live().querySelectorAll(".segment")];
  return steps.findLast((step) => left(step) <= clientX) ?? steps[0];
}

class SessionHands extends HTMLElement {
  #listeners = new AbortController();
  #actedAt = -Infinity;
  #undo = null;
  #mediaKeys = null; // promise of MediaKeys
  // From a touch or click until the Tab key: a pedal must not press what a finger has left the focus on.
  #touched = document.querySelector(":focus:not(:focus-visible)") !== null;

  connectedCallback() {
    const signal = this.#listeners.signal;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    for (const name of ["pointerdown", "click"]) {
      window.addEventListener(name, (e) => this.#touch(e), { signal, capture: true });
    }
    this.#undo = new UndoOffer(document.querySelector("#undo"), this.querySelector("#undo-status"));
    new TouchLock(this.querySelector("#lock-cover"), document.querySelector("#lock"), on, () =>
      this.#control("stop")?.click(),
    );
    on(window, "keydown", (e) => this.#keyPressed(e));
    on(document.querySelector("#session"), "click", (e) => this.#tapped(e));
    on(document.querySelector("#undo"), "click", () => this.#undo.take());
    on(document, "htmx:finally:request", (e) => this.#undo.answered(e.detail.ctx));
    on(document, "stage:acted", (e) => this.#undo.actedOffline(e.detail));
    on(document, "stage:timeline", (e) => {
      this.#undo.follow(e.detail);
      this.#followMediaKeys(e.detail);
    });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#undo.withdraw();
    this.#mediaKeys?.then((keys) => keys?.close());
  }

  /** Few have headset keys, so their script is loaded on demand. */
  #followMediaKeys(timeline) {
    if (preferences.get("headset") === "on") {
      this.#mediaKeys ??= import("./media-keys.js").then(
        ({ MediaKeys }) => new MediaKeys((act) => this.#act(act)),
        () => (this.#mediaKeys = null), // tried again at the next timeline
      );
    }
    this.#mediaKeys?.then((keys) => keys?.follow(timeline));
  }

  #control(name) {
    return document.querySelector(`#session-controls #act-${name}`);
  }

  get #status() {
    return document.querySelector("#session-live").dataset.status;
  }

  /** A finger, pen or mouse, also one whose tap does not count. Clicks of keys and screen readers have no detail. */
  #touch(event) {
    if (event.type === "pointerdown") this.#touched = true;
    else if (event.detail > 0 && !event.target.closest(FIELDS)) blurFocused(`${PRESSABLE}, ${FIELDS}`);
  }

  /** A key of a keyboard, pedal, clicker or headset; not one that a field or a button reached by Tab needs. */
  #keyPressed(event) {
    if (this.#touched) blurFocused(PRESSABLE);
    const presses = PRESS_KEYS.includes(event.key) && !this.#touched && event.target.closest?.(PRESSABLE);
    if (event.key === "Tab") this.#touched = false;
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = event.target.closest?.(FIELDS);
    const act = inField || presses ? null : keyBindings.actFor(event);
    if (!act) return;
    event.preventDefault();
    this.#act(act);
  }

  #act(act) {
    if (this.#status === "stopped") return;
    if (act === "undo") return this.#undo.take();
    if (act === "step" || act === "time") {
      document.dispatchEvent(new CustomEvent("stage:say", { detail: act }));
      return;
    }
    const now = performance.now();
    if (now - this.#actedAt < DEBOUNCE_MS) return;
    this.#actedAt = now;
    this.#control(act)?.click();
  }

  #tapped(event) {
    const ask = event.target.closest("[data-ask]");
    const button = event.target.closest(".control");
    this.#mediaKeys?.then((keys) => keys?.tapped());
    if (ask) this.#act(ask.dataset.ask);
    else if (button) this.#undo.tapped((button.getAttribute("formaction") ?? button.form?.action)?.split("/").pop());
    if (ask || button) return;
    if (event.target.closest("a, button, summary, details, input, label, dialog")) return;
    const step = stepOnBar(event);
    if (step) return say(step.querySelector("title").textContent);
    if (event.target.closest("#session-live") && ["running", "paused"].includes(this.#status)) this.#act("toggle");
  }
}

customElements.define("session-hands", SessionHands);
