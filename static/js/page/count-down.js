// <count-down data-left-ms data-over>: minutes and seconds that are left, then the words of `data-over`.
class CountDown extends HTMLElement {
  #timer = 0;

  connectedCallback() {
    const until = performance.now() + Number(this.dataset.leftMs);
    const paint = () => {
      const left = until - performance.now();
      const seconds = Math.max(0, Math.ceil(left / 1000));
      const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
      if (left > 0) {
        this.textContent = text;
        this.#timer = setTimeout(paint, left - (seconds - 1) * 1000 + 1);
        return;
      }
      this.setAttribute("role", "status");
      this.textContent = this.dataset.over;
    };
    paint();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }
}

customElements.define("count-down", CountDown);
