// A tap by mistake can be taken back for five seconds, once the server has agreed to it.
const LASTS_MS = 5_000;
const BACK_FROM = { next: "back", end: "back", back: "next", pause: "toggle", resume: "toggle" };
const WORDS = {
  next: "Undo: go back",
  end: "Undo: go on",
  back: "Undo: forward again",
  pause: "Undo: go on",
  resume: "Undo: pause again",
};
const TOLD = { next: "Next", end: "Ended", back: "Back", pause: "Paused", resume: "Going on" };

const live = () => document.querySelector("#session-live");
const control = (name) => document.querySelector(`#session-controls #act-${name}`);

export class UndoOffer {
  #button;
  #status;
  #timer = 0;
  #row = null;
  #waiting = null;
  #offered = null;
  #taking = false;

  /** `button` takes back, `status` is a polite live region. */
  constructor(button, status) {
    this.#button = button;
    this.#status = status;
  }

  get open() {
    return !this.#button.hidden;
  }

  /** A control was pressed. What takes something back is not itself offered to be taken back. */
  tapped(act) {
    this.withdraw();
    this.#waiting = this.#taking || !BACK_FROM[act] ? null : { act, seq: Number(live().dataset.seq) };
  }

  /** An act was answered; only one that the server has recorded can be taken back. */
  answered(ctx) {
    const asked = this.#waiting;
    if (!asked || ctx.request?.method !== "POST" || !ctx.request.action.endsWith(`/${asked.act}`)) return;
    if (!ctx.response) return; // no answer: then it was done here
    this.#waiting = null;
    const seq = Number(ctx.response?.headers.get("X-Version")?.split(".")[0]);
    if (ctx.response?.status === 200 && seq > asked.seq) this.#offer(asked.act, seq);
  }

  /** An act was done here, without the server. */
  done(act) {
    const asked = this.#waiting;
    this.#waiting = null;
    if (asked?.act === act) this.#offer(act, Number(live().dataset.seq));
  }

  /** Time has gone on, or another screen has acted: then going back would lead elsewhere. */
  follow({ rows }) {
    this.#row = rows[0]?.id ?? null;
    const same = this.#row === this.#offered?.row && Number(live().dataset.seq) === this.#offered?.seq;
    if (this.#offered && !same) this.withdraw();
  }

  #offer(act, seq) {
    if (!control(BACK_FROM[act]) || Number(live().dataset.seq) !== seq) return;
    this.#offered = { act, seq, row: this.#row };
    this.#button.textContent = WORDS[act];
    this.#button.hidden = false;
    this.#status.textContent = `${TOLD[act]}. U takes it back, for five seconds.`;
    this.#timer = setTimeout(() => this.withdraw(), LASTS_MS);
  }

  take() {
    if (!this.#offered) return;
    const back = control(BACK_FROM[this.#offered.act]);
    this.withdraw();
    this.#taking = true;
    back?.click();
    this.#taking = false;
  }

  withdraw() {
    clearTimeout(this.#timer);
    this.#offered = null;
    if (document.activeElement === this.#button) control("toggle")?.focus();
    this.#button.hidden = true;
    this.#status.textContent = "";
  }
}
