// How our sound stands beside the music that is playing, where a browser lets us say so (Safari).
import { device } from "./device.js";

/** "playback" sounds with the phone set to silent, and stops other music; "ambient" lies over it. */
function usual() {
  return device.get("loud") === "on" || device.get("headset") === "on" ? "playback" : "ambient";
}

function become(type) {
  if (navigator.audioSession && navigator.audioSession.type !== type) navigator.audioSession.type = type;
}

export const besideMusic = {
  /** Chimes, and the time between. */
  rest: () => become(usual()),

  /** While a line is spoken the music may step back. */
  speak: () => become(usual() === "playback" ? "playback" : "transient"),
};
