// <session-hands>: controls without a clean hand: a tap on the stage, keys, pedals, headset keys,
// a lock against drops and sleeves, and five seconds in which a tap can be taken back.
import { boundKeys } from "./bound-keys.js";
import { device } from "./device.js";
import { TouchLock } from "./touch-lock.js";
import { UndoOffer } from "./undo-offer.js";

const DEBOUNCE_MS = 600;
const PRESSING = ["Enter", " "];

class SessionHands extends HTMLElement {
  #listeners = new AbortController();
  #actedAt = -Infinity;
  #undo = null;
  #media = null;

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
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

  /** A key of a keyboard, pedal, clicker or headset; what a field or a focused button needs stays theirs. */
  #key(event) {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const inField = event.target.closest?.("input, select, textarea");
    const presses = PRESSING.includes(event.key) && event.target.closest?.("button, a, summary");
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
    if (button && event.detail > 0) button.blur(); // a pedal's space must not press it again
    if (ask || button) return;
    if (event.target.closest("a, button, summary, details, input, label, dialog")) return;
    if (event.target.closest("#session-live") && ["running", "paused"].includes(this.#status)) this.#do("toggle");
  }
}

customElements.define("session-hands", SessionHands);
