"""Scripts with short names mean what they meant: read again, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from tree_sitter import Node, Parser

from webapp.assets.files import OURS, read_assets
from webapp.assets.short_names import (
    LANGUAGE,
    PRIVATE,
    SHORTHAND,
    Names,
    Scope,
    ScriptError,
    leaves,
    shorten,
)
from webapp.settings import shipped

FILES = read_assets(shipped("static")).files


@pytest.mark.parametrize(
    ("script", "small"),
    [
        ("const first = 1;\nuse(first);\n", "let a=1;use(a);\n"),
        ("// why\nshow(); /* how */\n", "show();\n"),
        ("function twice(one) {\n  return one * 2;\n}\n", "function a(b){return b*2;}\n"),
        # what is not declared here belongs to the browser, and its name is not taken by another
        ("const own = document.a;\nb(own);\n", "let a=document.a;b(a);\n"),
        ("const own = a;\nconst two = own;\n", "let b=a;let c=b;\n"),
        ("{ const name = 1; go(name); }\ngo(name);\n", "{let a=1;go(a);}\ngo(name);\n"),
        # properties keep their names
        ("const left = { left: 1 }.left;\n", "let a={left:1}.left;\n"),
        ("const left = 1;\ngo({ left });\n", "let a=1;go({left:a});\n"),
        ("const { left, top: high, ...rest } = go;\n", "let{left:a,top:b,...c}=go;\n"),
        ("const of = ({ size = 1 }) => size;\n", "let a=({size:b=1})=>b;\n"),
        ("let kept;\n({ kept } = go);\n", "let a;({kept:a}=go);\n"),
        # what is next to each other may share a name, what is inside each other may not
        ("go((one) => one, (two) => two);\n", "go(a=>a,a=>a);\n"),
        ("go((one) => (two) => one + two);\n", "go(a=>b=>a+b);\n"),
        ("go(async (one) => one);\n", "go(async a=>a);\n"),
        ("go((...all) => all, () => 1);\n", "go((...a)=>a,()=>1);\n"),
        ("for (const each of all) go(each);\n", "for(let a of all)go(a);\n"),
        ("try {\n  go();\n} catch (error) {\n  say(error);\n}\n", "try{go();}catch(a){say(a);}\n"),
        ("switch (go) {\n  case 1: {\n    break;\n  }\n  default:\n    const x = 1;\n}\n", None),
        (
            "class Bar extends Rod {\n  #end = 0;\n  get end() {\n    return this.#end;\n  }\n}\n",
            "class a extends Rod{#a=0;get end(){return this.#a;}}\n",
        ),
        (
            "class Bar { #end = 0; inner = class { #begin = 1; sum(one) { return this.#begin + one.#end; } }; }\n",
            "class a{#a=0;inner=class{#b=1;sum(b){return this.#b+b.#a;}};}\n",
        ),
        ("if (one) { while (go()); }\n", "if(one){while(go());}\n"),
        ("go(1_000_000, 0.5, 0xff);\n", "go(1000000,0.5,0xff);\n"),
        # text is text
        ("go(`left ${left} // no  comment`);\n", "go(`left ${left} // no  comment`);\n"),
        ("const left = 1;\ngo(`left  ${left}`, 'left');\n", "let a=1;go(`left  ${a}`,'left');\n"),
        ("go(/left [/] */.test(text));\n", "go(/left [/] */.test(text));\n"),
        # what would run together or apart stays as it is
        ("go(typeof one, one in two, + +one, - -one);\n", "go(typeof one,one in two,+ +one,- -one);\n"),
        ("const one = () => 1\nconst two = one\n;[1].map(two)\n", "let a=()=>1\nlet b=a;[1].map(b)\n"),
        ("async function go() {\n  return\n  one;\n}\n", "async function a(){return\none;}\n"),
        # other scripts know these
        ('import { $one } from "./x.js";\ngo($one);\n', 'import{$one}from"./x.js";go($one);\n'),
        ("const $one = 1;\nexport { $one };\n", "let $one=1;export{$one};\n"),
        ("export const [one] = go;\nsay(one);\n", "export let[one]=go;say(one);\n"),
    ],
)  # fmt: skip
def test_a_script_gets_short_names(script: str, small: str | None) -> None:
    """Each seen to fail with its rule left out."""
    if small is not None:
        assert shorten(script) == small
    assert kinds(shorten(script)) == kinds(script)


def test_names_go_on_after_the_alphabet() -> None:
    names = [f"name{number}" for number in range(60)]
    small = shorten("".join(f"const {name} = 1;\n" for name in names))
    assert "let Z=1;let aa=1;let ab=1;" in small
    assert "let as=" not in shorten("".join(f"const name{n} = 1;\n" for n in range(120)))


def test_what_is_no_script_is_refused_with_its_line() -> None:
    with pytest.raises(ScriptError, match="not JavaScript near line 2"):
        shorten("const one = 1;\nconst two = = 2;\n")


@pytest.mark.parametrize("name", OURS)
def test_each_script_is_the_same_but_for_its_names(name: str) -> None:
    """The pieces have the same kinds in the same order; only variables differ, and none that others know."""
    script = FILES[name].body.decode()
    small = shorten(script)
    assert len(small) < 0.8 * len(script)
    assert kinds(small) == kinds(script)
    assert kept(small) == kept(script)
    assert "import(" not in small or small.count("import(") == script.count("import(")


@pytest.mark.parametrize("name", OURS)
def test_a_new_line_that_ended_a_statement_still_does(name: str) -> None:
    """Statements stand as they stood: read again, the trees are alike."""
    script = FILES[name].body.decode()
    assert tree(shorten(script)) == tree(script)


def pieces(script: str) -> list[Node]:
    root = Parser(LANGUAGE).parse(script.encode()).root_node
    assert not root.has_error
    names = Names()
    names.read(root, Scope())
    found = [leaf for leaf in leaves(root) if leaf.start_byte not in names.left_out]
    return [leaf for leaf in found if leaf.type != "comment" and leaf.text]


def kinds(script: str) -> list[str]:
    """What is written; ``{a: b}`` for ``{a}`` counts as the same."""
    found = list(unfolded(pieces(script)))
    return [kind for kind, _ in found]


def kept(script: str) -> list[str]:
    """All but variables, which is what a script says to others."""
    return [
        text
        for kind, text in unfolded(pieces(script))
        if kind not in ("identifier", "let", PRIVATE)
    ]


def unfolded(found: list[Node]) -> Iterator[tuple[str, str]]:
    for piece in found:
        text = (piece.text or b"").decode()
        if piece.type in SHORTHAND:
            yield from (("property_identifier", text), (":", ":"), ("identifier", text))
        else:
            yield (
                piece.type.replace("const", "let"),
                text.replace("_", "") if piece.type == "number" else text,
            )


def tree(script: str) -> list[tuple[str, int]]:
    """The kinds of statement by their depth."""
    found: list[tuple[str, int]] = []

    def walk(node: Node, depth: int) -> None:
        if node.type.endswith(("_statement", "_declaration", "_definition")):
            found.append((node.type, depth))
        for child in node.named_children:
            walk(child, depth + 1)

    walk(Parser(LANGUAGE).parse(script.encode()).root_node, 0)
    return found


def test_two_variables_that_meet_never_share_a_name() -> None:
    """Every pair of names that is declared in one place of the largest script."""
    small = shorten(FILES["stage.js"].body.decode())
    for block in pieces_by_block(small):
        assert all(one != two for one, two in pairwise(sorted(block)))


def pieces_by_block(script: str) -> Iterator[list[str]]:
    """The names of what each block declares by const, let, function or class."""
    todo = [Parser(LANGUAGE).parse(script.encode()).root_node]
    while todo:
        node = todo.pop()
        todo += node.children
        if node.type not in ("statement_block", "program"):
            continue
        declared = [
            child
            for statement in node.children
            for child in (statement, *statement.children)
            if child.child_by_field_name("name")
        ]
        names = [one.child_by_field_name("name") for one in declared]
        yield [(n.text or b"").decode() for n in names if n and n.type == "identifier"]
