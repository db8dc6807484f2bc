// Headset and media keys (Media Session). Browsers give them to a page that plays something, so by
// choice a silent file plays during a session; on phones that stops other music.
import { besideMusic } from "./audio-session.js";
import { device } from "./device.js";
import { silenceFor } from "./silence.js";

const LIVE = ["running", "waiting", "paused"];
const textOf = (selector) => document.querySelector(selector)?.textContent.trim() ?? "";

export class MediaKeys {
  #act;
  #player = null;
  #line = null;

  /** `act` is called with toggle, next or back. */
  constructor(act) {
    this.#act = act;
    this.#bind("play", "toggle", "paused");
    for (const name of ["pause", "stop"]) this.#bind(name, "toggle", "running");
    this.#bind("nexttrack", "next");
    this.#bind("previoustrack", "back");
  }

  /** Headphones that are pulled out send pause: with `only` nothing is started or resumed by that. */
  #bind(name, act, only = null) {
    try {
      navigator.mediaSession?.setActionHandler(name, () => {
        if (!only || this.#line?.status === only) this.#act(act);
        this.#sync();
      });
    } catch {
      // This browser does not know that key.
    }
  }

  /** In a tap: the first play() must come from one. */
  tapped() {
    if (device.get("headset") === "on" && !this.#player) this.#made().play().catch(() => {});
  }

  follow(line) {
    this.#line = line;
    this.#sync();
    setTimeout(() => this.#tell()); // the stage paints the step after it has told of it
  }

  close() {
    this.#player?.pause();
    this.#player = null;
    for (const name of ["play", "pause", "stop", "nexttrack", "previoustrack"]) {
      try {
        navigator.mediaSession?.setActionHandler(name, null);
      } catch {
        // Never bound.
      }
    }
  }

  /** Paused with the session, so that the next press of the headset's one button says play. */
  #sync() {
    const plays = device.get("headset") === "on" && ["running", "waiting"].includes(this.#line?.status);
    if (plays) this.#made().play().catch(() => {});
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
    const live = LIVE.includes(status);
    session.playbackState = live ? (status === "paused" ? "paused" : "playing") : "none";
    if (!window.MediaMetadata) return;
    session.metadata = live
      ? new MediaMetadata({ title: textOf(".step-name"), artist: textOf(".step-place"), album: textOf(".stage-title") })
      : null;
    this.#tellPosition(session);
  }

  #tellPosition(session) {
    const { status, rows, total, now } = this.#line;
    const ends = rows[0]?.ends;
    if (status !== "running" || ends == null || !total) return session.setPositionState?.();
    const left = Math.min(total, Math.max(0, ends - now()));
    session.setPositionState?.({ duration: total / 1000, position: (total - left) / 1000, playbackRate: 1 });
  }
}
