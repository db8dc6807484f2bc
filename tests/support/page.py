"""Reads an answer as a browser would: elements with their attributes and text."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "hr", "img"}
UNSHOWN = {"template", "noscript"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    inside: tuple[Element, ...]
    parts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.parts).split())

    def is_in(self, tag: str) -> bool:
        return any(outer.tag == tag for outer in self.inside)


class Page(HTMLParser):
    """All elements in order; raises for a tag that is closed without being open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.shown: list[Element] = []  # those outside of what is not shown
        self.unshown = 0  # how many that are open show nothing
        self.open: list[Element] = []
        self.source = text
        self.feed(text)
        self.close()
        assert not [e.tag for e in self.open], "elements were left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"doubled attribute in {tag}: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(self.open))
        self.elements.append(element)
        if not self.unshown:
            self.shown.append(element)
        if tag not in VOID:
            self.open.append(element)
            self.unshown += tag in UNSHOWN

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()
        self.unshown -= tag in UNSHOWN

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.parts.append(data)

    def all(self, tag: str = "", **attrs: str) -> list[Element]:
        """Shown elements with this tag and these attributes (``data_status`` is data-status)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [
            e for e in self.shown if (not tag or e.tag == tag) and wanted.items() <= e.attrs.items()
        ]

    def has_id(self, element_id: str) -> bool:
        return any(e.attrs.get("id") == element_id for e in self.shown)

    def by_id(self, element_id: str) -> Element:
        found = [e for e in self.shown if e.attrs.get("id") == element_id]
        assert len(found) == 1, f"{len(found)} elements with the id {element_id}"
        return found[0]

    def fields(self, form_id: str) -> dict[str, str]:
        """The hidden fields of a form."""
        return {
            e.attrs["name"]: e.attrs["value"]
            for e in self.all("input", type="hidden")
            if any(outer.attrs.get("id") == form_id for outer in e.inside)
        }

    def buttons(self) -> list[str]:
        """The buttons that work without script: those for script are hidden or lie in a dialog."""
        return [
            e.text
            for e in self.all("button")
            if "hidden" not in e.attrs
            and "data-ask" not in e.attrs
            and not e.is_in("dialog")
            and not e.is_in("pre-flight")
        ]
