// <calm-view>: for the person on the table. No numbers: the name of the area on a colour that changes slowly.
// Without the server it goes on by the turns that the page holds.
import { keepPage } from "../offline/session-store.js";
import { PushEvents } from "./connection.js";
import { ServerClock } from "./painter.js";

const UNPAIRED = 401;
const UNPAIRED_WORDS = "This screen is no longer joined. It goes on alone.";

class CalmView extends HTMLElement {
  #clock = new ServerClock();
  #push = new PushEvents(this.dataset.path, () => document.body.dispatchEvent(new Event("resync")));
  #sentAt = new WeakMap();
  #timer = 0;
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "htmx:before:request", (e) => this.#sentAt.set(e.detail.ctx, performance.now()));
    on(this, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    on(this, "htmx:before:swap", (e) => this.#beforeSwap(e));
    on(document, "htmx:after:swap", () => this.#show());
    on(document, "visibilitychange", () => (document.hidden ? this.#push.close() : this.#wake()));
    for (const name of ["pageshow", "online"]) on(window, name, () => this.#wake());
    on(document, "stage:ask", () => this.#dispatchTimeline());
    this.#clock.sample(performance.now(), performance.now(), Number(this.#live.dataset.now));
    this.#show();
    on(window, "load", () => keepPage(location.pathname).catch(() => {}));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#push.close();
    clearTimeout(this.#timer);
  }

  get #live() {
    return this.querySelector("#session-live");
  }

  /** An error is not shown in place of the view. */
  #beforeSwap(event) {
    const status = event.detail.ctx.response?.status;
    if (status >= 400) event.preventDefault();
    const text = status === UNPAIRED ? UNPAIRED_WORDS : "";
    const link = this.querySelector("#calm-link");
    if (link.textContent !== text) link.textContent = text;
  }

  #answered(ctx) {
    const now = Number(ctx.response.headers.get("X-Now"));
    if (!now) return;
    this.#clock.sample(this.#sentAt.get(ctx) ?? performance.now(), performance.now(), now);
    this.#push.listen();
  }

  #wake() {
    document.body.dispatchEvent(new Event("resync"));
    this.#show();
  }

  /** For <screen-awake>. */
  #dispatchTimeline() {
    const detail = { status: this.#live.dataset.status, rows: [], total: 0, now: () => this.#clock.now() };
    document.dispatchEvent(new CustomEvent("stage:timeline", { detail }));
  }

  #show() {
    clearTimeout(this.#timer);
    this.#dispatchTimeline();
    if (this.#live.dataset.status === "running") this.#turn();
    else this.#setHue(this.#live.dataset.hue);
    this.#announce();
  }

  #turn() {
    const { now, turns } = this.#live.dataset;
    const passed = this.#clock.now() - Number(now);
    const [words, hue, ends] = JSON.parse(turns).find(([, , ends]) => ends === null || ends > passed) ?? [];
    if (words === undefined) return;
    const shown = this.querySelector(".calm-words");
    if (shown.textContent !== words) shown.textContent = words;
    this.#setHue(hue);
    if (ends !== null) this.#timer = setTimeout(() => this.#show(), ends - passed + 20);
  }

  /** A screen reader hears it once: the view is replaced with each answer, this element stays. */
  #announce() {
    const said = this.querySelector("#calm-said");
    const words = this.querySelector(".calm-words").textContent;
    if (said.textContent !== words) said.textContent = words;
  }

  #setHue(hue) {
    this.className = `calm hue-${hue === "still" ? "plain" : hue}`;
  }
}

customElements.define("calm-view", CalmView);
