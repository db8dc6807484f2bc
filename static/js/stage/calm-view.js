// <calm-view>: for the person on the table. No numbers: the name of the area on a colour that changes slowly.
// Without the server it goes on by the turns that it has.
import { keepOffline } from "./keep-offline.js";
import { Nudges } from "./nudges.js";
import { ServerClock } from "./server-clock.js";

const NO_LONGER_JOINED = 401;
const SHUT_OUT = "This screen is no longer joined. It goes on alone.";

class CalmView extends HTMLElement {
  #clock = new ServerClock();
  #nudges = new Nudges(this.dataset.path, () => document.body.dispatchEvent(new Event("resync")));
  #sent = new WeakMap();
  #timer = 0;
  #listeners = new AbortController();

  connectedCallback() {
    const on = (target, name, act) => target.addEventListener(name, act, { signal: this.#listeners.signal });
    on(this, "htmx:before:request", (e) => this.#sent.set(e.detail.ctx, performance.now()));
    on(this, "htmx:before:response", (e) => this.#answered(e.detail.ctx));
    on(this, "htmx:before:swap", (e) => this.#look(e));
    on(document, "htmx:after:swap", () => this.#show());
    on(document, "visibilitychange", () => (document.hidden ? this.#nudges.close() : this.#wake()));
    for (const name of ["pageshow", "online"]) on(window, name, () => this.#wake());
    on(document, "stage:ask", () => this.#tell());
    this.#clock.sample(performance.now(), performance.now(), Number(this.#live.dataset.now));
    this.#show();
    on(window, "load", () => keepOffline(location.pathname).catch(() => {}));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#nudges.close();
    clearTimeout(this.#timer);
  }

  get #live() {
    return this.querySelector("#session-live");
  }

  /** What is not the view is not shown; who no longer belongs here is told so. */
  #look(event) {
    const status = event.detail.ctx.response?.status;
    if (status >= 400) event.preventDefault();
    const text = status === NO_LONGER_JOINED ? SHUT_OUT : "";
    const link = this.querySelector("#calm-link");
    if (link.textContent !== text) link.textContent = text;
  }

  #answered(ctx) {
    const now = Number(ctx.response.headers.get("X-Now"));
    if (!now) return;
    this.#clock.sample(this.#sent.get(ctx) ?? performance.now(), performance.now(), now);
    this.#nudges.listen();
  }

  #wake() {
    document.body.dispatchEvent(new Event("resync"));
    this.#show();
  }

  /** For what keeps the screen on. */
  #tell() {
    const detail = { status: this.#live.dataset.status, rows: [], total: 0, now: () => this.#clock.now() };
    document.dispatchEvent(new CustomEvent("stage:timeline", { detail }));
  }

  /** The turn of this moment, and back at its end. */
  #show() {
    clearTimeout(this.#timer);
    this.#tell();
    if (this.#live.dataset.status === "running") this.#turn();
    else this.#colour(this.#live.dataset.hue);
    this.#say();
  }

  #turn() {
    const { now, turns } = this.#live.dataset;
    const passed = this.#clock.now() - Number(now);
    const [words, hue, ends] = JSON.parse(turns).find(([, , ends]) => ends === null || ends > passed) ?? [];
    if (words === undefined) return;
    const shown = this.querySelector(".calm-words");
    if (shown.textContent !== words) shown.textContent = words;
    this.#colour(hue);
    if (ends !== null) this.#timer = setTimeout(() => this.#show(), ends - passed + 20);
  }

  /** To a screen reader, once: what is shown goes with each answer, this place stays. */
  #say() {
    const said = this.querySelector("#calm-said");
    const words = this.querySelector(".calm-words").textContent;
    if (said.textContent !== words) said.textContent = words;
  }

  #colour(hue) {
    this.className = `calm hue-${hue === "still" ? "plain" : hue}`;
  }
}

customElements.define("calm-view", CalmView);
