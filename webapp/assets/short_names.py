"""Writes a script of ours with short names and without what only people read.

What a name stands for is read off the syntax tree, so nothing is guessed: properties, globals and
what other scripts import keep their names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, islice, product
from string import ascii_letters

import tree_sitter_javascript
from tree_sitter import Language, Node, Parser

LANGUAGE = Language(tree_sitter_javascript.language())
SCOPES = {
    "program",
    "statement_block",
    "switch_body",
    "for_statement",
    "for_in_statement",
    "catch_clause",
    "class_declaration",
    "class",
    "class_body",
    "class_static_block",
    "function_declaration",
    "generator_function_declaration",
    "function_expression",
    "generator_function",
    "arrow_function",
    "method_definition",
}
# These give their name to the scope around them.
OUTWARD = {"class_declaration", "function_declaration", "generator_function_declaration"}
# The part of a node that names what it declares.
BINDINGS = {
    "variable_declarator": "name",
    "catch_clause": "parameter",
    "arrow_function": "parameter",
    "class": "name",
    "function_expression": "name",
    "generator_function": "name",
    **dict.fromkeys(OUTWARD, "name"),
}
VARIABLES = {
    "identifier",
    "shorthand_property_identifier",
    "shorthand_property_identifier_pattern",
}
SHORTHAND = VARIABLES - {"identifier"}
PRIVATE = "private_property_identifier"
SHARED = {"import_statement", "export_statement"}
WHOLE = {"string", "regex", "comment"}
KEYWORDS = {"as", "do", "if", "in", "is", "of"}
ENDS_LINE = ";{}([,"


class ScriptError(Exception):
    """A script that cannot be read; says where."""


@dataclass(slots=True)
class Scope:
    """What is declared between two braces, in the order of their short names, and the scope around them."""

    around: Scope | None = None
    names: dict[str, int] = field(default_factory=dict)
    free: int = 0
    free_private: int = 0

    def inside(self) -> Scope:
        return Scope(self, free=self.free, free_private=self.free_private)

    def declare(self, names: Iterable[str]) -> None:
        for name in names:
            if name in self.names:
                continue
            private = name.startswith("#")
            self.names[name] = self.free_private if private else self.free
            self.free_private += private
            self.free += not private

    def place(self, name: str) -> int | None:
        """The number of the name's short one, which differs from all that can be meant here."""
        scope: Scope | None = self
        while scope is not None and name not in scope.names:
            scope = scope.around
        return None if scope is None else scope.names[name]


@dataclass(slots=True)
class Names:
    """The variables of a script: where each stands and the number of its short name."""

    places: dict[int, int] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)
    left_out: set[int] = field(default_factory=set)

    def read(self, node: Node, scope: Scope) -> None:
        """Find everything below ``node``, which stands in ``scope``."""
        if node.type in SCOPES:
            scope = scope.inside()
            scope.declare(declared_by(node))
        self.left_out.update(needless(node))
        for child in node.children:
            if child.type in VARIABLES or child.type == PRIVATE:
                self.add(child, scope)
            else:
                self.read(child, scope)

    def add(self, node: Node, scope: Scope) -> None:
        place = scope.place(text(node))
        if place is None:
            self.fixed.add(text(node))
        else:
            self.places[node.start_byte] = place


def shorten(script: str) -> str:
    """The same module, smaller. Raises ScriptError for text that is no JavaScript."""
    source = script.encode()
    root = Parser(LANGUAGE).parse(source).root_node
    if root.has_error:
        raise ScriptError(f"not JavaScript near line {fault(root).start_point.row + 1}")
    names = Names()
    names.read(root, Scope())
    pieces = (leaf for leaf in leaves(root) if leaf.start_byte not in names.left_out)
    return "".join(written(source, pieces, short(names)))


def fault(node: Node) -> Node:
    """The innermost node with an error."""
    inner = next((child for child in node.children if child.has_error), None)
    return fault(inner) if inner else node


def short(names: Names) -> dict[int, str]:
    """The short name by the place where it goes; none is that of a global or of another script."""
    free = (name for name in candidates() if name not in names.fixed)
    found = list(islice(free, 1 + max(names.places.values(), default=0)))
    return {start: found[place] for start, place in names.places.items()}


