// <breath-pacer data-in data-out>: a circle that grows with the breath in and shrinks with the breath out, in
// steps of a second: movement in every frame would cost ten times the power of the rest of the page.
const SMALL = 24;
const LARGE = 57;

/** The word, the size from 0 to 1 and the ms to the next step, `ms` after the first breath began. */
export function breathAt(ms, inSeconds, outSeconds) {
  const whole = (inSeconds + outSeconds) * 1000;
  const at = ((ms % whole) + whole) % whole;
  const second = Math.floor(at / 1000) + 1;
  const rises = second <= inSeconds;
  const size = rises ? second / inSeconds : 1 - (second - inSeconds) / outSeconds;
  return { word: rises ? "in" : "out", size, next: 1000 - (at % 1000) };
}

class BreathPacer extends HTMLElement {
  #listeners = new AbortController();
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #timer = 0;

  connectedCallback() {
    const follow = (e) => this.#follow(e.detail);
    document.addEventListener("stage:timeline", follow, { signal: this.#listeners.signal });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    clearTimeout(this.#timer);
  }

  #follow({ status, rows: [row], total, now }) {
    clearTimeout(this.#timer);
    if (status === "running" && row) this.#paint(row.ends ? row.ends - total : row.begins, now);
  }

  #paint(began, now) {
    const { word, size, next } = breathAt(now() - began, Number(this.dataset.in), Number(this.dataset.out));
    const shown = this.querySelector(".breath-word");
    if (shown.textContent !== word) shown.textContent = word;
    if (!this.#still.matches) this.querySelector(".breath-disc").setAttribute("r", (SMALL + (LARGE - SMALL) * size).toFixed(1));
    this.#timer = setTimeout(() => this.#paint(began, now), next + 1);
  }
}

customElements.define("breath-pacer", BreathPacer);
