"""What a page shows, and when: a recorder in the page, and the judgement of what it recorded."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from benchmarks.browsers import Screen
from benchmarks.sites import Version

# Each change of the digits at the moment of the DOM write; each change of the phase behind the
# frame that shows it.
SCRIPT = """
(() => {
  const record = (window.benchmarkRecord = { digits: [], phases: [] });
  let text = null, step = null;
  const look = () => {
    const live = document.querySelector("#session-live");
    const timer = live?.querySelector("[role=timer]");
    if (!timer) return;
    const shown = timer.textContent, at = performance.now(), now = live.dataset.step;
    if (shown !== text || now !== step) record.digits.push([at, now, shown]);
    if (now !== step) {
      const behind = new MessageChannel();
      behind.port1.onmessage = () => {
        record.phases.push([performance.now(), now, shown]);
        behind.port1.close();
      };
      requestAnimationFrame(() => behind.port2.postMessage(0));
    }
    text = shown;
    step = now;
  };
  const what = { subtree: true, childList: true, characterData: true, attributes: true,
    attributeFilter: ["data-step"] };
  new MutationObserver(look).observe(document, what);
})();
"""

SAME_TASK_MS = 2.0


@dataclass(frozen=True, slots=True)
class Change:
    """The page shows ``text`` in ``step`` from the instant ``at`` (boot-time ms) on."""

    at: float
    step: str
    text: str

    @property
    def label(self) -> tuple[str, str]:
        return self.step, self.text


@dataclass(frozen=True, slots=True)
class Record:
    """All changes that a page has shown."""

    digits: list[Change]
    phases: list[Change]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a record compares with what was due."""

    due: int
    skipped: int
    doubled: int
    errors: list[float]
    phase_errors: list[float]
    longest: float


def read(screen: Screen) -> Record:
    """What the page has recorded since it was loaded."""
    zero = screen.navigation_start()
    found = screen.page.evaluate("window.benchmarkRecord")
    digits, phases = (
        [Change(zero + at, step, text) for at, step, text in found[name]]
        for name in ("digits", "phases")
    )
    return Record(visible(digits), phases)


def visible(changes: list[Change]) -> list[Change]:
    """Without what another change of the same task replaced before any frame could show it."""
    followed = itertools.pairwise(changes)
    return [a for a, b in followed if b.at - a.at >= SAME_TASK_MS] + changes[-1:]


def due_of(version: Version, offset: int) -> list[Change]:
    """Every second of a running session that starts with ``version``; ``offset`` of its server."""
    begun = version.now - offset
    return [
        change
        for step, begins, ends, _ in version.rows
        if ends is not None
        for change in seconds_of(step, begun + begins, begun + ends)
    ]


def seconds_of(step: str, begins: float, ends: float) -> list[Change]:
    whole = -(-(ends - begins) // 1000)
    return [
        Change(max(begins, ends - left * 1000), step, clock_text(left))
        for left in range(int(whole), 0, -1)
    ]


def clock_text(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02d}"


def judge(record: Record, due: list[Change], begin: float, end: float) -> Verdict:
    """Compare what was shown with what was due between two instants."""
    wanted = [change for change in due if begin <= change.at < end]
    shown: dict[tuple[str, str], list[float]] = {}
    for change in record.digits:
        shown.setdefault(change.label, []).append(change.at)
    seen = [(change, shown[change.label]) for change in wanted if change.label in shown]
    firsts = {step: at for step, at in first_of_each(wanted).items() if at >= begin}
    return Verdict(
        due=len(wanted),
        skipped=len(wanted) - len(seen),
        doubled=sum(len(times) - 1 for _, times in seen),
        errors=[times[0] - change.at for change, times in seen],
        phase_errors=[
            change.at - firsts[change.step] for change in record.phases if change.step in firsts
        ],
        longest=longest_gap(record.digits, begin, end),
    )


def first_of_each(due: list[Change]) -> dict[str, float]:
    """When each phase begins; not that of the one which was under way already."""
    firsts: dict[str, float] = {}
    for change in due:
        firsts.setdefault(change.step, change.at)
    for step in list(firsts)[:1]:
        del firsts[step]
    return firsts


def longest_gap(changes: list[Change], begin: float, end: float) -> float:
    """The longest time for which the digits stood still, in ms."""
    before = [change.at for change in changes if change.at < begin][-1:]
    inside = [change.at for change in changes if begin <= change.at < end]
    times = [*before, *inside, end]
    return max((b - a for a, b in itertools.pairwise(times)), default=end - begin)
