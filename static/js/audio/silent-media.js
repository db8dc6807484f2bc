// Silent media, for what browsers allow only to a page that plays something.
import { audioSession } from "./output.js";

const JUMP_BEFORE_END_S = 4;
const MEDIA = new URL("../../media/", import.meta.url);
const SILENT_FILES = [["video/mp4", "silence.mp4"], ["video/webm", "silence.webm"]];

/** The address of a silent file that `player` can play, empty when there is none. */
export function silentFileFor(player) {
  const playable = SILENT_FILES.find(([type]) => player.canPlayType(type));
  return playable ? `${MEDIA}${playable[1]}` : "";
}

/** Keeps the screen on without a wake lock (plain http): a silent film that plays unseen.
 *
 * Chromium wants a film over a fifth of the page, three quarters of it in view; Firefox one with a sound track;
 * Safari one that is neither muted nor looped by its attribute. */
export class SilentVideo {
  #video = null;

  /** True once it plays. Some browsers allow it in a tap only. */
  async play() {
    audioSession.rest();
    this.#video ??= newSilentVideo(() => this.play());
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
}

function newSilentVideo(playAgain) {
  const video = document.createElement("video");
  Object.assign(video, {
    className: "awake-video",
    src: silentFileFor(video),
    muted: !("webkitSupportsPresentationMode" in HTMLVideoElement.prototype),
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
  video.addEventListener("ended", playAgain);
  document.body.append(video);
  return video;
}
