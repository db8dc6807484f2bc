// <session-hands>: controls without a clean hand: a tap on the stage, keys, pedals, headset keys,
// a lock against drops and sleeves, and five seconds in which a tap can be taken back.
import { boundKeys } from "./bound-keys.js";

const DEBOUNCE_MS = 600;
const UNDO_MS = 5_000;
const HOLD_MS = 1_200;
const BACK_FROM = { next: "back", end: "back", back: "next", pause: "resume" };
const UNDO_WORDS = { next: "Undo: go back", end: "Undo: go on", back: "Undo: forward again", pause: "Undo: go on" };

class SessionHands extends HTMLElement {
  #listeners = new AbortController();
  #actedAt = -Infinity;
  #undoTimer = 0;
  #holdTimer = 0;

  connectedCallback() {
    const on = (target, name, act, more) =>
      target.addEventListener(name, act, { signal: this.#listeners.signal, ...more });
    on(window, "keydown", (e) => this.#key(e));
    on(document.querySelector("#session"), "click", (e) => this.#tapped(e));
    on(this.querySelector("#undo"), "click", () => this.#undo());
    const lock = document.querySelector("#lock");
    lock.hidden = false;
    on(lock, "click", () => this.#lock());
    const cover = this.querySelector("#lock-cover");
    on(cover, "pointerdown", () => this.#hold(true));
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) on(cover, name, () => this.#hold(false));
    on(cover, "close", () => this.#hold(false));
    on(cover, "cancel", (e) => e.preventDefault());
    on(cover, "click", (e) => {
      const stop = e.target.closest("#lock-stop");
      if (e.detail === 0 || stop) cover.close(); // a key or a screen reader opens at once
      if (stop) this.#control("stop")?.click();
    });
    this.#mediaKeys();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearTimeout(this.#undoTimer);
    clearTimeout(this.#holdTimer);
  }

  #control(name) {
    return document.querySelector(`#session-controls #act-${name}`);
  }

  /** A key of a keyboard, pedal, clicker or headset. */
  #key(event) {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    const here = event.target.closest?.("input, select, textarea, summary, a");
    const onButton = event.target.closest?.("button") && ["Enter", " "].includes(event.key);
    const more = document.querySelector("#session-more[open]");
    if (here || onButton || more) return;
    const act = boundKeys.actOf(event);
    if (!act) return;
    event.preventDefault();
    this.#do(act);
  }

  #do(act) {
    if (document.querySelector("#session-live").dataset.status === "stopped") return;
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
    if (ask) this.#do(ask.dataset.ask);
    else if (button) this.#offerUndo(button);
    if (button && event.detail > 0) button.blur(); // a pedal's space must not press it again
    if (ask || button) return;
    if (event.target.closest("a, button, summary, details, input, label, dialog")) return;
    const status = document.querySelector("#session-live").dataset.status;
    if (event.target.closest("#session-live") && ["running", "paused"].includes(status)) this.#do("toggle");
  }

  #offerUndo(button) {
    const act = button.getAttribute("formaction")?.split("/").pop();
    const undo = this.querySelector("#undo");
    clearTimeout(this.#undoTimer);
    undo.hidden = !BACK_FROM[act];
    if (undo.hidden) return;
    undo.dataset.act = BACK_FROM[act];
    undo.textContent = UNDO_WORDS[act];
    this.#undoTimer = setTimeout(() => (undo.hidden = true), UNDO_MS);
  }

  #undo() {
    const undo = this.querySelector("#undo");
    const act = undo.dataset.act === "resume" ? "toggle" : undo.dataset.act;
    this.#control(act)?.click();
    clearTimeout(this.#undoTimer);
    undo.hidden = true;
  }

  #lock() {
    const cover = this.querySelector("#lock-cover");
    cover.showModal();
    cover.focus();
  }

  /** Open only after a slow hold; a drop of oil or a sleeve does not stay that long. */
  #hold(down) {
    const cover = this.querySelector("#lock-cover");
    clearTimeout(this.#holdTimer);
    cover.classList.toggle("holding", down);
    if (down) this.#holdTimer = setTimeout(() => cover.close(), HOLD_MS);
  }

  #mediaKeys() {
    const session = navigator.mediaSession;
    if (!session) return;
    const bind = (name, act, only = null) =>
      session.setActionHandler?.(name, () => {
        // headphones that are pulled out send pause: that may never start or resume anything
        const status = document.querySelector("#session-live").dataset.status;
        if (!only || status === only) this.#do(act);
      });
    bind("play", "toggle", "paused");
    bind("pause", "toggle", "running");
    bind("nexttrack", "next");
    bind("previoustrack", "back");
  }
}

customElements.define("session-hands", SessionHands);
