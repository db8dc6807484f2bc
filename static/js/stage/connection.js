// What the page says of its link to the server: since when it is on its own, and what the server said.
import { pad } from "./stage-moment.js";

const SAID_MS = 60_000;
const SHUT_OUT = "This device is no longer joined. It counts on alone.";

export class StageLink {
  /** Since when there is no answer; null while there is one. */
  lostSince = null;
  /** The longest time without an answer, in ms. */
  alonest = 0;
  /** Server ms of its last answer. */
  answeredAt = 0;
  /** True when the server answers, but not this device: it is no longer joined. */
  shut = false;
  /** True when this device has slept since then: it did not count on. */
  slept = false;
  /** False where the browser refuses to keep what is done. */
  keeps = true;
  #stage;
  #said = 0;

  constructor(stage) {
    this.#stage = stage;
  }

  /** No answer, or (`shut`) none for this device any more; `kept` acts wait to be handed over. */
  lost(kept, shut = this.shut) {
    if (shut && !this.shut) this.note(SHUT_OUT);
    this.shut = shut;
    this.lostSince ??= new Date();
    const since = `${this.lostSince.getHours()}:${pad(this.lostSince.getMinutes())}`;
    const how = shut ? "no longer joined" : `on its own since ${since}`;
    const waiting = this.keeps ? "kept" : "not sent";
    this.mark(`${how}${kept ? `, ${kept} ${waiting}` : ""}`);
  }

  /** An answer; true when there was none before. */
  found() {
    const was = this.lostSince;
    if (was) this.alonest = Math.max(this.alonest, new Date() - was);
    this.lostSince = null;
    if (this.shut) this.note("");
    this.shut = false;
    this.mark("");
    return was !== null;
  }

  mark(text) {
    const mark = this.#stage.querySelector("#session-link");
    if (mark.textContent !== text) mark.textContent = text;
  }

  /** What stays to be said while all goes well here. */
  get standing() {
    return this.shut ? SHUT_OUT : "";
  }

  /** A line above the controls; none for no text. */
  note(text) {
    const note = this.#stage.querySelector("#session-unsent");
    note.textContent = text;
    note.hidden = !text;
    note.classList.toggle("trouble", text === SHUT_OUT); // it stays, so it covers nothing
  }

  /** The server's word after it was away; it stays for a minute. */
  say(text) {
    if (!text) return;
    this.note(text);
    clearTimeout(this.#said);
    this.#said = setTimeout(() => {
      this.#said = 0;
      this.note("");
    }, SAID_MS);
  }

  get saying() {
    return this.#said !== 0;
  }
}
