// A stop that the server has not heard of yet: kept over a reload where the browser allows it, sent until it is answered.
import { lasting } from "./device-store.js";

const AGAIN_MS = 2_000;

export class PendingStop {
  #key;
  #page;
  #heard;
  #timer = 0;

  /** `page` is the address of the session; `heard` is called once the server has answered. */
  constructor(page, heard) {
    this.#page = page;
    this.#key = `stop ${page}`;
    this.#heard = heard;
  }

  get waiting() {
    return lasting.get(this.#key) !== null;
  }

  /** `act` is "stop" or "low", `form` what its button sends. */
  wait(act, form) {
    lasting.set(this.#key, `${act}?${form}`);
  }

  /** Which of the two it was. */
  get act() {
    return lasting.get(this.#key)?.split("?", 1)[0];
  }

  /** The server knows. */
  heard() {
    lasting.set(this.#key, null);
    clearTimeout(this.#timer);
  }

  /** Try now, and again until there is an answer. The same key makes repeating harmless. */
  async send() {
    clearTimeout(this.#timer);
    const kept = lasting.get(this.#key);
    if (kept === null) return;
    const [act, body] = kept.split(/\?(.*)/s);
    try {
      const type = "application/x-www-form-urlencoded";
      const headers = { "Content-Type": type, "HX-Request": "true" };
      const answer = await fetch(`${this.#page}/${act}`, { method: "POST", body, headers });
      if (/data-status="(stopped|finished)"/.test(await answer.text())) {
        this.heard();
        this.#heard();
        return;
      }
    } catch {
      // No connection: tried again below.
    }
    this.#timer = setTimeout(() => this.send(), AGAIN_MS);
  }
}
