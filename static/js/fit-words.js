// Makes the words of a step smaller where they would not fit the screen, so that nothing moves from phase to
// phase. Where the smallest do not fit either (large print, a small screen) they are as large as ever, and scroll.
const SIZES = [1, 0.92, 0.85, 0.78, 0.7];

/** Follows every change of the step inside `stage`, and of the screen. */
export function fitWords(stage, signal) {
  const fit = () => queueMicrotask(() => resize(stage)); // once the step is drawn, before it is painted
  document.addEventListener("stage:timeline", fit, { signal });
  addEventListener("resize", fit, { signal });
}

function resize(stage) {
  const size = SIZES.find((size) => {
    stage.style.setProperty("--words", size);
    return document.documentElement.scrollHeight <= innerHeight;
  });
  stage.style.setProperty("--words", size ?? 1);
}
