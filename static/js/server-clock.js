// The server's clock on this device. The device's own date is never used for it.
const STALE_MS = 300_000;
const TOLERANCE_MS = 50;

export class ServerClock {
  #offset = 0;
  #round = Infinity;
  #takenAt = -Infinity;
  #apart = 0;

  /** Server milliseconds at this moment. */
  now() {
    return performance.now() + this.#offset;
  }

  /** The greatest correction that an answer has made, in ms: so far this screen was ever apart. */
  get apart() {
    return this.#apart;
  }

  /** Server milliseconds at a time of performance.now(). */
  at(time) {
    return time + this.#offset;
  }

  /** Kept from before a reload: believed until the server's next answer. */
  trust(offset) {
    this.#offset = offset;
    this.#round = Infinity;
  }

  /** One question and answer; times from performance.now(). True when the clock was set by it. */
  sample(sent, received, serverNow) {
    const round = received - sent;
    const offset = serverNow - (sent + received) / 2;
    const old = performance.now() - this.#takenAt > STALE_MS;
    const differs = Math.abs(offset - this.#offset) > (round + this.#round) / 2 + TOLERANCE_MS;
    if (!(round <= this.#round || old || differs)) return false;
    if (this.#round < Infinity) this.#apart = Math.max(this.#apart, Math.abs(offset - this.#offset));
    this.#offset = offset;
    this.#round = round;
    this.#takenAt = performance.now();
    return true;
  }

  /** The device slept for about `ms`: believed until the server's next answer, which then counts. */
  slept(ms) {
    this.#offset += ms;
    this.#round = Infinity;
  }
}

const LEAST_SLEEP_MS = 1_500;
const MOST_SLEEP_MS = 6 * 3_600_000;

/** Notices that the device slept: its date went on while its steady clock stood still. */
export class SleepWatch {
  #lead = Date.now() - performance.now();

  /** Milliseconds slept since the last look, 0 for none. */
  look() {
    const lead = Date.now() - performance.now();
    const gained = lead - this.#lead;
    this.#lead = lead;
    return gained > LEAST_SLEEP_MS && gained < MOST_SLEEP_MS ? gained : 0;
  }
}
