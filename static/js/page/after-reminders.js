// <after-reminders data-session>: tells at its time what is to be done after a session, while the page is
// open: on the page, by a chime, and by a notification where the device allows it.
import { forTab } from "./device-store.js";
import { Sound } from "./sound.js";

const LATE_MS = 60_000;

class AfterReminders extends HTMLElement {
  #sound = new Sound();
  #listeners = new AbortController();
  #begun = performance.now();
  #began = Date.now();
  #timers = [];
  #told = new Set();

  connectedCallback() {
    const signal = this.#listeners.signal;
    const button = this.querySelector("[data-remind]");
    button.hidden = false;
    button.addEventListener("click", () => this.#agreed(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#look(), { signal });
    if (forTab.get(this.#key) === "on") this.#arm();
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#timers.forEach(clearTimeout);
  }

  get #key() {
    return `reminders-${this.dataset.session}`;
  }

  /** Time gone by; the date counts where the device slept, because timers stand still then. */
  get #gone() {
    return Math.max(performance.now() - this.#begun, Date.now() - this.#began);
  }

  async #agreed() {
    this.#sound.unlock();
    forTab.set(this.#key, "on");
    if ("Notification" in window && Notification.permission === "default") await Notification.requestPermission();
    this.#arm();
  }

  #arm() {
    this.querySelector("[data-remind]").hidden = true;
    const shown = "Notification" in window && Notification.permission === "granted";
    this.#say(`Reminders are on while this page is open${shown ? "" : "; this device shows them on the page only"}.`);
    for (const line of this.querySelectorAll("[data-in-ms]")) {
      const left = Number(line.dataset.inMs) - this.#gone;
      if (left > 0) this.#timers.push(setTimeout(() => this.#look(), left + 20));
    }
  }

  /** Everything whose time has come and that was not told yet. */
  #look() {
    if (forTab.get(this.#key) !== "on") return;
    for (const line of this.querySelectorAll("[data-in-ms]")) {
      if (Number(line.dataset.inMs) > this.#gone || this.#told.has(line.dataset.id)) continue;
      this.#told.add(line.dataset.id);
      line.classList.add("reminder-now");
      this.#tell(line.dataset.text, this.#gone - Number(line.dataset.inMs) > LATE_MS);
    }
  }

  #tell(text, late) {
    this.#say(late ? `Some time ago: ${text}` : text);
    this.#sound.chime("end");
    this.#sound.buzz("end");
    try {
      if (Notification.permission === "granted") new Notification("Steady Hands", { body: text, tag: text });
    } catch {
      // Some phones know notifications only from a service worker; the page and the chime stand in.
    }
  }

  #say(text) {
    this.querySelector("[data-told]").textContent = text;
  }
}

customElements.define("after-reminders", AfterReminders);
