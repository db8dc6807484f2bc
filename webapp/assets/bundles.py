"""Puts modules of ours and what they import into one script, read once at start; there is no build step.

Each module becomes a function that gives what it exports, in the order in which it does, so names
never meet. Comments and indentation are left out. The modules themselves are served as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

IMPORT = re.compile(r'^import (?:\{([^}]*)\} from )?"\./([\w-]+)\.js";\n?', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?(?:const|function\*?|class) (\w+))", re.MULTILINE)
EXPORTED = re.compile(r"^export \{([\w\s,]+)\};\n?", re.MULTILINE)
LEFT_OVER = re.compile(r"^\s*(?:import\b(?!\()|export\b)", re.MULTILINE)
COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)$\n?", re.MULTILINE | re.DOTALL)
INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


class BundleError(Exception):
    """A module is written in a way that cannot be bundled; says which and what."""


def bundle(
    modules: Mapping[str, str], entries: Iterable[str], on: str = "", there: Iterable[str] = ()
) -> str:
    """One script of ``entries`` and everything they import, each once, in the order of need.

    ``modules`` are texts by name without ``.js``. What the bundle ``on``, made of the entries
    ``there``, has already is taken from it, so that a page has it once. Raises BundleError.
    """
    entries, had = tuple(entries), order_of(modules, there)
    order = [name for name in order_of(modules, entries) if name not in had]
    shared = sorted(
        {found[2] for name in order for found in IMPORT.finditer(modules[name])} & {*had}
    )
    taken_over = f'import {{ {", ".join(map(known, shared))} }} from "./{on}";\n' if shared else ""
    given = "".join(
        f"export const [{', '.join(names)}] = {known(entry)};\n"
        for entry in entries
        if (names := exports(modules[entry]))
    )
    kept = f"export {{ {', '.join(map(known, order))} }};\n"
    return "".join([taken_over, *(wrapped(name, modules) for name in order), given, kept])


def order_of(modules: Mapping[str, str], entries: Iterable[str]) -> list[str]:
    """``entries`` and all that they import, in the order of need."""
    order: list[str] = []
    for entry in entries:
        add(modules, entry, order, ())
    return order


def exports(text: str) -> list[str]:
    """The names that a module gives to others."""
    names = [found[1] for found in EXPORT.finditer(text)]
    return names + [n.strip() for found in EXPORTED.finditer(text) for n in found[1].split(",")]


def add(modules: Mapping[str, str], name: str, order: list[str], above: tuple[str, ...]) -> None:
    """Put ``name`` behind what it imports."""
    if name in above:
        raise BundleError(f"{name}.js imports itself by way of {', '.join(above)}")
    if name not in modules:
        raise BundleError(f"there is no {name}.js, imported by {above[-1] if above else 'a page'}")
    if name in order:
        return
    for imported in IMPORT.finditer(modules[name]):
        add(modules, imported[2], order, (*above, name))
    order.append(name)


def wrapped(name: str, modules: Mapping[str, str]) -> str:
    """The module as a constant that holds its exports. Raises BundleError."""
    text = modules[name]

    def given(imported: re.Match[str]) -> str:
        return taken(imported, exports(modules[imported[2]]))

    body = EXPORTED.sub("", EXPORT.sub("", IMPORT.sub(given, text)))
    if found := LEFT_OVER.search(body):
        line = body.count("\n", 0, found.start()) + 1
        raise BundleError(f"{name}.js cannot be bundled: {body.splitlines()[line - 1].strip()}")
    return f"const {known(name)} = (() => {{\n{slim(body)}return [{', '.join(exports(text))}];\n}})();\n"


def taken(imported: re.Match[str], offered: list[str]) -> str:
    """An import as plain constants, by the places of what is ``offered``; without names it only says what comes first."""
    wanted = dict(named(one) for one in (imported[1] or "").split(",") if one.strip())
    if unknown := sorted({*wanted} - {*offered}):
        raise BundleError(f"{imported[2]}.js does not export {', '.join(unknown)}")
    if not wanted:
        return ""
    last = max(map(offered.index, wanted))
    places = ", ".join(wanted.get(name, "") for name in offered[: last + 1])
    return f"const [{places}] = {known(imported[2])};\n"


def named(one: str) -> tuple[str, str]:
    """What ``a`` or ``a as b`` takes, and its name here."""
    there, _, here = " ".join(one.split()).partition(" as ")
    return there, here or there


def known(name: str) -> str:
    return f"${name.replace('-', '_')}"


def slim(text: str) -> str:
    """Without comments that have lines of their own."""
    return tight(COMMENT.sub("", text))


def tight(text: str) -> str:
    """Without indentation and empty lines; nothing in these files has text over several lines."""
    lines = INDENT.sub("", text).splitlines()
    return "".join(f"{line}\n" for line in lines if line)
