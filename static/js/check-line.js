// One line of the pre-flight: what is known, a question whether it was heard or felt, a button that puts it right.
export class CheckLine {
  #element;
  #fix = null;
  #act = () => {};

  constructor(element) {
    this.#element = element;
  }

  set hidden(hidden) {
    this.#element.hidden = hidden;
  }

  /** `state` is "open" or "fine". */
  tell(text, state) {
    this.#element.dataset.state = state;
    this.#element.querySelector(".check-text").textContent = text;
  }

  /** It was tried; only the person can say whether it worked. */
  question(text) {
    this.tell(text, "open");
    this.#answer.hidden = false;
  }

  /** No need to ask after all. */
  close(text) {
    this.tell(text, "fine");
    this.#answer.hidden = true;
  }

  get #answer() {
    return this.#element.querySelector('[data-check^="heard-"]');
  }

  /** The button that puts it right, named `words`; without any there is none. */
  offer(words, act) {
    this.#act = act;
    if (!this.#fix && words) this.#fix = this.#newButton();
    if (!this.#fix) return;
    this.#fix.hidden = !words;
    this.#fix.textContent = words ?? "";
  }

  #newButton() {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button" });
    button.addEventListener("click", () => this.#act());
    this.#element.append(" ", button);
    return button;
  }
}
