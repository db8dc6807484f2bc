// The lock against drops and sleeves: opens after a slow hold; keys and *Pain: stop* work through it.
const HOLD_MS = 1_200;

export class TouchLock {
  #cover;
  #timer = 0;

  /** `on` listens for as long as the stage is there; `stop` is called for *Pain: stop*. */
  constructor(cover, button, on, stop) {
    this.#cover = cover;
    button.hidden = false;
    on(button, "click", () => this.#close());
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

  #close() {
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
