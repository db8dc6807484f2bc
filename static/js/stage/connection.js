// The connection to the server: its clock, its pushed events, and what the page says of both.

const STALE_MS = 300_000;
const TOLERANCE_MS = 50;

/** The server's clock on this device. The device's own date is never used for it. */
export class ServerClock {
  #offset = 0;
  #roundTrip = Infinity;
  #sampledAt = -Infinity;
  #maxCorrection = 0;

  /** Server ms now. */
  now() {
    return performance.now() + this.#offset;
  }

  /** In ms: how far this screen was ever off. */
  get maxCorrection() {
    return this.#maxCorrection;
  }

  /** Server ms at a time of performance.now(). */
  at(time) {
    return time + this.#offset;
  }

  /** Use the offset from before a reload until the server's next answer. */
  restore(offset) {
    this.#offset = offset;
    this.#roundTrip = Infinity;
  }

  /** Use one request and its answer; times of performance.now(). True when that set the clock. */
  sample(sent, received, serverNow) {
    const roundTrip = received - sent;
    const offset = serverNow - (sent + received) / 2;
    const stale = performance.now() - this.#sampledAt > STALE_MS;
    const differs = Math.abs(offset - this.#offset) > (roundTrip + this.#roundTrip) / 2 + TOLERANCE_MS;
    if (!(roundTrip <= this.#roundTrip || stale || differs)) return false;
    if (this.#roundTrip < Infinity) {
      this.#maxCorrection = Math.max(this.#maxCorrection, Math.abs(offset - this.#offset));
    }
    this.#offset = offset;
    this.#roundTrip = roundTrip;
    this.#sampledAt = performance.now();
    return true;
  }

  /** The device slept for about `ms`; the server's next answer corrects that. */
  addSleep(ms) {
    this.#offset += ms;
    this.#roundTrip = Infinity;
  }
}

const LEAST_SLEEP_MS = 1_500;
const MOST_SLEEP_MS = 6 * 3_600_000;

/** The device slept when its date went on while performance.now() stood still. */
export class SleepWatch {
  #lead = Date.now() - performance.now();

  /** Ms slept since the last call, 0 for none. */
  measure() {
    const lead = Date.now() - performance.now();
    const gained = lead - this.#lead;
    this.#lead = lead;
    return gained > LEAST_SLEEP_MS && gained < MOST_SLEEP_MS ? gained : 0;
  }
}

const RECONNECT_MS = 10_000;

/** Server-sent events of a session: only a hint to ask at once. The heartbeat stays the truth. */
export class PushEvents {
  #path;
  #onEvent;
  #source = null;
  #failedAt = -Infinity;

  /** `path` is the address of the session. */
  constructor(path, onEvent) {
    this.#path = path;
    this.#onEvent = onEvent;
  }

  /** Only while the page is visible: a browser has few connections to one server. */
  listen() {
    if (document.hidden) return this.close();
    if (this.#source || performance.now() - this.#failedAt < RECONNECT_MS) return;
    this.#source = new EventSource(`${this.#path}/nudges`);
    this.#source.addEventListener("message", () => this.#onEvent());
    this.#source.addEventListener("error", () => {
      this.#failedAt = performance.now();
      this.close();
    });
  }

  get open() {
    return this.#source?.readyState === EventSource.OPEN;
  }

  close() {
    this.#source?.close();
    this.#source = null;
  }
}

const NOTICE_MS = 60_000;
const UNPAIRED = "This device is no longer joined. It counts on alone.";

/** What the page says of the connection. */
export class ConnectionStatus {
  /** A Date; null while the server answers. */
  lostSince = null;
  longestLossMs = 0;
  /** Server ms of its last answer. */
  answeredAt = 0;
  /** The server answers, but this device is no longer paired. */
  unpaired = false;
  /** This device has slept since the last answer, so it did not count on. */
  slept = false;
  /** False where the browser refuses to store what is done. */
  storageWorks = true;
  #stage;
  #noticeTimer = 0;

  constructor(stage) {
    this.#stage = stage;
  }

  /** `waiting` acts are to be sent later. */
  setLost(waiting, unpaired = this.unpaired) {
    if (unpaired && !this.unpaired) this.showNote(UNPAIRED);
    this.unpaired = unpaired;
    this.lostSince ??= new Date();
    const since = `${this.lostSince.getHours()}:${String(this.lostSince.getMinutes()).padStart(2, "0")}`;
    const state = unpaired ? "no longer joined" : `on its own since ${since}`;
    this.showMark(waiting ? `${state}, ${waiting} ${this.storageWorks ? "kept" : "not sent"}` : state);
  }

  /** True when the connection was lost before. */
  setFound() {
    const lost = this.lostSince;
    if (lost) this.longestLossMs = Math.max(this.longestLossMs, new Date() - lost);
    this.lostSince = null;
    if (this.unpaired) this.showNote("");
    this.unpaired = false;
    this.showMark("");
    return lost !== null;
  }

  showMark(text) {
    const mark = this.#stage.querySelector("#session-link");
    if (mark.textContent !== text) mark.textContent = text;
  }

  /** What has to be said even when nothing else is. */
  get lastingNote() {
    return this.unpaired ? UNPAIRED : "";
  }

  /** A line above the controls; an empty text hides it. */
  showNote(text) {
    const note = this.#stage.querySelector("#session-unsent");
    note.textContent = text;
    note.hidden = !text;
    note.classList.toggle("trouble", text === UNPAIRED); // it stays, so it must not cover anything
  }

  /** A note for a minute. */
  showNotice(text) {
    if (!text) return;
    this.showNote(text);
    clearTimeout(this.#noticeTimer);
    this.#noticeTimer = setTimeout(() => {
      this.#noticeTimer = 0;
      this.showNote("");
    }, NOTICE_MS);
  }

  get showsNotice() {
    return this.#noticeTimer !== 0;
  }
}
