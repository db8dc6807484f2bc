"""Watches every request of every page of every browser test: none may go to another host."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, BrowserType, Page, Request

# Names that tests let the browser find on this machine.
OURS = frozenset({"localhost", "clinic.lan", "steady.lan"})
OPENERS = (
    (Browser, "new_context"),
    (Browser, "new_page"),
    (BrowserType, "launch_persistent_context"),
)


@dataclass
class Elsewhere:
    """Addresses that were asked for on other hosts; ``known`` are names that a test adds."""

    asked: list[str] = field(default_factory=list)
    count: int = 0
    known: set[str] = field(default_factory=set)

    def note(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in ("http", "https", "ws", "wss"):
            self.count += 1
            if not self.is_here(parts.hostname or ""):
                self.asked.append(request.url)

    def is_here(self, host: str) -> bool:
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host in OURS | self.known

    def taken(self) -> list[str]:
        """What was asked for so far; from now on it counts anew."""
        found, self.asked = self.asked, []
        return found

    @contextmanager
    def watching(self) -> Iterator[Elsewhere]:
        """While this lasts every context that is opened tells its requests."""
        with pytest.MonkeyPatch.context() as patch:
            for kind, name in OPENERS:
                patch.setattr(kind, name, self.watched(getattr(kind, name)))
            yield self

    def watched(self, opener: Callable[..., Any]) -> Callable[..., Any]:
        def opened(*given: Any, **named: Any) -> Any:
            made: BrowserContext | Page = opener(*given, **named)
            context = made.context if isinstance(made, Page) else made
            context.on("request", self.note)
            return made

        return opened
