// Decides what htmx may send for the stage and put into it.
import { STOP_ACTS } from "../offline/offline-session.js";

const TRUST_OWN_STEP_MS = 2_000;
const UNPAIRED = 401;
const FRESH_MS = 7_500;

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
    act(ctx.request.action.split("/").pop(), form?.get?.("key"), at, form?.get?.("time"));
  }

  /** While acts count here first, htmx sends none. */
  #beforeRequest(event) {
    const { method, action, body } = event.detail.ctx.request;
    if (method !== "POST" || !this.#parts.isOffline()) return;
    event.preventDefault();
    const act = action.split("/").pop();
    if (STOP_ACTS.includes(act) || this.#parts.offline()?.stopWaiting) return; // a stop counts by its tap
    this.#parts.act(act, null, this.#parts.clock.now(), body.get("time"));
  }
}
