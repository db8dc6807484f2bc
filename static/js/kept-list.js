// <kept-list>: the sessions that this device can show without the server.
import { keptSessions } from "./kept-sessions.js";

class KeptList extends HTMLElement {
  #online = () => location.reload();

  async connectedCallback() {
    addEventListener("online", this.#online);
    const kept = await keptSessions.all();
    this.querySelector("ul").replaceChildren(...kept.map(({ path, title }) => item(path, title)));
    this.querySelector("p").hidden = kept.length > 0;
  }

  disconnectedCallback() {
    removeEventListener("online", this.#online);
  }
}

function item(path, title) {
  const link = document.createElement("a");
  link.className = "button button-main";
  link.href = path;
  link.textContent = title;
  const line = document.createElement("li");
  line.append(link);
  return line;
}

customElements.define("kept-list", KeptList);
