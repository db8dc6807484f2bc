// <local-time data-at data-style data-offset>: an instant in the viewer's time zone. The server has written it for
// the site's zone; where both agree nothing changes.
const PARTS = { weekday: "long", day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const WORDS = {
  day_time: (p) => `${p.weekday}, ${p.day} ${p.month}, ${p.hour}:${p.minute}`,
  full_day: (p) => `${p.day} ${p.month} ${p.year}`,
  day_hour: (p) => `${p.day} ${p.month} ${p.year}, ${p.hour}:${p.minute}`,
  hour: (p) => `${p.hour}:${p.minute}`,
};

class LocalTime extends HTMLElement {
  connectedCallback() {
    const at = new Date(Number(this.dataset.at));
    if (-at.getTimezoneOffset() === Number(this.dataset.offset)) return;
    const shown = new Intl.DateTimeFormat("en-GB", PARTS).formatToParts(at);
    const parts = Object.fromEntries(shown.map((part) => [part.type, part.value]));
    this.title = `Where the site stands: ${this.textContent.trim()}`;
    this.textContent = WORDS[this.dataset.style](parts);
  }
}

customElements.define("local-time", LocalTime);
