// <session-hands>: controls without a clean hand: a tap on the stage, keys, pedals, headset keys,
// a lock against drops and sleeves, and five seconds in which a tap can be taken back.
import { boundKeys } from "./bound-keys.js";
import { device } from "./device.js";
import { TouchLock } from "./touch-lock.js";
import { UndoOffer } from "./undo-offer.js";

const DEBOUNCE_MS = 600;
const PRESSING = ["Enter", " "];
const PRESSED = "button, a, summary";
const FIELDS = "input, select, textarea";

/** Take the focus from what has it, where that is one of `selector`. */
function letGo(selector) {
  if (document.activeElement?.matches(selector)) document.activeElement.blur();
}

class SessionHands extends HTMLElement {
  #listeners = new AbortController();
  #actedAt = -Infinity;
  #undo = null;
  #media = null;
  // True from a touch or click until the Tab key: a pedal must not press what a finger has left the focus on.
  #touched = document.querySelector(":focus:not(:focus-visible)") !== null;

  connectedCallback() {
    const signal = this.#listeners.signal;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    for (const name of ["pointerdown", "click"]) {
      window.addEventListener(name, (e) => this.#touch(e), { signal, capture: true });
    }
    this.#undo = new UndoOffer(this.querySelector("#undo"), this.querySelector("#undo-status"));
    new TouchLock(this.querySelector("#lock-cover"), document.querySelector("#lock"), on, () =>
      this.#control("stop")?.click(),
    );
    on(window, "keydown", (e) => this.#key(e));
    on(document.querySelector("#session"), "click", (e) => this.#tapped(e));
    on(this.querySelector("#undo"), "click", () => this.#undo.take());
    on(document, "htmx:finally:request", (e) => this.#undo.answered(e.detail.ctx));
    on(document, "stage:acted", (e) => this.#undo.done(e.detail));
    on(document, "stage:timeline", (e) => {
      this.#undo.follow(e.detail);
      this.#followMedia(e.detail);
    });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#undo.withdraw();
    this.#media?.then((keys) => keys?.close());
  }

  /** Few have headset keys: what these need is loaded where they are wished. */
  #followMedia(line) {
    if (device.get("headset") === "on") {
      this.#media ??= import("./media-keys.js").then(
        ({ MediaKeys }) => new MediaKeys((act) => this.#do(act)),
        () => (this.#media = null), // the next time, then
      );
    }
    this.#media?.then((keys) => keys?.follow(line));
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
    else if (event.detail > 0 && !event.target.closest(FIELDS)) letGo(`${PRESSED}, ${FIELDS}`);
  }

  /** A key of a keyboard, pedal, clicker or headset; what a field or a button reached by Tab needs stays theirs. */
  #key(event) {
    if (this.#touched) letGo(PRESSED);
    const presses = PRESSING.includes(event.key) && !this.#touched && event.target.closest?.(PRESSED);
    if (event.key === "Tab") this.#touched = false;
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = event.target.closest?.(FIELDS);
    const act = inField || presses ? null : boundKeys.actOf(event);
    if (!act) return;
    event.preventDefault();
    this.#do(act);
  }

  #do(act) {
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
    this.#media?.then((keys) => keys?.tapped());
    if (ask) this.#do(ask.dataset.ask);
    else if (button) this.#undo.tapped(button.getAttribute("formaction")?.split("/").pop());
    if (ask || button) return;
    if (event.target.closest("a, button, summary, details, input, label, dialog")) return;
    if (event.target.closest("#session-live") && ["running", "paused"].includes(this.#status)) this.#do("toggle");
  }
}

customElements.define("session-hands", SessionHands);
