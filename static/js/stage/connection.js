// The connection to the server: its pushed events, what the page says of it, and what htmx may send and put in.
export const STOP_ACTS = ["stop", "low"];

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
const UNPAIRED_NOTE = "This device is no longer joined. It counts on alone.";

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
    if (unpaired && !this.unpaired) this.showNote(UNPAIRED_NOTE);
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
    return this.unpaired ? UNPAIRED_NOTE : "";
  }

  /** A line above the controls; an empty text hides it. */
  showNote(text) {
    const note = this.#stage.querySelector("#session-unsent");
    note.textContent = text;
    note.hidden = !text;
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

const TRUST_OWN_STEP_MS = 2_000;
const UNPAIRED = 401;
const FRESH_MS = 7_500;

/** What htmx may send for the stage and put into it. */
export class ServerResponses {
  #stage;
  #parts;
  #sentAt = new WeakMap();
  #answeredAt = -Infinity;

  /** `on(target, name, act, capture)` listens while the stage is connected. */
  constructor(stage, parts, on) {
    this.#stage = stage;
    this.#parts = parts;
    on(stage, "every", (e) => this.#isPushed && e.stopImmediatePropagation(), true);
    on(stage, "htmx:before:request", (e) => this.#sentAt.set(e.detail.ctx, performance.now()));
    on(stage, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    on(stage, "htmx:before:swap", (e) => this.#beforeSwap(e));
    on(stage, "htmx:after:swap", () => parts.adopt());
    on(document, "htmx:after:swap", () => parts.adopt());
    on(document, "htmx:finally:request", (e) => this.#finished(e.detail.ctx));
    on(document, "htmx:error", (e) => this.#failed(e.detail.ctx));
    on(stage, "htmx:config:request", (e) => this.#beforeRequest(e));
  }

  /** While the server pushes its events, every second heartbeat is enough. */
  get #isPushed() {
    return this.#parts.push.open && performance.now() - this.#answeredAt < FRESH_MS;
  }

  #answered(ctx) {
    const { clock, push, status, clockSet } = this.#parts;
    const sent = this.#sentAt.get(ctx);
    const serverNow = Number(ctx.response.headers.get("X-Now"));
    if (sent === undefined || !serverNow || ctx.response.status >= 500) return;
    if (ctx.response.status === 204) status.slept = false;
    this.#answeredAt = performance.now();
    this.#answerArrived();
    push.listen();
    if (clock.sample(sent, performance.now(), serverNow)) clockSet();
    status.answeredAt = serverNow;
  }

  #answerArrived() {
    const { status, stop } = this.#parts;
    const offline = this.#parts.offline();
    const lost = status.setFound();
    if (offline?.waiting) offline.sync();
    else if (lost && !stop.waiting && !status.showsNotice) status.showNote("");
  }

  #beforeSwap(event) {
    const { ctx, tasks } = event.detail;
    const failed = ctx.response?.status >= 500 || ctx.response?.status === UNPAIRED;
    if (failed) this.#failed(ctx);
    const liveIn = ({ fragment }) => fragment?.querySelector?.("#session-live");
    const swap = tasks.find(liveIn);
    const next = swap && liveIn(swap);
    if (failed || this.#isOld(ctx) || this.#parts.offline()?.confirmsTime(next)) event.preventDefault();
    else if (next && this.#isShown(next)) this.#morph(next, swap);
  }

  /** True for a response that shows less than the page does already. */
  #isOld(ctx) {
    const { painter, stop } = this.#parts;
    const moment = this.#parts.moment();
    const version = ctx.response?.headers.get("X-Version");
    if (!version || !moment) return false;
    if (this.#parts.offline()?.waiting) return true;
    if (stop.waiting && !ctx.text.includes('data-status="stopped"')) return true;
    const [seq, index] = version.split(".").map(Number);
    if (seq !== moment.seq) return seq < moment.seq;
    const { row, steppedAt } = painter;
    return index < moment.index + row && row > 0 && performance.now() - steppedAt < TRUST_OWN_STEP_MS;
  }

  /** True when the page has come to the response's step by itself. */
  #isShown(next) {
    const { seq, status, step } = this.#parts.live().dataset;
    return status === "running" && next.dataset.status === status && next.dataset.seq === seq && next.dataset.step === step;
  }

  /** The response's digits are as old as its way here, so those on the page stay. What is the same stays too: the
   * browser need not paint the whole stage again. */
  #morph(next, swap) {
    const { live, painter } = this.#parts;
    if (painter.text) next.querySelector("[role=timer]").textContent = painter.text;
    swap.swapSpec.style = "outerMorph";
    // htmx restarts "load delay" only where an attribute of its own changes, and this one may be the same again.
    live().removeAttribute("hx-trigger");
  }

  /** After an act: ask again when its response was not swapped in, and never lose the focus. */
  #finished(ctx) {
    if (ctx.request.method !== "POST") return;
    if (ctx.status !== "swapped") this.#parts.resync();
    else if (this.#parts.taps.byKeys && document.activeElement === document.body) {
      this.#stage.querySelector("#session-controls .control-main")?.focus();
    }
  }

  /** A heartbeat is repeated by itself; an act counts here from the moment of the tap. */
  #failed(ctx) {
    const { clock, push, status, act } = this.#parts;
    status.setLost(this.#parts.offline()?.waitingCount, ctx?.response?.status === UNPAIRED);
    if (status.unpaired) push.close();
    if (ctx?.request?.method !== "POST") return;
    const sent = this.#sentAt.get(ctx);
    const at = sent === undefined ? clock.now() : clock.at(sent);
    const form = ctx.request.body;
    act(ctx.request.action.split("/").pop(), form?.get?.("key"), at, form);
  }

  /** While acts count here first, htmx sends none. */
  #beforeRequest(event) {
    const { method, action, body } = event.detail.ctx.request;
    if (method !== "POST" || !this.#parts.isOffline()) return;
    event.preventDefault();
    const act = action.split("/").pop();
    if (STOP_ACTS.includes(act) || this.#parts.offline()?.stopWaiting) return; // a stop counts by its tap
    this.#parts.act(act, null, this.#parts.clock.now(), body);
  }
}
