"""What our own code never does, read from the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "webapp").rglob("*.py"))
SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
XML = {"xml", "lxml", "defusedxml", "pickle", "marshal", "shelve", "yaml"}
CALLS = {"eval", "exec", "compile", "__import__", "system", "popen", "render_template_string"}
SINKS = re.compile(
    r"\beval\(|new Function|\.(inner|outer)HTML\s*(?:[+?|&]*=(?!=)|[\]})])|insertAdjacentHTML"
    r"|document\.write|srcdoc|setTimeout\(\s*[\"'`]|postMessage\([^)]*\*|new WebSocket"
)
# Any of these may throw at any use; each has one script that reckons with it.
KEEPING = {
    r"\b(?:localStorage|sessionStorage)\b|document\.cookie|\bcookieStore\b": {"preferences"},
    r"\bindexedDB\b": {"session-store"},
    r"\bcaches\b|\bserviceWorker\b": {"session-store", "service-worker"},
    r"navigator\.locks|\bBroadcastChannel\b|navigator\.storage\b": set(),
}
UNESCAPED = re.compile(r"\|\s*safe\b|autoescape false|type=[\"']password")


def nodes(path: Path) -> Iterator[ast.AST]:
    yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def called(node: ast.Call) -> str:
    """The name of what is called, without what it belongs to."""
    if isinstance(node.func, ast.Name):
        return node.func.id
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        return "" if node.func.value.id == "re" else node.func.attr
    return ""


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_no_module_runs_text_reads_xml_or_asks_a_shell(path: Path) -> None:
    for node in nodes(path):
        if isinstance(node, ast.Call):
            assert called(node) not in CALLS, ast.unparse(node)
            assert not [k for k in node.keywords if k.arg == "shell"], ast.unparse(node)
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module]
            assert not XML & {str(name).split(".")[0] for name in names}


def test_the_only_hash_is_sha_256() -> None:
    used = {
        node.attr
        for path in MODULES
        for node in nodes(path)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("hashlib", "hashes")
    }
    assert used <= {"sha256", "SHA256"}
    assert "sha256" in used


@pytest.mark.parametrize(
    ("text", "sinks"),
    [
        ("part.innerHTML = text", True),
        ("part.outerHTML += text", True),
        ("part.innerHTML ??= text", True),
        ("[part.innerHTML] = [text]", True),
        ("({ text: part.innerHTML } = given)", True),
        ("page.served = part.outerHTML;", False),
        ('part.innerHTML === ""', False),
    ],
)
def test_writing_markup_is_told_from_reading_it(text: str, sinks: bool) -> None:
    assert bool(SINKS.search(text)) == sinks


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_of_text(path: Path) -> None:
    assert not SINKS.search(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("what", KEEPING)
def test_what_keeps_things_on_a_device_is_used_where_its_refusal_is_reckoned_with(
    what: str,
) -> None:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in SCRIPTS}
    assert len(texts) == len(SCRIPTS) > 20
    assert {name for name, text in texts.items() if re.search(what, text)} == KEEPING[what]


def test_no_template_leaves_text_as_it_is_or_asks_for_a_password() -> None:
    assert len(TEMPLATES) > 50
    for path in TEMPLATES:
        assert not UNESCAPED.search(path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_part_of_others_is_pinned_with_its_hash(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    pinned = re.findall(
        r"^([\w.\[\]-]+)==(\S+).*?\\\n((?:\s+--hash=sha256:\w{64}.*\n?)+)", text, re.M
    )
    lines = re.findall(r"^[\w.\[\]-]+==", text, re.M)
    assert len(pinned) == len(lines) > 10
