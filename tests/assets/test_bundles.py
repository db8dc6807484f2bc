"""Modules become one script; what cannot be bundled is refused at the start."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webapp.assets.bundles import BundleError, bundle
from webapp.assets.files import HTMX, SCRIPTS, read_assets
from webapp.settings import shipped

MODULES = {path.stem: path.read_text(encoding="utf-8") for path in Path("static/js").glob("*.js")}
SMALL = {
    "page": 'import { two } from "./two.js";\nimport {\n  one as first,\n} from "./one.js";\nshow(first, two());\n',
    "one": "/** Says what\n * it is. */\nexport const one = 1; // kept\n",
    "two": '// Twice.\nimport { one } from "./one.js";\nexport function two() {\n  return one + one;\n}\n',
}


def test_what_is_imported_comes_first_and_once_under_its_own_name() -> None:
    assert bundle(SMALL, ["page"]) == (
        "const $one = (() => {\nconst one = 1; // kept\nreturn [one];\n})();\n"
        "const $two = (() => {\nconst [one] = $one;\nfunction two() {\nreturn one + one;\n}\n"
        "return [two];\n})();\n"
        "const $page = (() => {\nconst [two] = $two;\nconst [first] = $one;\n"
        "show(first, two());\nreturn [];\n})();\nexport { $one, $two, $page };\n"
    )


def test_what_is_imported_is_found_by_its_place() -> None:
    many = {
        "page": 'import { last, first as start } from "./many.js";\nshow(start, last);\n',
        "many": "export const first = 1;\nexport const other = 2;\nexport const last = 3;\n",
    }
    assert "const [start, , last] = $many;\n" in bundle(many, ["page"])
    assert "return [first, other, last];\n" in bundle(many, ["page"])


def test_what_the_named_modules_export_the_bundle_exports() -> None:
    assert "export const [two] = $two;\n" in bundle(SMALL, ["two"])


def test_what_another_bundle_has_is_taken_from_it() -> None:
    assert bundle(SMALL, ["two"], "first.js", ["one"]) == (
        'import { $one } from "./first.js";\n'
        "const $two = (() => {\nconst [one] = $one;\nfunction two() {\nreturn one + one;\n}\n"
        "return [two];\n})();\nexport const [two] = $two;\nexport { $two };\n"
    )


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        ({"page": 'import "./gone.js";\n'}, "there is no gone.js, imported by page"),
        ({"page": 'import "./b.js";\n', "b": 'import "./page.js";\n'}, "imports itself"),
        ({"page": 'import thing from "./b.js";\n', "b": ""}, "page.js cannot be bundled: import"),
        (
            {"page": 'import { a, b } from "./b.js";\n', "b": "export const b = 1;\n"},
            "b.js does not export a",
        ),
        ({"page": "export let count = 0;\n"}, "page.js cannot be bundled: export let"),
        ({"page": "export default 1;\n"}, "page.js cannot be bundled: export default"),
    ],
)
def test_what_cannot_be_bundled_is_told(modules: dict[str, str], why: str) -> None:
    with pytest.raises(BundleError, match=re.escape(why)):
        bundle(modules, ["page"])


def test_no_text_of_ours_runs_over_several_lines_where_indentation_would_count() -> None:
    odd = [
        f"{name}.js: {line}"
        for name, text in MODULES.items()
        for line in text.splitlines()
        if line.count("`") % 2
    ]
    assert odd == []


def test_every_bundle_is_served_and_holds_its_modules_whole() -> None:
    files = read_assets(shipped("static")).files
    for script, entries in SCRIPTS.items():
        text = files[script].body.decode()
        for entry in entries:
            named = re.findall(r"^customElements\.define\(.*$", MODULES[entry], re.MULTILINE)
            assert all(line in text for line in named)
        assert len(re.findall(r"^const \$\w+ = \(\(\) => \{$", text, re.MULTILINE)) >= len(entries)


def test_what_bundles_of_a_page_need_together_lies_in_one() -> None:
    """Otherwise each would have its own state: one policy twice, one device in two minds."""
    files = read_assets(shipped("static")).files
    stage, ready = (
        set(re.findall(r"^const (\$\w+) = ", files[name].body.decode(), re.MULTILINE))
        for name in ("stage.js", "ready.js")
    )
    assert not stage & ready
    taken = re.match(r'import \{ (.*) \} from "\./stage\.js";', files["ready.js"].body.decode())
    assert taken
    assert "$keep_offline" in taken[1].split(", ")
    assert set(taken[1].split(", ")) <= stage


def test_the_vendored_files_are_served_whole_and_in_one() -> None:
    """Between them htmx could begin without the extension that guards it."""
    files = read_assets(shipped("static")).files
    first, second = (files[name].body for name in HTMX)
    assert files["htmx.js"].body == first + b"\nglobalThis.htmx = htmx;\n" + second
