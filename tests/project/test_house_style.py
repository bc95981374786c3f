"""Small rooms, documented doors."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path
    for folder in ("initjax", "sweeps", "analysis", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
PUBLIC = (
    "initjax.activations",
    "initjax.engine",
    "initjax.fans",
    "initjax.gains",
    "initjax.init",
    "initjax.meanfield",
    "initjax.models",
    "initjax.quadrature",
    "initjax.recipes",
)
# Formulas of a page or more need their source.
CITED = ("initjax.gains", "initjax.init", "initjax.meanfield", "initjax.recipes")
ELEMENTARY = {
    *("calculate_gain", "published_gain"),
    *("normal", "uniform", "constant", "zeros", "ones"),
    *("apply_rules", "scale", "fill", "redraw", "leaves_by_path"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_file_over_the_limit(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= (400 if "tests" in path.parts else 250)


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if "tests" not in p.parts],
    ids=lambda p: str(p.relative_to(ROOT)),
)
def test_no_function_over_forty_lines(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 40, f"{node.name} has {length} lines"


def test_no_catch_all_modules():
    assert not {"utils", "common", "misc", "helpers"} & {path.stem for path in FILES}


def _public():
    for name in PUBLIC:
        module = importlib.import_module(name)
        for key, value in vars(module).items():
            ours = getattr(value, "__module__", "").startswith(name)
            if not key.startswith("_") and ours and callable(value):
                yield pytest.param(name, key, value, id=f"{name}.{key}")


@pytest.mark.parametrize(("module", "name", "value"), list(_public()))
def test_public_names_are_documented(module, name, value):
    text = inspect.getdoc(value) or ""
    assert text, f"{module}.{name} has no docstring"
    if inspect.isfunction(value) and module in CITED:
        assert "Example:" in text
        assert name in ELEMENTARY or "References:" in text
