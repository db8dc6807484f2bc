// <stroke-guide>: the hand moves in a short burst when a phase begins and when the stage is touched, then
// rests; the pulse goes on at the tempo as a slow beat, one small change at a time.
const LONGEST_MS = 6_000;
const ENOUGH_MS = 4_000;
// Pictures of a drawn film: a browser that moves them by itself paints many times as many, and each costs it power.
const PICTURE_MS = 1_000 / 8;
const USUAL_STROKE_MS = 5_000;
const EVERY_STROKE = 12; // strokes a minute; above, the mark beats every second stroke
const STILL_ABOVE = 24; // a quicker mark would not be calm, and every change costs power

/** How a burst goes at `tempo` strokes a minute: one stroke, or as many as fit into 4 s, and the pulse's true time. */
export function burstOf(tempo) {
  const pulse = tempo ? 60_000 / tempo : USUAL_STROKE_MS;
  const beat = Math.min(pulse, LONGEST_MS);
  const beats = Math.max(1, Math.floor(ENOUGH_MS / beat));
  return { beat, beats, pulse, pulses: Math.ceil((beats * beat) / pulse) };
}

/** Whether the mark is full `ms` after the phase began, and the ms until that changes: always together
 * with a change of the digits, so that it costs no frame of its own. */
export function markAt(ms, tempo) {
  const beats = tempo > EVERY_STROKE ? tempo / 2 : tempo;
  const begun = (second) => Math.floor((second * beats) / 60);
  const second = Math.floor(ms / 1000 + 0.02);
  const on = begun(second) > begun(second - 1);
  const begins = Math.ceil(((begun(second) + 1) * 60) / beats);
  return { on, next: (on ? second + 1 : begins) * 1000 - ms };
}

class StrokeGuide extends HTMLElement {
  #listeners = new AbortController();
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #shown = { status: "", step: "" };
  #began = 0;
  #now = () => 0;
  #burstEnd = 0;
  #picture = 0;
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
    if (this.#burstEnd || this.#still.matches || !this.#hand?.querySelector(".hand-picture")) return;
    const { beat, beats, pulse, pulses } = burstOf(this.#tempo);
    const { style, classList } = this.#stage;
    style.setProperty("--beat", `${beat}ms`);
    style.setProperty("--beats", beats);
    style.setProperty("--pulse", `${pulse}ms`);
    style.setProperty("--pulses", pulses);
    classList.add("bursting");
    this.#burstEnd = setTimeout(() => this.#rest(), beats * beat);
    this.#move(performance.now());
  }

  /** The styles say how things move, and leave it to us when: they pause every movement. */
  #move(began) {
    const all = this.#stage.querySelector("#session-live").getAnimations({ subtree: true });
    const ours = all.filter(({ playState }) => playState === "paused");
    for (const movement of ours) movement.currentTime = performance.now() - began;
    this.#picture = setTimeout(() => this.#move(began), PICTURE_MS);
  }

  #rest() {
    clearTimeout(this.#picture);
    clearTimeout(this.#burstEnd);
    this.#burstEnd = 0;
    this.#stage?.classList.remove("bursting");
  }

  /** The slow beat: the mark is full for the second in which a stroke begins. */
  #paint() {
    clearTimeout(this.#beat);
    const calm = this.#tempo > 0 && this.#tempo <= STILL_ABOVE && !this.#still.matches;
    const beats = calm && this.#shown.status === "running";
    const { on, next } = markAt(this.#now() - this.#began, this.#tempo);
    this.#stage.querySelector("#session-live .pulse")?.classList.toggle("pulse-on", beats && on);
    if (beats) this.#beat = setTimeout(() => this.#paint(), next + 1);
  }
}

customElements.define("stroke-guide", StrokeGuide);
