// <learn-keys>: binds whatever a pedal, clicker or headset sends to an act of the stage.
import { boundKeys } from "./bound-keys.js";

const WORDS = { toggle: "Pause and resume", next: "Next", back: "Back", step: "Say it again", time: "How long?", undo: "Undo" };
const ONLY_HERE = "on this page only: this browser keeps nothing for this site.";

class LearnKeys extends HTMLElement {
  #act = null;
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    this.hidden = false;
    this.addEventListener("click", (e) => this.#pressed(e.target), { signal });
    window.addEventListener("keydown", (e) => this.#key(e), { signal, capture: true });
    this.#list();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #pressed(target) {
    const { learn, forget } = target.dataset;
    if (forget) {
      const kept = boundKeys.forget(forget);
      this.#list();
      this.#say(kept ? "Forgotten." : `Forgotten ${ONLY_HERE}`);
    }
    if (!learn) return;
    this.#act = learn;
    this.#say(`Press the key or pedal for “${WORDS[learn]}” now. Escape leaves it.`);
  }

  #key(event) {
    if (!this.#act || event.repeat) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const act = this.#act;
    this.#act = null;
    if (event.key === "Escape" || event.key === "Tab") return this.#say("Left as it was.");
    const name = event.key === "Unidentified" ? event.code : event.key;
    if (!name) return this.#say("That device sends no name for its key. Another mode of it may.");
    const kept = boundKeys.learn(name, act);
    this.#list();
    this.#say(`“${name === " " ? "Space" : name}” is ${WORDS[act]} now${kept ? "." : `, ${ONLY_HERE}`}`);
  }

  #list() {
    const list = this.querySelector("#learned");
    list.replaceChildren();
    for (const [key, act] of Object.entries(boundKeys.learned)) {
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

  #say(text) {
    this.querySelector("#learn-note").textContent = text;
  }
}

customElements.define("learn-keys", LearnKeys);
