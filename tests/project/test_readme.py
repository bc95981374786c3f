"""What the README shows exists and runs."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()

CLASSIC = (
    *("init_distributions", "gain_vs_activation", "near_orthogonality"),
    *("symmetry_breaking", "vanishing_gradient", "dead_relu"),
)


def test_python_blocks_run():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})


def test_exactly_two_commands_each_with_its_own_set_up():
    commands = "".join(re.findall(r"```sh\n(.*?)```", README, re.S)).splitlines()
    assert len(commands) == 2
    for command, ending in zip(
        commands,
        ("-m sweeps.depth_vs_init", "-m pytest -n auto --dist loadfile"),
        strict=True,
    ):
        assert command.startswith("python3 -m venv .venv && .venv/bin/pip install -e ")
        assert command.endswith(ending)


def test_links_and_pictures_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert any(link.endswith(".png") for link in links)
    for link in links:
        assert link.startswith("https://") or (ROOT / link).exists(), link


def test_the_committed_table_is_small_and_of_this_schema():
    from sweeps.depth_vs_init import PRESETS, SCHEMA
    from sweeps.harness.directory import plain
    from sweeps.harness.table import load

    path = ROOT / "results" / "depth_vs_init" / "table.parquet"
    assert path.stat().st_size < 2e6
    table = load(path)
    origin = table.attrs["provenance"]
    assert list(table.columns) == SCHEMA.names
    assert origin["schema_version"] == SCHEMA.version
    assert origin["settings"] == plain(PRESETS["default"])
    assert origin["dirty"] is False
    networks = table.groupby(["inputs", "activation", "scheme", "depth", "seed"]).size()
    assert len(networks) == 7800
    assert networks.max() <= 24


def test_the_sweeps_take_as_long_as_is_said():
    from sweeps.harness.table import load

    tables = sorted((ROOT / "results").glob("*/table.parquet"))
    origins = {path.parent.name: load(path).attrs["provenance"] for path in tables}
    assert not any(origin["dirty"] for origin in origins.values())
    for name in origins:
        assert f"| `{name}` |" in README
    seconds = {name: o["wall_seconds"] for name, o in origins.items()}
    assert "measure for less than forty minutes on two cores" in README
    assert sum(seconds.values()) - seconds["throughput"] < 2400
    assert "from `init_distributions` to `dead_relu` for less than ten" in README
    assert sum(seconds[name] for name in CLASSIC) < 600
