// <after-reminders data-session>: reminds of what is to be done after a session while the page is open: on the
// page, by a chime, and by a notification where the device allows it.
import { Sound } from "../audio/output.js";
import { tabStore } from "./preferences.js";

const LATE_MS = 60_000;

class AfterReminders extends HTMLElement {
  #sound = new Sound();
  #listeners = new AbortController();
  #startedAt = performance.now();
  #startDate = Date.now();
  #timers = [];
  #reminded = new Set();

  connectedCallback() {
    const signal = this.#listeners.signal;
    const button = this.querySelector("[data-remind]");
    button.hidden = false;
    button.addEventListener("click", () => this.#turnOn(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#remind(), { signal });
    if (tabStore.get(this.#key) === "on") this.#schedule();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#timers.forEach(clearTimeout);
  }

  get #key() {
    return `reminders-${this.dataset.session}`;
  }

  /** Timers stand still while the device sleeps; the date goes on. */
  get #elapsedMs() {
    return Math.max(performance.now() - this.#startedAt, Date.now() - this.#startDate);
  }

  async #turnOn() {
    this.#sound.unlock();
    tabStore.set(this.#key, "on");
    if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
    this.#schedule();
  }

  #schedule() {
    this.querySelector("[data-remind]").hidden = true;
    const notifies = "Notification" in window && Notification.permission === "granted";
    this.#show(`Reminders are on while this page is open${notifies ? "" : "; this device shows them on the page only"}.`);
    for (const line of this.querySelectorAll("[data-in-ms]")) {
      const left = Number(line.dataset.inMs) - this.#elapsedMs;
      if (left > 0) this.#timers.push(setTimeout(() => this.#remind(), left + 20));
    }
  }

  #remind() {
    if (tabStore.get(this.#key) !== "on") return;
    for (const line of this.querySelectorAll("[data-in-ms]")) {
      if (Number(line.dataset.inMs) > this.#elapsedMs || this.#reminded.has(line.dataset.id)) continue;
      this.#reminded.add(line.dataset.id);
      line.classList.add("reminder-now");
      this.#notify(line.dataset.text, this.#elapsedMs - Number(line.dataset.inMs) > LATE_MS);
    }
  }

  #notify(text, late) {
    this.#show(late ? `Some time ago: ${text}` : text);
    this.#sound.chime("end");
    this.#sound.vibrate("end");
    try {
      if (Notification.permission === "granted") new Notification("Steady Hands", { body: text, tag: text });
    } catch {
      // Some phones allow notifications only to a service worker.
    }
  }

  #show(text) {
    this.querySelector("[data-told]").textContent = text;
  }
}

customElements.define("after-reminders", AfterReminders);
