// <join-by-link>: a QR code leads here with its token behind the #, which browsers send to no server.
import { cookies } from "./preferences.js";

const TOKEN = /^#([\w-]{22})$/;

class JoinByLink extends HTMLElement {
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    if (!cookies.work) return this.#refuse(signal);
    addEventListener("hashchange", () => this.#join(), { signal });
    this.#join();
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  /** Without a cookie the invite would be used up in vain; it stays in the address until cookies are allowed. */
  #refuse(signal) {
    document.querySelector("#no-cookies").hidden = false;
    this.addEventListener("submit", (e) => e.preventDefault(), { signal });
  }

  /** The token leaves the address first: it is used up, and nobody need see it. */
  #join() {
    const token = location.hash.match(TOKEN)?.[1];
    if (!token) return;
    history.replaceState(null, "", location.pathname);
    const form = this.querySelector("form");
    form.elements.token.value = token;
    form.hidden = true;
    this.querySelector(".join-under-way").textContent = "Joining …";
    form.submit();
  }
}

customElements.define("join-by-link", JoinByLink);
