"""Scripts are native modules below one version, and a page knows all that it will load."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.visitor import Visitor
from webapp.assets.files import HTMX, read_assets, tight_js
from webapp.settings import shipped

ASSETS = read_assets(shipped("static"))
SCRIPTS = sorted(Path("static/js").rglob("*.js"))
MODULES = {name: file.text for name, file in ASSETS.files.items() if name.startswith("js/")}
FROM = re.compile(r'(?:\bfrom |\bimport\(?)"([^"]+)"')
NAMES = re.compile(r'^import \{([^}]*)\} from "[^"]*/([\w-]+)\.js";$', re.MULTILINE)


def test_every_import_is_seen_and_leads_to_a_module() -> None:
    """Relative, so that it stays below the version. Seen to fail for a wrong folder."""
    for name, text in MODULES.items():
        static = [path for path in FROM.findall(text) if f'import("{path}")' not in text]
        assert len(ASSETS.imports[name]) == len(static), name
        for path in FROM.findall(text):
            assert path.startswith("."), name
            parts = Path(name).parent.joinpath(path)
            assert (Path("static") / parts).resolve().is_file(), f"{name}: {path}"


def test_what_is_imported_is_exported() -> None:
    by_stem = {Path(name).stem: text for name, text in MODULES.items()}
    assert len(by_stem) == len(MODULES)
    for name, text in MODULES.items():
        for wanted, source in NAMES.findall(text):
            for one in filter(None, (part.strip() for part in wanted.split(","))):
                found = rf"^export (?:(?:async )?(?:const|function|class) {one}\b|\{{ .*\b{one}\b)"
                assert re.search(found, by_stem[source], re.MULTILINE), f"{name}: {one}"


def test_a_page_knows_all_that_its_modules_import() -> None:
    """Deep ones too: otherwise each level would cost a round trip."""
    urls = ASSETS.modules(["stage/session-stage", "page/count-down"])
    names = [url.removeprefix(f"/static/{ASSETS.version}/js/") for url in urls]
    assert names[:2] == ["stage/session-stage.js", "page/count-down.js"]
    assert {"rules/session.js", "page/preferences.js"} <= {*names}
    assert len(names) == len({*names})
    with pytest.raises(KeyError):
        ASSETS.modules(["stage/gone"])


def test_comments_and_indentation_stay_here() -> None:
    text = '/** Says\n * it. */\nif (a) {\n  // Why.\n  b("x // y"); // c\n}\n'
    assert tight_js(text) == 'if (a) {\nb("x // y");\n}\n'
    odd = [str(path) for path in SCRIPTS for line in lines(path) if line.count("`") % 2]
    assert odd == [], "text over several lines would lose its indentation"


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_no_script_is_long_and_each_stands_in_a_folder() -> None:
    folders = {"stage", "rules", "offline", "audio", "input", "page"}
    assert {path.parent.name for path in SCRIPTS} == folders
    assert [str(path) for path in SCRIPTS if len(lines(path)) > 250] == []


def test_the_page_of_a_session_names_every_module_of_the_stage(visitor: Visitor) -> None:
    """So the service worker keeps them all. Seen to fail with the entries alone."""
    page = visitor.get(f"/sessions/{visitor.prepare('short')}").text
    named = {*re.findall(r"/js/([\w/-]+\.js)", page)}
    loaded = {*named}
    for name in loaded.copy():
        loaded |= {path.removeprefix("js/") for path in ASSETS.imports[f"js/{name}"]}
    assert named == loaded
    assert len(named) > 15


def test_the_offline_page_names_all_that_it_loads(visitor: Visitor) -> None:
    page = visitor.get("/offline").text
    assert {*re.findall(r"/js/([\w/-]+\.js)", page)} == {"offline/session-store.js"}
    assert ASSETS.imports["js/offline/session-store.js"] == []


def test_the_vendored_files_are_served_whole_and_in_one() -> None:
    """Between them htmx could begin without the extension that guards it."""
    files = ASSETS.files
    first, second = (files[name].body for name in HTMX)
    assert files["htmx.js"].body == first + b"\nglobalThis.htmx = htmx;\n" + second
