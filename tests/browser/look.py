"""What a page is measured by besides axe: sizes of targets, names, contrast. Run in the page."""

from __future__ import annotations

from playwright.sync_api import Page

# Visible means: has a box, is not clipped away, and is not under an open dialog.
COMMON = """
const shown = (e) => {
  const box = e.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && e.checkVisibility({ visibilityProperty: true })
    && !e.closest('[hidden], .visually-hidden, .skip')
    && (!document.querySelector('dialog:modal') || e.closest('dialog'));
};
const words = (text) => text.toLowerCase().match(/[\\p{L}\\p{N}+]+/gu)?.join(' ') ?? '';
const says = (e) => `${e.tagName.toLowerCase()}${e.id ? '#' + e.id : ''}`
  + ` "${e.textContent.trim().slice(0, 40)}"`;
const targets = () => [...document.querySelectorAll('a[href], button, input:not([type=hidden]),'
  + ' select, textarea, summary, [role=button]')].filter(shown);
"""

SMALL_TARGETS = """(least) => {
  const inText = (e) => {
    const block = e.closest('p, li, dd, small, td, th');
    return e.matches('a') && getComputedStyle(e).display === 'inline' && block
      && words(block.textContent) !== words(e.textContent);
  };
  return targets().filter((e) => !inText(e)).flatMap((e) => {
    const of = e.matches('[type=radio], [type=checkbox]') ? e.closest('label') ?? e : e;
    const { width, height } = of.getBoundingClientRect();
    const small = Math.round(width) < least || Math.round(height) < least;
    return small ? [`${says(of)} is ${width.toFixed(0)} x ${height.toFixed(0)}`] : [];
  });
}"""

LINKS_IN_TEXT_TOO_CLOSE = """() => {
  const lines = [...document.querySelectorAll('a[href]')].filter(shown)
    .filter((e) => getComputedStyle(e).display === 'inline');
  return lines.filter((e) => parseFloat(getComputedStyle(e).lineHeight) < 24)
    .map((e) => `${says(e)} has lines of ${getComputedStyle(e).lineHeight}`);
}"""

CONTROLS_TOO_LOW = """() => {
  const second = innerWidth < 700 ? 64 : 96;
  return [...document.querySelectorAll('.controls .control')].filter(shown).flatMap((e) => {
    const least = e.matches('.control-second, .control-stop, .control-low') ? second
      : e.matches('.control-back') && e.closest('.controls-waiting') ? second : 96;
    const { height } = e.getBoundingClientRect();
    return height < least ? [`${says(e)} is ${height.toFixed(0)} high`] : [];
  });
}"""

NAMES_WITHOUT_THEIR_LABEL = """() => targets().filter((e) => e.hasAttribute('aria-label'))
  .filter((e) => !words(e.getAttribute('aria-label')).includes(words(e.innerText ?? '')))
  .map((e) => `${says(e)} is called "${e.getAttribute('aria-label')}"`)"""

POOR_CONTRAST = """(least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const seen = new Map();
  const painted = (...layers) => {
    const key = layers.join('|');
    if (!seen.has(key)) {
      canvas.clearRect(0, 0, 1, 1);
      for (const [colour, alpha] of layers) {
        canvas.globalAlpha = alpha;
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
      }
      seen.set(key, [...canvas.getImageData(0, 0, 1, 1).data]);
    }
    return seen.get(key);
  };
  const opacity = (e) => e ? Number(getComputedStyle(e).opacity) * opacity(e.parentElement) : 1;
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) =>
      (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (e) => {
    const layers = [];
    for (let at = e; at; at = at.parentElement) {
      layers.unshift([getComputedStyle(at).backgroundColor, opacity(at)]);
      if (painted(layers[0])[3] === 255) break;
    }
    return layers;
  };
  const bad = new Set();
  const top = document.querySelector('dialog:modal') ?? document.body;
  const texts = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  const said = new Set(top.querySelectorAll('input:not([type=hidden], [type=checkbox],'
    + ' [type=radio], [type=range]), select, textarea'));
  while (texts.nextNode())
    if (texts.currentNode.data.trim()) said.add(texts.currentNode.parentElement);
  for (const e of said) {
    if (!shown(e) || e.closest('svg, script, template, noscript, dialog:not([open])')) continue;
    const layers = ground(e);
    const ink = [getComputedStyle(e).color, opacity(e)];
    const [a, b] = [light(painted(...layers)), light(painted(...layers, ink))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < least) bad.add(`${says(e)} has ${ratio.toFixed(2)}`);
  }
  return [...bad];
}"""


def ask(page: Page, question: str, *given: float) -> list[str]:
    """The findings of one of the questions above, on the page as it is now."""
    found = page.evaluate(f"(given) => {{ {COMMON} return ({question})(...given); }}", list(given))
    return [str(line) for line in found]
