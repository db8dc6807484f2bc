// <print-page>: a button that prints; shown only where script runs.
class PrintPage extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", () => print(), { signal: this.#listeners.signal });
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }
}

customElements.define("print-page", PrintPage);
