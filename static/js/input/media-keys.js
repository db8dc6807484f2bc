// Headset and media keys (Media Session), by choice: browsers give them only to a page that plays something,
// so a silent file plays during a session. On phones that stops other music.
import { audioSession } from "../audio/output.js";
import { silentFileFor } from "../audio/silent-media.js";
import { preferences } from "../page/preferences.js";

const LIVE = ["running", "waiting", "paused"];

// What a key does, and in which status: headphones that are pulled out send "pause", and nothing may start or
// resume by that.
const KEYS = {
  play: ["toggle", ["paused"]],
  pause: ["toggle", ["running"]],
  stop: ["toggle", ["running"]],
  nexttrack: ["next", LIVE],
  previoustrack: ["back", LIVE],
};
const wanted = () => preferences.get("headset") === "on";
const firstText = (selector) => document.querySelector(selector)?.firstChild?.textContent.trim() ?? "";

export class MediaKeys {
  #act;
  #player = null;
  #timeline = null;
  #bound = false;

  /** `act` is called with toggle, next or back. */
  constructor(act) {
    this.#act = act;
  }

  /** The first play() must come from a tap. */
  tapped() {
    if (wanted() && !this.#player) this.#silentPlayer().play().catch(() => {});
  }

  follow(timeline) {
    this.#timeline = timeline;
    this.#sync();
    setTimeout(() => this.#showSession()); // the stage renders the step after the event
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
        // This browser does not know the key.
      }
    }
  }

  #pressed(name) {
    const [act, when] = KEYS[name];
    if (when.includes(this.#timeline?.status)) this.#act(act);
    this.#sync();
  }

  /** Paused with the session, so that the next press of a headset's only button sends "play". */
  #sync() {
    this.#bind(wanted());
    if (wanted() && ["running", "waiting"].includes(this.#timeline?.status)) this.#silentPlayer().play().catch(() => {});
    else this.#player?.pause();
  }

  #silentPlayer() {
    if (this.#player) return this.#player;
    audioSession.rest();
    this.#player = new Audio();
    this.#player.src = silentFileFor(this.#player);
    this.#player.loop = true;
    return this.#player;
  }

  #showSession() {
    const session = navigator.mediaSession;
    if (!session || !this.#timeline) return;
    const { status } = this.#timeline;
    const live = wanted() && LIVE.includes(status);
    session.playbackState = live ? (status === "paused" ? "paused" : "playing") : "none";
    session.metadata = live && window.MediaMetadata ? this.#metadata() : null;
    this.#showPosition(session, live && status === "running");
  }

  #metadata() {
    return new MediaMetadata({
      title: firstText(".step-name"),
      artist: firstText(".step-place"),
      album: firstText(".stage-title"),
    });
  }

  #showPosition(session, counts) {
    const { rows, total, now } = this.#timeline;
    const ends = rows[0]?.ends;
    if (!counts || ends == null || !total) return session.setPositionState?.();
    const left = Math.min(total, Math.max(0, ends - now()));
    session.setPositionState?.({ duration: total / 1000, position: (total - left) / 1000, playbackRate: 1 });
  }
}