def candidates() -> Iterator[str]:
    """a, b, ... Z, aa, ab, ..."""
    for length in count(1):
        words = map("".join, product(ascii_letters, repeat=length))
        yield from (word for word in words if word not in KEYWORDS)


def declared_by(node: Node) -> Iterator[str]:
    """Everything that the scope of ``node`` declares itself, wherever in it that stands."""
    if node.type == "class_body":
        members = (part for child in node.children for part in child.children)
        yield from (text(member) for member in members if member.type == PRIVATE)
        return
    own = () if node.type in OUTWARD else (BINDINGS.get(node.type, ""),)
    for part in (*own, "parameters", *(("left",) if node.type == "for_in_statement" else ())):
        yield from bound(node.child_by_field_name(part))
    shared = {
        text(leaf) for child in node.children if child.type in SHARED for leaf in leaves(child)
    }
    for child in node.children:
        yield from (name for name in declarations(child) if name not in shared)


def declarations(node: Node) -> Iterator[str]:
    """What a statement declares in the scope that it stands in."""
    if node.type in OUTWARD:
        yield from bound(node.child_by_field_name("name"))
    elif node.type == "lexical_declaration":
        for child in node.children:
            if child.type == "variable_declarator":
                yield from bound(child.child_by_field_name("name"))
    elif node.type in ("switch_case", "switch_default"):
        for child in node.children:
            yield from declarations(child)


def needless(node: Node) -> Iterator[int]:
    """Where ``(a) => ...`` has braces that ``a => ...`` can do without."""
    among = node.child_by_field_name("parameters") if node.type == "arrow_function" else None
    if among and [child.type for child in among.children] == ["(", "identifier", ")"]:
        yield from (among.children[0].start_byte, among.children[2].start_byte)


def bound(pattern: Node | None) -> Iterator[str]:
    """The names in a pattern, or the parameters of a function."""
    if pattern is None:
        return
    if pattern.type in ("identifier", "shorthand_property_identifier_pattern"):
        yield text(pattern)
    elif pattern.type in ("assignment_pattern", "object_assignment_pattern"):
        yield from bound(pattern.child_by_field_name("left"))
    elif pattern.type == "pair_pattern":
        yield from bound(pattern.child_by_field_name("value"))
    else:
        for child in pattern.children:
            yield from bound(child)


def leaves(node: Node) -> Iterator[Node]:
    """What is written, piece by piece."""
    if node.child_count == 0 or node.type in WHOLE:
        yield node
        return
    for child in node.children:
        yield from leaves(child)


def written(source: bytes, pieces: Iterable[Node], names: dict[int, str]) -> Iterator[str]:
    """The pieces with their short names, and between them only what keeps them apart."""
    end, last = 0, ""
    for piece in pieces:
        if piece.type == "comment" or piece.start_byte == piece.end_byte:
            continue
        word = renamed(piece, names.get(piece.start_byte))
        yield between(last, source[end : piece.start_byte].decode(), word[0]) + word
        end, last = piece.end_byte, word[-1]
    yield "\n"


def renamed(piece: Node, name: str | None) -> str:
    if name is None:
        return plain(piece)
    if piece.type == PRIVATE:
        return f"#{name}"
    return f"{text(piece)}:{name}" if piece.type in SHORTHAND else name


def plain(piece: Node) -> str:
    """A piece that is no name: nobody needs to be told that nothing is assigned twice, nor to count digits."""
    if piece.type == "number":
        return text(piece).replace("_", "")
    return "let" if piece.type == "const" else text(piece)


def between(last: str, gap: str, first: str) -> str:
    """What has to stand between two pieces: a new line may end a statement."""
    if not gap or not last or last in ENDS_LINE.replace("}", ""):
        return ""
    if "\n" in gap and last not in ENDS_LINE:
        return "" if first in "})].,;?:" else "\n"
    if "\n" in gap and last == "}":
        return "" if first in "})],;" else "\n"
    close = is_word(last) and is_word(first)
    return " " if close or (last == first and last in "+-") else ""


def is_word(letter: str) -> bool:
    return letter.isalnum() or letter in "_$#"


def text(node: Node) -> str:
    return (node.text or b"").decode()
