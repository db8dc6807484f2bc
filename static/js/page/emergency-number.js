// <emergency-number>: the number that was chosen on this device, kept without the server. A page that was kept for
// a time without it may be older than the choice.
import { preferences } from "./preferences.js";

const NUMBER = /^\d{2,6}$/;

class EmergencyNumber extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback() {
    const { signal } = this.#listeners;
    this.addEventListener("submit", (event) => this.#keep(event), { signal });
    document.addEventListener("device:changed", () => this.#show(preferences.get("emergency")), { signal });
    this.#show(preferences.stored("emergency"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
    this.#listeners = new AbortController();
  }

  #keep(event) {
    event.preventDefault();
    const number = event.submitter?.value || event.target.elements.typed.value.trim();
    if (!NUMBER.test(number)) return;
    const kept = preferences.set("emergency", number);
    this.#show(number);
    this.querySelector("details").open = false;
    this.querySelector("summary").focus();
    this.querySelector(".emergency-kept").textContent = kept
      ? `${number} is kept on this device.`
      : `${number} counts on this page only: this browser keeps nothing for this site.`;
  }

  #show(number) {
    if (!NUMBER.test(number)) return;
    const call = this.querySelector(".button-call");
    if (call) {
      call.href = `tel:${number}`;
      call.textContent = `Call ${number}`;
    } else this.querySelector("strong").textContent = number;
    this.querySelector(".emergency-others").hidden = true;
    this.querySelector("summary").textContent = "Change this number";
  }
}

customElements.define("emergency-number", EmergencyNumber);
