// Keeps the screen on while a session goes on; says so honestly where the browser cannot.
const LIVE = ["running", "waiting", "paused"];

class ScreenAwake extends HTMLElement {
  #lock = null;
  #live = false;
  #asking = false;
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    document.addEventListener("stage:timeline", (e) => this.#follow(e.detail.status), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#take(), { signal });
    addEventListener("pageshow", () => this.#take(), { signal });
    document.addEventListener("click", () => this.#take(), { signal });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#lock?.release();
  }

  #follow(status) {
    this.#live = LIVE.includes(status);
    if (this.#live) this.#take();
    else this.#lock?.release();
  }

  /** Browsers let go of it whenever the page is hidden, so it is asked for again and again. */
  async #take() {
    if (!this.#live || document.hidden || (this.#lock && !this.#lock.released)) return;
    if (!navigator.wakeLock) {
      this.#say("This page cannot keep the screen on: set the screen to stay on.");
      return;
    }
    if (this.#asking) return;
    this.#asking = true;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#live) this.#lock = lock;
      else lock.release();
      this.#say("");
    } catch {
      this.#say("The device does not keep the screen on now: battery low?");
    } finally {
      this.#asking = false;
    }
  }

  #say(text) {
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("screen-awake", ScreenAwake);
