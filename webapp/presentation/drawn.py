"""What is made of a plan once and kept: plans are frozen, and many pages show the same one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from webapp.domain.plan import Plan

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Drawn(Generic[K, V]):
    """``make(plan, key)``, made once for this very plan and key; at most ``most`` are kept."""

    def __init__(self, make: Callable[[Plan, K], V], most: int) -> None:
        self.make = make
        self.most = most
        # By identity, since to hash a plan takes longer than to draw it; what is kept here lives on.
        self.kept: dict[tuple[int, K], tuple[Plan, V]] = {}

    def of(self, plan: Plan, key: K) -> V:
        kept = self.kept.get((id(plan), key))
        if kept is None:
            if len(self.kept) >= self.most:
                self.kept.clear()
            kept = self.kept[id(plan), key] = (plan, self.make(plan, key))
        return kept[1]
