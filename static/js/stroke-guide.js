// <stroke-guide>: the hand moves in a short burst when a phase begins and when the stage is touched, then
// rests; the pulse goes on at the tempo as a slow beat, one small change at a time.
const BURST_MS = 6_000;
const USUAL_STROKE_MS = 5_000;
const SLOW_BEAT = 20; // strokes a minute; a quicker mark would not be calm

/** How a burst goes at `tempo` strokes a minute: whole strokes that fit, and the pulse's true time. */
export function burstOf(tempo) {
  const pulse = tempo ? 60_000 / tempo : USUAL_STROKE_MS;
  const beat = Math.min(pulse, BURST_MS);
  const beats = Math.floor(BURST_MS / beat);
  return { beat, beats, pulse, pulses: Math.ceil(BURST_MS / pulse) };
}

class StrokeGuide extends HTMLElement {
  #listeners = new AbortController();
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #shown = { status: "", step: "" };
  #began = 0;
  #now = () => 0;
  #burstEnd = 0;
  #beat = 0;

  connectedCallback() {
    const signal = this.#listeners.signal;
    document.addEventListener("stage:timeline", (e) => this.#follow(e.detail), { signal });
    this.#stage.addEventListener("pointerdown", () => this.#burst(), { signal });
    this.#still.addEventListener("change", () => this.#rest(), { signal });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#rest();
    clearTimeout(this.#beat);
  }

  get #stage() {
    return this.closest("session-stage");
  }

  get #hand() {
    return this.#stage.querySelector("#session-live .step-hand");
  }

  get #tempo() {
    return Number(this.#hand?.dataset.tempo ?? 0);
  }

  #follow({ status, rows, total, now }) {
    const [row] = rows;
    const begins = status === "running" && (status !== this.#shown.status || row.id !== this.#shown.step);
    this.#shown = { status, step: row?.id };
    this.#now = now;
    this.#began = row?.ends ? row.ends - total : row?.begins;
    queueMicrotask(() => {
      if (begins) {
        this.#rest();
        this.#burst();
      }
      this.#paint();
    });
  }

  #burst() {
    if (this.#burstEnd || this.#still.matches || !this.#hand?.querySelector(".hands")) return;
    const { beat, beats, pulse, pulses } = burstOf(this.#tempo);
    const { style, classList } = this.#stage;
    style.setProperty("--beat", `${beat}ms`);
    style.setProperty("--beats", beats);
    style.setProperty("--pulse", `${pulse}ms`);
    style.setProperty("--pulses", pulses);
    classList.add("bursting");
    this.#burstEnd = setTimeout(() => this.#rest(), BURST_MS);
  }

  #rest() {
    clearTimeout(this.#burstEnd);
    this.#burstEnd = 0;
    this.#stage?.classList.remove("bursting");
  }

  /** The slow beat: half of each stroke the mark is full, half of it hollow. */
  #paint() {
    clearTimeout(this.#beat);
    const mark = this.#stage.querySelector("#session-live .pulse");
    const calm = this.#tempo && this.#tempo <= SLOW_BEAT;
    const beats = calm && this.#shown.status === "running" && !this.#still.matches;
    const half = 30_000 / (this.#tempo || 1);
    const at = this.#now() - this.#began;
    mark?.classList.toggle("pulse-off", Boolean(beats) && Math.floor(at / half) % 2 !== 0);
    if (beats) this.#beat = setTimeout(() => this.#paint(), half - (at % half) + 1);
  }
}

customElements.define("stroke-guide", StrokeGuide);
