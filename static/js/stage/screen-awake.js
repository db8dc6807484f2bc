// <screen-awake>: keeps the screen on while a session goes on, and says so where it cannot.
const LIVE = ["running", "waiting", "paused"];
const CANNOT = "The screen may go off: set it to stay on.";
const REFUSED = "The screen may go off: battery low?";
// Only over plain http there is no wake lock.
const media = navigator.wakeLock ? null : await import("../audio/silent-media.js").catch(() => null);

/** What this browser has for it: "lock", "video" or "none". */
export function awakeBy() {
  if (navigator.wakeLock) return "lock";
  return media?.silentFileFor(document.createElement("video")) ? "video" : "none";
}

class ScreenAwake extends HTMLElement {
  #lock = null;
  #video = media && new media.SilentVideo();
  #live = false;
  #requesting = false;
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "stage:timeline", (e) => this.#follow(e.detail.status));
    on(document, "visibilitychange", () => (document.hidden ? this.#video?.stop() : this.#keepOn()));
    on(window, "pageshow", () => this.#keepOn());
    on(window, "pagehide", () => this.#video?.stop());
    on(document, "click", (e) => this.#tapped(e));
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#lock?.release();
    this.#video?.remove();
  }

  #follow(status) {
    this.#live = LIVE.includes(status);
    if (this.#live) return this.#keepOn();
    this.#lock?.release();
    this.#video?.stop();
    this.#show("");
  }

  /** A film with sound may begin in a tap only: in the one on Start, before its answer is there. */
  #tapped(event) {
    if (awakeBy() === "video" && event.target.closest?.("#act-toggle")) this.#video.play();
    this.#keepOn();
  }

  /** Browsers release the lock whenever the page is hidden, so it is requested again and again. */
  #keepOn() {
    if (!this.#live || document.hidden) return;
    const means = awakeBy();
    if (means === "lock") this.#requestLock();
    else if (means === "video") this.#playVideo();
    else this.#show(CANNOT);
  }

  async #playVideo() {
    const plays = await this.#video.play();
    if (!this.#live || document.hidden) return this.#video?.stop();
    this.#show(plays ? "" : CANNOT);
  }

  async #requestLock() {
    if (this.#requesting || (this.#lock && !this.#lock.released)) return;
    this.#requesting = true;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#live) this.#lock = lock;
      else lock.release();
      this.#show("");
    } catch {
      this.#show(REFUSED);
    } finally {
      this.#requesting = false;
    }
  }

  #show(text) {
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("screen-awake", ScreenAwake);
