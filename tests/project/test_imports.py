"""Who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path.relative_to(ROOT)
    for folder in ("initjax", "sweeps", "analysis")
    for path in (ROOT / folder).rglob("*.py")
)

# What a module may import of the project, besides the modules of its own package.
ALLOWED = {
    "initjax.typing": [],
    "initjax.activations": ["initjax.typing"],
    "initjax.quadrature": ["initjax.activations", "initjax.typing"],
    "initjax.gains": ["initjax.activations", "initjax.quadrature", "initjax.typing"],
    "initjax.meanfield": ["initjax.activations", "initjax.quadrature", "initjax.typing"],
    "initjax.fans": ["initjax.typing"],
    "initjax.init": [
        "initjax.activations",
        "initjax.fans",
        "initjax.gains",
        "initjax.meanfield",
        "initjax.typing",
    ],
    "initjax.recipes": ["initjax.fans", "initjax.init", "initjax.typing"],
    "initjax.models": ["initjax.activations", "initjax.init", "initjax.typing"],
    "initjax.probes": [
        "initjax.activations",
        "initjax.engine.statistics",
        "initjax.quadrature",
        "initjax.typing",
    ],
    "initjax.checkup": ["initjax"],
    "initjax.__main__": ["initjax.checkup"],
    "initjax.engine": [
        "initjax.activations",
        "initjax.init",
        "initjax.models",
        "initjax.quadrature",
        "initjax.typing",
    ],
    "sweeps.harness": ["analysis.figures"],
    "sweeps": ["initjax", "sweeps"],
    "analysis": [
        "analysis",
        "initjax.gains",
        "initjax.meanfield",
        "sweeps.harness.files",
        "sweeps.harness.table",
    ],
}


def _module(path):
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path):
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _within(name, package):
    return name == package or name.startswith(f"{package}.")


def breaches(module, imported):
    """Project modules that ``module`` imports and may not."""
    if module == "initjax":  # the map
        return []
    rules = [package for package in ALLOWED if _within(module, package)]
    assert rules, f"{module} has no rule: add its package to ALLOWED"
    package = max(rules, key=len)
    allowed = [*ALLOWED[package], *([] if package == "sweeps" else [package])]
    if module.startswith("analysis."):
        allowed.append(f"sweeps.{module.removeprefix('analysis.')}")
    ours = [n for n in imported if n.split(".")[0] in ("initjax", "sweeps", "analysis")]
    return [n for n in ours if not any(_within(n, a) for a in allowed)]


@pytest.mark.parametrize("path", FILES, ids=str)
def test_imports_keep_to_the_rules(path):
    assert breaches(_module(path), _imports(path)) == []


@pytest.mark.parametrize("name", ["neural_tangents", "dks"])
def test_what_is_not_depended_upon_is_not_imported(name):
    assert not [path for path in FILES for n in _imports(path) if _within(n, name)]


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("initjax.gains", "initjax.init"),
        ("initjax.init.scaled", "initjax.engine.chain"),
        ("sweeps.harness.table", "initjax.typing"),
        ("analysis.curves", "initjax.engine"),
        ("analysis.overlays", "sweeps.depth_vs_init"),
        ("initjax.engine.chain", "sweeps.data"),
    ],
)
def test_a_breach_is_found(module, imported):
    assert breaches(module, [imported]) == [imported]


def test_a_package_without_a_rule_is_found():
    with pytest.raises(AssertionError, match="has no rule"):
        breaches("initjax.gossip.trace", ["initjax.engine"])


def test_redrawing_loads_no_engine():
    """What analysis imports, and what that imports, brings neither engine nor models."""
    import subprocess
    import sys

    code = (
        "import analysis.depth_vs_init, analysis.redraw, sys; "
        "heavy = 'initjax.engine', 'initjax.models'; "
        "print([m for m in sys.modules if m.startswith(heavy)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_every_sweep_has_its_analysis():
    names = {p.stem for p in (ROOT / "sweeps").glob("*.py")}
    shared = {"__init__", "__main__", "axes", "columns", "data", "schemes"}
    shared |= {"networks", "networks_cost", "precision_networks"}
    assert names - shared <= {p.stem for p in (ROOT / "analysis").glob("*.py")}
