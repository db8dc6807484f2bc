// The screen kept on where there is no wake lock (plain http): a silent film that plays unseen.
//
// What the engines ask for: Chromium a film over a fifth of the page, three quarters of it in view;
// Firefox one with a sound track; Safari one that is neither muted nor looped by its attribute.
import { besideMusic } from "./audio-session.js";
import { silenceFor } from "./silence.js";

const JUMP_BEFORE_END_S = 4;
const isSafari = "webkitSupportsPresentationMode" in HTMLVideoElement.prototype;

export class AwakeVideo {
  #video = null;

  static get possible() {
    return silenceFor(document.createElement("video")) !== "";
  }

  /** True once it plays. In a tap where a browser asks for one. */
  async play() {
    besideMusic.rest();
    this.#video ??= this.#made();
    try {
      if (this.#video.paused) await this.#video.play();
      return true;
    } catch {
      return false;
    }
  }

  stop() {
    this.#video?.pause();
  }

  remove() {
    this.stop();
    this.#video?.remove();
    this.#video = null;
  }

  #made() {
    const video = document.createElement("video");
    Object.assign(video, {
      className: "awake-video",
      src: silenceFor(video),
      muted: !isSafari,
      playsInline: true,
      disablePictureInPicture: true,
      disableRemotePlayback: true,
      tabIndex: -1,
      ariaHidden: "true",
    });
    video.setAttribute("playsinline", "");
    video.addEventListener("timeupdate", () => {
      if (video.currentTime > video.duration - JUMP_BEFORE_END_S) video.currentTime = 0;
    });
    video.addEventListener("ended", () => this.play());
    document.body.append(video);
    return video;
  }
}
