// Hands over what was done while the server could not be asked: once, in order, until it is heard.
const FIRST_MS = 1_000;
const MOST_MS = 10_000;
const LATEST_ANSWER_MS = 6_000;

export class HandOver {
  #path;
  #account;
  #done;
  #timer = 0;
  #wait = FIRST_MS;
  #asking = false;

  /**
   * `path` is the session's address; `account` gives what is to be told, or null; `done` gets what
   * was told, the server's word for the person, and whether it was understood.
   */
  constructor(path, account, done) {
    this.#path = path;
    this.#account = account;
    this.#done = done;
  }

  /** Try now; after a failure again and again, ever more rarely. The keys make repeating harmless. */
  async now() {
    clearTimeout(this.#timer);
    const account = this.#asking ? null : this.#account();
    if (!account) return;
    this.#asking = true;
    const answer = await this.#send(account);
    this.#asking = false;
    // 401: this device is no longer joined; what it did is kept until it is let in again.
    if (!answer || answer.status >= 500 || answer.status === 401) return this.#later();
    this.#wait = FIRST_MS;
    this.#done(account, answer.text, answer.ok);
  }

  async #send(account) {
    const body = new URLSearchParams({ account: JSON.stringify(account) });
    const headers = { "HX-Request": "true" };
    const signal = AbortSignal.timeout(LATEST_ANSWER_MS);
    try {
      const answer = await fetch(`${this.#path}/account`, { method: "POST", body, headers, signal });
      return { status: answer.status, ok: answer.ok, text: await answer.text() };
    } catch {
      return null;
    }
  }

  #later() {
    this.#timer = setTimeout(() => this.now(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(MOST_MS, this.#wait * 2);
  }

  close() {
    clearTimeout(this.#timer);
  }
}
