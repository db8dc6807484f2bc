// A push from the server that something happened: only a hint to ask at once. The beat stays the truth.
const AGAIN_MS = 10_000;

export class Nudges {
  #path;
  #ask;
  #source = null;
  #brokeAt = -Infinity;

  /** `path` is the address of the session; `ask` is called for every nudge. */
  constructor(path, ask) {
    this.#path = path;
    this.#ask = ask;
  }

  /** Listen while the page is shown: a browser has few connections to one server to give. */
  listen() {
    if (document.hidden) return this.close();
    if (this.#source || performance.now() - this.#brokeAt < AGAIN_MS) return;
    this.#source = new EventSource(`${this.#path}/nudges`);
    this.#source.addEventListener("message", () => this.#ask());
    this.#source.addEventListener("error", () => {
      this.#brokeAt = performance.now();
      this.close();
    });
  }

  /** Whether the server would say by itself that something happened, as far as one can know. */
  get open() {
    return this.#source?.readyState === EventSource.OPEN;
  }

  close() {
    this.#source?.close();
    this.#source = null;
  }
}
