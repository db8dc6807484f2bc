// Headset and media keys (Media Session), by choice: browsers give them to a page that plays something,
// so a silent file plays during a session; on phones that stops other music.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";
import { silenceFor } from "./silence.js";

const LIVE = ["running", "waiting", "paused"];

// What a key does, and the only status in which it may: headphones that are pulled out send pause,
// and nothing may start or resume by that.
const KEYS = {
  play: ["toggle", ["paused"]],
  pause: ["toggle", ["running"]],
  stop: ["toggle", ["running"]],
  nexttrack: ["next", LIVE],
  previoustrack: ["back", LIVE],
};
const wished = () => device.get("headset") === "on";
const firstWordsOf = (selector) => document.querySelector(selector)?.firstChild?.textContent.trim() ?? "";

export class MediaKeys {
  #act;
  #player = null;
  #line = null;
  #bound = false;

  /** `act` is called with toggle, next or back. */
  constructor(act) {
    this.#act = act;
  }

  /** In a tap: the first play() must come from one. */
  tapped() {
    if (wished() && !this.#player) this.#made().play().catch(() => {});
  }

  follow(line) {
    this.#line = line;
    this.#sync();
    setTimeout(() => this.#tell()); // the stage paints the step after it has told of it
  }

  close() {
    this.#player?.pause();
    this.#player = null;
    this.#bind(false);
  }

  #bind(on) {
    if (!navigator.mediaSession || on === this.#bound) return;
    this.#bound = on;
    for (const name of Object.keys(KEYS)) {
      try {
        navigator.mediaSession.setActionHandler(name, on ? () => this.#pressed(name) : null);
      } catch {
        // This browser does not know that key.
      }
    }
  }

  #pressed(name) {
    const [act, when] = KEYS[name];
    if (when.includes(this.#line?.status)) this.#act(act);
    this.#sync();
  }

  /** Paused with the session, so that the next press of the headset's one button says play. */
  #sync() {
    this.#bind(wished());
    if (wished() && ["running", "waiting"].includes(this.#line?.status)) this.#made().play().catch(() => {});
    else this.#player?.pause();
  }

  #made() {
    if (this.#player) return this.#player;
    besideMusic.rest();
    this.#player = new Audio();
    this.#player.src = silenceFor(this.#player);
    this.#player.loop = true;
    return this.#player;
  }

  #tell() {
    const session = navigator.mediaSession;
    if (!session || !this.#line) return;
    const { status } = this.#line;
    const live = wished() && LIVE.includes(status);
    session.playbackState = live ? (status === "paused" ? "paused" : "playing") : "none";
    session.metadata = live && window.MediaMetadata ? this.#whatIsOn() : null;
    this.#tellPosition(session, live && status === "running");
  }

  #whatIsOn() {
    return new MediaMetadata({
      title: firstWordsOf(".step-name"),
      artist: firstWordsOf(".step-place"),
      album: firstWordsOf(".stage-title"),
    });
  }

  #tellPosition(session, counts) {
    const { rows, total, now } = this.#line;
    const ends = rows[0]?.ends;
    if (!counts || ends == null || !total) return session.setPositionState?.();
    const left = Math.min(total, Math.max(0, ends - now()));
    session.setPositionState?.({ duration: total / 1000, position: (total - left) / 1000, playbackRate: 1 });
  }
}
