// <learn-keys>: binds whatever a pedal, clicker or headset sends to an act of the stage.
import { keyBindings } from "../page/preferences.js";

const WORDS = { toggle: "Pause and resume", next: "Next", back: "Back", step: "Say it again", time: "How long?", undo: "Undo" };
const THIS_PAGE_ONLY = "on this page only: this browser keeps nothing for this site.";

class LearnKeys extends HTMLElement {
  #act = null;
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    this.hidden = false;
    this.addEventListener("click", (e) => this.#pressed(e.target), { signal });
    window.addEventListener("keydown", (e) => this.#keyPressed(e), { signal, capture: true });
    this.#showLearned();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #pressed(target) {
    const { learn, forget } = target.dataset;
    if (forget) {
      const stored = keyBindings.forget(forget);
      this.#showLearned();
      this.#showNote(stored ? "Forgotten." : `Forgotten ${THIS_PAGE_ONLY}`);
    }
    if (!learn) return;
    this.#act = learn;
    this.#showNote(`Press the key or pedal for “${WORDS[learn]}” now. Escape leaves it.`);
  }

  #keyPressed(event) {
    if (!this.#act || event.repeat) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const act = this.#act;
    this.#act = null;
    if (event.key === "Escape" || event.key === "Tab") return this.#showNote("Left as it was.");
    const name = event.key === "Unidentified" ? event.code : event.key;
    if (!name) return this.#showNote("That device sends no name for its key. Another mode of it may.");
    const stored = keyBindings.learn(name, act);
    this.#showLearned();
    this.#showNote(`“${name === " " ? "Space" : name}” is ${WORDS[act]} now${stored ? "." : `, ${THIS_PAGE_ONLY}`}`);
  }

  #showLearned() {
    const list = this.querySelector("#learned");
    list.replaceChildren();
    for (const [key, act] of Object.entries(keyBindings.learned)) {
      const item = document.createElement("li");
      const forget = document.createElement("button");
      forget.type = "button";
      forget.className = "button";
      forget.dataset.forget = key;
      forget.textContent = `Forget ${key === " " ? "Space" : key}`;
      item.append(`${key === " " ? "Space" : key}: ${WORDS[act] ?? act} `, forget);
      list.append(item);
    }
  }

  #showNote(text) {
    this.querySelector("#learn-note").textContent = text;
  }
}

customElements.define("learn-keys", LearnKeys);
