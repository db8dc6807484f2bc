// <count-wedge>: the rest of the phase as a wedge behind the digits, where a device asks for it.
const MOVES = 30; // of a phase, on whole seconds: each costs a paint

class CountWedge extends HTMLElement {
  #listeners = new AbortController();
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
    if (document.documentElement.dataset.countdown !== "wedge") return; // not shown
    if (status === "waiting" || (row && row.ends === null)) this.#show(0);
    else if (status === "running" && row) this.#paint(row, total, now);
  }

  /** Moves together with the digits. */
  #paint(row, total, now) {
    const left = Math.max(0, row.ends - now());
    this.#show((100 * left) / total);
    const step = Math.max(1, Math.round(total / 1000 / MOVES)) * 1000;
    if (left > 0) this.#timer = setTimeout(() => this.#paint(row, total, now), (left % step || step) + 1);
  }

  #show(percent) {
    const dashes = `${percent.toFixed(1)} 100`;
    for (const circle of this.querySelectorAll("circle")) circle.setAttribute("stroke-dasharray", dashes);
  }
}

customElements.define("count-wedge", CountWedge);
