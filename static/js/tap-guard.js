// A double tap is one tap, and after a stop there is none.
const DOUBLE_TAP_MS = 400;

export class TapGuard {
  /** True when the last control was pressed by a key or screen reader whose focus can be lost: a pedal has none. */
  byKeys = false;
  #tapped = { control: null, at: -Infinity };

  /** True for a click on `control` that must not count. */
  isSecond(event, control) {
    this.byKeys = event.detail === 0 && (event.isTrusted || document.activeElement !== document.body);
    const now = performance.now();
    const { control: before, at } = this.#tapped;
    const touched = event.pointerType === "touch" && before === control.id && now - at < DOUBLE_TAP_MS;
    if (event.detail > 1 || touched) return true;
    this.#tapped = { control: control.id, at: now };
    return false;
  }
}
