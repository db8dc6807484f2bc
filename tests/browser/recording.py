"""The platform's own interfaces replaced by recorders, and what they have heard.

Times are milliseconds of the page (``performance.now()``).
"""

from __future__ import annotations

import time
from typing import Any

from playwright.sync_api import Page, expect

CLOSE_ENOUGH_MS = 150
PITCHES = {
    (660,): "half",
    (880, 880): "ten",
    (523, 784): "change",
    (784, 659, 523): "end",
    (587,): "note",
}

RECORDERS = """
window.heard = [];
window.stalls = []; // when and for how long this machine let the page's timers wait
let probed = performance.now();
setInterval(() => {
  const now = performance.now();
  if (now - probed > 50) window.stalls.push([now, now - probed - 20]);
  probed = now;
}, 20);
window.locks = [];
const remember = (entry) => { window.heard.push(entry); return entry; };
window.contexts = [];
window.AudioContext = class {
  state = "suspended";
  destination = {};
  stoppedAt = null; // set by a test: the state of iOS after a call, in which resume() never answers
  constructor() { window.contexts.push(this); }
  get currentTime() { return this.stoppedAt ?? performance.now() / 1000; }
  resume() {
    if (this.stoppedAt !== null) return new Promise(() => {});
    this.state = "running";
    return Promise.resolve();
  }
  async close() { this.state = "closed"; }
  createGain() {
    const nothing = () => {};
    const gain = { setValueAtTime: nothing, linearRampToValueAtTime: nothing,
                   exponentialRampToValueAtTime: nothing };
    return { gain, connect() { return this; } };
  }
  createOscillator() {
    const context = window.contexts.indexOf(this);
    let entry = null;
    return {
      frequency: { value: 0 },
      connect: (next) => next,
      start(at) {
        entry = remember({ what: "tone", pitch: this.frequency.value, at: at * 1000, context });
      },
      stop(at) { if (at === undefined) entry.gone = true; },
    };
  }
};
Object.defineProperty(window, "speechSynthesis", { value: {
  speak(words) {
    if (words.volume === 0) return; // says nothing: it only unlocks the voice in a tap
    if (window.voiceless) return;
    window.spoken = words;
    remember({ what: "say", text: words.text, rate: words.rate, at: performance.now(),
               session: navigator.audioSession.type });
    words.dispatchEvent(new Event("start"));
  },
  cancel() {}, getVoices: () => [], addEventListener() {},
} });
Object.defineProperty(navigator, "audioSession", { value: { type: "auto" } });
window.media = { handlers: {}, position: null };
Object.defineProperty(navigator, "mediaSession", { value: {
  metadata: null, playbackState: "none",
  setActionHandler(name, act) { window.media.handlers[name] = act; },
  setPositionState(position) { window.media.position = position ?? null; },
} });
navigator.vibrate = (pattern) => {
  remember({ what: "buzz", pattern, at: performance.now() });
  return true;
};
Object.defineProperty(navigator, "wakeLock", { value: { request: async () => {
  const lock = { released: false, async release() { this.released = true; } };
  window.locks.push(lock);
  return lock;
} } });
"""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def has_status(page: Page, status: str, timeout: int = 5_000) -> None:
    expect(page.locator("#session-live")).to_have_attribute("data-status", status, timeout=timeout)


def heard(page: Page, what: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.evaluate("window.heard")
    return [entry for entry in found if entry["what"] == what and not entry.get("gone")]


def hears(page: Page, words: str) -> None:
    """Wait until the last spoken line matches the regular expression ``words``."""
    page.wait_for_function(
        """(words) => new RegExp(words).test(
             window.heard.findLast(({ what }) => what === "say")?.text ?? "")""",
        arg=words,
    )


def hears_chime(page: Page, *names: str) -> None:
    """Wait until exactly these chimes were heard, in this order."""
    end = time.monotonic() + 5
    while (found := [name for name, _ in chimes(page)]) != list(names):
        assert time.monotonic() < end, found
        page.wait_for_timeout(50)


def chimes(page: Page) -> list[tuple[str, float]]:
    """Names and instants of the chimes: tones within a second belong together."""
    groups: list[list[dict[str, Any]]] = []
    for tone in sorted(heard(page, "tone"), key=lambda entry: float(entry["at"])):
        if groups and tone["at"] - groups[-1][0]["at"] < 1_000:
            groups[-1].append(tone)
        else:
            groups.append([tone])
    return [(PITCHES[tuple(t["pitch"] for t in group)], group[0]["at"]) for group in groups]


def allowed(page: Page, at: float) -> float:
    """How far from its time a sound at ``at`` may be: more only where the whole page waited."""
    stalls: list[tuple[float, float]] = page.evaluate("window.stalls")
    return CLOSE_ENOUGH_MS + max((ms for when, ms in stalls if abs(when - at) < 1_000), default=0)
