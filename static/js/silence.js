// A silent piece of film with a silent sound track, for what browsers give only to a page that plays.
const STATIC = import.meta.url.match(/^.*\/static\/[^/]+\//)?.[0]; // alone or in a bundle
const FILES = [["video/mp4", "silence.mp4"], ["video/webm", "silence.webm"]];

/** The address of the file that `player` can play, beside this module; empty when there is none. */
export function silenceFor(player) {
  const found = FILES.find(([type]) => player.canPlayType(type));
  return found ? `${STATIC}media/${found[1]}` : "";
}
