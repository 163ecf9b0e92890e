"""What a browser is asked about a page: contrast of its text, labels cut off or on top of each other, room across."""

from typing import Any, Final, NamedTuple

from playwright.sync_api import Page


class Contrast(NamedTuple):
    """A text against what lies behind it."""

    what: str
    ratio: float
    """WCAG 2 contrast ratio, 1 to 21; text needs 4.5."""


def contrasts(page: Page, selectors: list[str]) -> list[Contrast]:
    """Return the contrast of the first three texts of each selector; a selector without a match fails the test."""
    found: list[dict[str, Any]] = page.evaluate(_CONTRAST, selectors)
    return [Contrast(each["what"], each["ratio"]) for each in found]


def cell_contrasts(page: Page) -> list[Contrast]:
    """Return the contrast of the numbers in the cells of every heat map, against the cell's tint on its card."""
    found: list[dict[str, Any]] = page.evaluate(_CELLS)
    return [Contrast(each["what"], each["ratio"]) for each in found]


def clipped(page: Page) -> list[str]:
    """Return shapes of plots that reach beyond the plot's paper."""
    found: list[str] = page.evaluate(_CLIPPED)
    return found


def overlapping(page: Page) -> list[str]:
    """Return pairs of labels of one plot that lie on each other."""
    found: list[str] = page.evaluate(_OVERLAPPING)
    return found


_COLOURS: Final = """
const parsed = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n.length > 3 ? n[3] : 1]; };
const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
const linear = (v) => v / 255 <= 0.03928 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
const light = (c) => { const [r, g, b] = c.map(linear);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
const behind = (element) => {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(parsed(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255, 1]);
};
"""
_CONTRAST: Final = f"""(selectors) => {{ {_COLOURS}
  return selectors.flatMap((selector) => {{
    const found = [...document.querySelectorAll(selector)].slice(0, 3);
    if (!found.length) return [{{ what: selector + ': nothing on the page', ratio: 0 }}];
    return found.map((element) => {{
      const style = getComputedStyle(element);
      const ink = element instanceof SVGElement ? style.fill : style.color;
      return {{ what: selector, ratio: ratio(over(parsed(ink), behind(element)), behind(element)) }};
    }});
  }});
}}"""
_CELLS: Final = f"""() => {{ {_COLOURS}
  return [...document.querySelectorAll('svg .cell')].map((cell) => {{
    const style = getComputedStyle(cell), card = behind(cell.closest('figure'));
    const tint = parsed(style.fill); tint[3] = Number(style.fillOpacity);
    const label = cell.parentElement.querySelector('text.ink');
    const ink = parsed(getComputedStyle(label).fill);
    return {{ what: cell.querySelector('title').textContent, ratio: ratio(ink, over(tint, card)) }};
  }});
}}"""
_CLIPPED: Final = """() => [...document.querySelectorAll('svg.plot')].flatMap((plot) => {
  const paper = plot.getBoundingClientRect(), title = plot.querySelector('title').textContent;
  if (paper.width < 200 || paper.height < 40) return [title + ': is not visible'];
  return [...plot.querySelectorAll('text, rect, circle, line, polygon, polyline')].filter((shape) => {
    const at = shape.getBoundingClientRect();
    return at.left < paper.left - 1 || at.right > paper.right + 1 || at.top < paper.top - 1 || at.bottom > paper.bottom + 1;
  }).map((shape) => title + ': ' + shape.tagName + ' ' + shape.textContent);
})"""
_OVERLAPPING: Final = """() => [...document.querySelectorAll('svg.plot')].flatMap((plot) => {
  const labels = [...plot.querySelectorAll('text')].map((text) => ({ text, at: text.getBoundingClientRect() }));
  return labels.flatMap((one, i) => labels.slice(i + 1).filter((other) =>
    Math.min(one.at.right, other.at.right) - Math.max(one.at.left, other.at.left) > 1 &&
    Math.min(one.at.bottom, other.at.bottom) - Math.max(one.at.top, other.at.top) > 3
  ).map((other) => plot.querySelector('title').textContent + ': ' + one.text.textContent + ' on ' + other.text.textContent));
})"""
