"""Rules of the rooms that import-linter cannot check: MLflow's URIs, and console output."""

import ast

import pytest

from tests.project import ROOT

PURE = [
    path
    for path in sorted((ROOT / "common").rglob("*.py"))
    if path.relative_to(ROOT / "common").parts[0] not in ("store", "report", "workflow")
]


def strings(path):
    """Yield all text in a module's code except docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


@pytest.mark.parametrize("path", PURE, ids=lambda path: str(path.relative_to(ROOT)))
def test_pure_room_names_no_artifact(path):
    assert not [text for text in strings(path) if "runs:/" in text or "mlflow-artifacts:" in text]


@pytest.mark.parametrize("path", sorted((ROOT / "common").rglob("*.py")), ids=lambda path: path.stem)
def test_library_neither_prints_nor_parses_arguments(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    called = {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) if hasattr(node.func, "id")
    }
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert "print" not in called
    assert "click" not in imported


def test_module_longer_than_300_lines_hides_something():
    lengths = {
        path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines())
        for room in ("common", "steps")
        for path in (ROOT / room).rglob("*.py")
    }
    assert {str(path): length for path, length in lengths.items() if length > 300} == {}
