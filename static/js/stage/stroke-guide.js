// <stroke-guide>: the hand moves briefly when a phase begins and when the stage is touched, then rests; the pulse
// goes on at the tempo.
const LONGEST_MS = 6_000;
const ENOUGH_MS = 4_000;
// Animations of the browser itself paint ten times as many pictures, and each costs power.
const PICTURE_MS = 1_000 / 6;
const USUAL_STROKE_MS = 5_000;
const EVERY_STROKE = 12; // strokes a minute; above, the mark beats every second stroke
const STILL_ABOVE = 24; // a quicker mark would not be calm

/** At `tempo` strokes a minute: one stroke, or as many as fit into 4 s, and the pulse's time in ms. */
export function burstOf(tempo) {
  const pulse = tempo ? 60_000 / tempo : USUAL_STROKE_MS;
  const beat = Math.min(pulse, LONGEST_MS);
  const beats = Math.max(1, Math.floor(ENOUGH_MS / beat));
  return { beat, beats, pulse, pulses: Math.ceil((beats * beat) / pulse) };
}

/** Whether a stroke that the mark shows begins in the second that began `ms` after the phase did. */
export function beatsAt(ms, tempo) {
  const beats = tempo > EVERY_STROKE ? tempo / 2 : tempo;
  const begun = (second) => Math.floor((second * beats) / 60);
  const second = Math.floor(ms / 1000 + 0.02);
  return begun(second) > begun(second - 1);
}

class StrokeGuide extends HTMLElement {
  #listeners = new AbortController();
  #still = matchMedia("(prefers-reduced-motion: reduce)");
  #state = { status: "", step: "" };
  #began = 0;
  #now = () => 0;
  #burstEnd = 0;
  #burstBegan = 0;
  #times = {};
  #movements = [];
  #picture = 0;

  connectedCallback() {
    const signal = this.#listeners.signal;
    document.addEventListener("stage:timeline", (e) => this.#follow(e.detail), { signal });
    document.addEventListener("stage:second", () => this.#paint(), { signal });
    this.#stage.addEventListener("pointerdown", () => this.#burst(), { signal });
    this.#still.addEventListener("change", () => this.#rest(), { signal });
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#rest();
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
    const begins = status === "running" && (status !== this.#state.status || row.id !== this.#state.step);
    this.#state = { status, step: row?.id };
    this.#now = now;
    this.#began = row?.ends ? row.ends - total : row?.begins;
    queueMicrotask(() => {
      if (begins) {
        this.#rest();
        this.#burst();
      } else if (this.#burstEnd) this.#hold(); // an answer may have replaced the pictures
      this.#paint();
    });
  }

  #burst() {
    if (this.#burstEnd || this.#still.matches || !this.#hand?.querySelector(".hand-picture")) return;
    const { beat, beats, pulse, pulses } = burstOf(this.#tempo);
    this.#times = { "--beat": `${beat}ms`, "--beats": beats, "--pulse": `${pulse}ms`, "--pulses": pulses };
    this.#burstEnd = setTimeout(() => this.#rest(), beats * beat);
    this.#burstBegan = performance.now();
    this.#hold();
    this.#move();
  }

  /** Only these get the styles, so that the browser does not check the whole stage. */
  get #parts() {
    return this.#stage?.querySelectorAll("#session-live :is(.step-hand, .pulse)") ?? [];
  }

  /** The styles say how things move, and pause every movement. */
  #hold() {
    this.#movements = [];
    for (const part of this.#parts) {
      for (const [name, time] of Object.entries(this.#times)) part.style.setProperty(name, time);
      part.classList.add("bursting");
      this.#movements.push(...part.getAnimations({ subtree: true }));
    }
    this.#pose();
  }

  #pose() {
    const ms = performance.now() - this.#burstBegan;
    for (const movement of this.#movements) movement.currentTime = ms;
    return ms;
  }

  #move() {
    this.#picture = setTimeout(() => this.#move(), PICTURE_MS - (this.#pose() % PICTURE_MS));
  }

  #rest() {
    clearTimeout(this.#picture);
    clearTimeout(this.#burstEnd);
    this.#burstEnd = 0;
    for (const part of this.#parts) part.classList.remove("bursting");
  }

  /** The mark is full for the second in which a stroke begins. It changes with the digits, so it costs no frame. */
  #paint() {
    const calm = this.#tempo > 0 && this.#tempo <= STILL_ABOVE && !this.#still.matches;
    const beats = calm && this.#state.status === "running";
    const on = beats && beatsAt(this.#now() - this.#began, this.#tempo);
    this.#stage.querySelector("#session-live .pulse")?.classList.toggle("pulse-on", on);
  }
}

customElements.define("stroke-guide", StrokeGuide);
