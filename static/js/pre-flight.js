// <pre-flight>: before hands get oily, one line per thing that can fail; none of them blocks.
import { device } from "./device.js";
import { Sound } from "./sound.js";

const LOW_BATTERY = 0.2;
const SLOW_LINK_MS = 1_000;

class PreFlight extends HTMLElement {
  #sound = new Sound();
  #listeners = new AbortController();

  connectedCallback() {
    const signal = this.#listeners.signal;
    document.addEventListener("stage:timeline", (e) => (this.hidden = e.detail.status !== "ready"), { signal });
    this.addEventListener("click", (e) => this.#pressed(e.target.closest("[data-check]")?.dataset.check), { signal });
    this.hidden = false;
    this.#look();
    document.dispatchEvent(new Event("stage:ask"));
  }

  disconnectedCallback() {
    this.#listeners.abort();
  }

  #look() {
    const silent = device.get("sound") === "silent";
    this.#tell("sound", silent ? "Silent is chosen." : "Not heard yet.", silent ? "fine" : "open");
    const voices = this.#sound.canSpeak && device.get("sound") === "voice";
    this.#tell("voice", voices ? "Not heard yet." : this.#sound.canSpeak ? "Not chosen." : "This browser has none; chimes stand in.", voices ? "open" : "fine");
    const buzzes = "vibrate" in navigator;
    this.#tell("vibration", buzzes ? "Not felt yet." : "This device has none for pages.", buzzes ? "open" : "fine");
    this.#tell("screen", navigator.wakeLock ? "Stays on by itself." : "Set it to stay on: this page cannot.", navigator.wakeLock ? "fine" : "open");
    this.#link();
    this.#battery();
  }

  #pressed(what) {
    if (what === "sound") this.#sound.unlock().then(() => this.#sound.chime("change")).then(() => this.#heard(what));
    if (what === "voice") this.#sound.say("Left calf. Lift, roll and let go.");
    if (what === "vibration") navigator.vibrate?.([200, 100, 200]);
    if (what === "voice" || what === "vibration") this.#heard(what);
    if (what === "link") this.#link();
    if (what?.startsWith("heard-")) this.#tell(what.slice(6), "Works.", "fine");
  }

  #heard(what) {
    this.#tell(what, what === "vibration" ? "Felt it?" : "Heard it? If not: volume up, silent switch off.", "open");
    const yes = this.querySelector(`[data-check="heard-${what}"]`);
    if (yes) yes.hidden = false;
  }

  async #link() {
    const start = performance.now();
    try {
      const answer = await fetch(`${location.pathname}/live`, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      const ms = Math.round(performance.now() - start);
      this.#tell("link", ms < SLOW_LINK_MS ? `Good, ${ms} ms.` : `Slow, ${ms} ms; the countdown stays right.`, "fine");
    } catch {
      this.#tell("link", "No answer from the server.", "open");
    }
  }

  async #battery() {
    const battery = await navigator.getBattery?.().catch(() => null);
    const line = this.querySelector("[data-line=battery]");
    line.hidden = !battery || battery.charging || battery.level > LOW_BATTERY;
    if (!line.hidden) this.#tell("battery", `${Math.round(battery.level * 100)} %. Plug it in.`, "open");
  }

  #tell(what, text, state) {
    const line = this.querySelector(`[data-line=${what}]`);
    line.dataset.state = state;
    line.querySelector(".check-text").textContent = text;
  }
}

customElements.define("pre-flight", PreFlight);
