// <screen-awake>: keeps the screen on while a session goes on; says so honestly where it cannot.
import { AwakeVideo } from "./awake-video.js";

const LIVE = ["running", "waiting", "paused"];
const CANNOT = "The screen may go off: set it to stay on.";
const REFUSED = "The screen may go off: battery low?";

/** What this browser has for it: "lock", "video" or "none". */
export function awakeBy() {
  if (navigator.wakeLock) return "lock";
  return AwakeVideo.possible ? "video" : "none";
}

class ScreenAwake extends HTMLElement {
  #lock = null;
  #video = new AwakeVideo();
  #live = false;
  #asking = false;
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(document, "stage:timeline", (e) => this.#follow(e.detail.status));
    on(document, "visibilitychange", () => (document.hidden ? this.#video.stop() : this.#take()));
    on(window, "pageshow", () => this.#take());
    on(window, "pagehide", () => this.#video.stop());
    on(document, "click", (e) => this.#tapped(e));
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#lock?.release();
    this.#video.remove();
  }

  #follow(status) {
    this.#live = LIVE.includes(status);
    if (this.#live) return this.#take();
    this.#lock?.release();
    this.#video.stop();
    this.#say("");
  }

  /** A film with sound may begin in a tap only: in the one on Start, before its answer is there. */
  #tapped(event) {
    if (awakeBy() === "video" && event.target.closest?.("#act-toggle")) this.#video.play();
    this.#take();
  }

  /** Browsers let go of it whenever the page is hidden, so it is asked for again and again. */
  #take() {
    if (!this.#live || document.hidden) return;
    const means = awakeBy();
    if (means === "lock") this.#takeLock();
    else if (means === "video") this.#playVideo();
    else this.#say(CANNOT);
  }

  async #playVideo() {
    const plays = await this.#video.play();
    if (!this.#live || document.hidden) return this.#video.stop();
    this.#say(plays ? "" : CANNOT);
  }

  async #takeLock() {
    if (this.#asking || (this.#lock && !this.#lock.released)) return;
    this.#asking = true;
    try {
      const lock = await navigator.wakeLock.request("screen");
      if (this.#live) this.#lock = lock;
      else lock.release();
      this.#say("");
    } catch {
      this.#say(REFUSED);
    } finally {
      this.#asking = false;
    }
  }

  #say(text) {
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("screen-awake", ScreenAwake);
