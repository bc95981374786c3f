"""Everything that the page of the check-up shows runs, and says what the code says."""

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import flax.linen as nn
import numpy as np
import pytest

from analysis.mended import OPTIMIZERS, TITLES, ends
from initjax import init, recipes
from initjax.checkup import Unhealthy, diagnose, limits
from initjax.checkup.command import HEALTHY, run
from initjax.checkup.finding import ORDER
from initjax.checkup.rules import RULES, dead, precision, saturated
from initjax.engine.statistics import SATURATION
from initjax.probes.trace import PARAMETER_COLUMNS, SITE_COLUMNS
from sweeps.harness.table import load

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "initjax" / "checkup"
PAGE = (FOLDER / "README.md").read_text()
VERDICTS = "verdict | what it means | evidence | remedy"
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.fixture(scope="module")
def played():
    """Names that the blocks leave, and what each ``text`` block stands after."""
    names, spoken = {"__name__": "page"}, []
    for kind, block in re.findall(r"```(python|text)\n(.*?)```", PAGE, re.S):
        if kind == "text":
            spoken[-1] = (*spoken[-1][:1], block)
            continue
        with contextlib.redirect_stdout(io.StringIO()) as heard:
            exec(compile(block, "README.md", "exec"), names)
        if heard.getvalue():
            spoken.append((heard.getvalue(),))
    return names, spoken


def _words(text):
    """Without numbers, and without the widths of columns that they make."""
    return NUMBER.sub("#", text).split()


def test_what_is_printed_is_on_the_page(played):
    _, spoken = played
    assert len(spoken) == 2
    for heard, shown in spoken:
        assert _words(heard) == _words(shown)
    # A word more, and it would not.
    assert _words(spoken[0][0]) != _words(spoken[0][1].replace("vanishing", "healthy", 1))


def test_numbers_on_the_page_are_those_of_the_machine_up_to_its_rounding(played):
    """Medians over networks of one key: only the order of sums may differ."""
    _, spoken = played
    heard, shown = ([float(n) for n in NUMBER.findall(text)] for text in spoken[0])
    np.testing.assert_allclose(heard, shown, atol=0.03)


def test_it_is_mended_in_five_lines():
    block = PAGE.partition("Five lines")[2].partition("```python\n")[2].partition("```")[0]
    assert len([line for line in block.splitlines() if line]) == 5


def test_the_test_of_the_page_passes_and_can_fail(played):
    names, _ = played
    names["test_my_network_is_alive"]()
    with pytest.raises(Unhealthy, match="vanishing forward"):
        names["diagnosis"].raise_if_unhealthy()


def test_every_parameter_that_is_printed_as_unseen_is_one(played):
    names, spoken = played
    found = names["probe"](names["Unread"](), names["images"]).unseen
    assert len(found) == len(spoken[1][1].splitlines()) == 2


def _rows(heading):
    """Cells of the table below a heading."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0]
    lines = table.splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_verdicts_are_those_of_the_rules_in_order():
    rows = _rows(VERDICTS)
    assert tuple(row[0].strip("`") for row in rows) == ORDER
    assert tuple(rule.__name__ for rule in RULES) == ORDER
    assert all(len(row) == 4 and all(row) for row in rows)


def test_limits_are_those_of_the_code():
    evidence = {row[0].strip("`"): row[2] for row in _rows(VERDICTS)}
    assert f"more than {limits.HARMFUL:.1f} decades" in evidence["exploding"]
    assert f"{limits.GAP:.1f} decades" in evidence["rank_collapse"]
    assert f"less than {SATURATION:.0%}".replace("%", " %") in evidence["saturated"]
    module = sys.modules[precision.__module__]
    assert f"from {module.FEWEST} to {module.MOST} different" in evidence["precision"]
    assert f"more than {module._SIGMAS:g} standard errors" in evidence["precision"]
    assert dead.__doc__ and "more than half of the units" in dead.__doc__
    assert saturated.__doc__ and "most units" in saturated.__doc__


def test_remedies_on_the_page_exist():
    calls = re.findall(r"`(init|recipes)\.(\w+)", "".join(r[3] for r in _rows(VERDICTS)))
    assert {"init", "recipes"} == {module for module, _ in calls}
    for module, name in calls:
        assert callable(getattr({"init": init, "recipes": recipes}[module], name))


class Stream(nn.Module):
    @nn.compact
    def __call__(self, x):
        for _ in range(20):
            x = x + nn.Dense(16, kernel_init=nn.initializers.lecun_normal())(x)
        return x


def _plain(layers, phi, **settings):
    return nn.Sequential(
        [f for _ in range(layers) for f in (nn.Dense(16, **settings), phi)]
    )


@pytest.mark.parametrize(
    ("verdict", "model"),
    [
        ("symmetric", _plain(3, nn.tanh, kernel_init=nn.initializers.ones)),
        ("dead", _plain(3, nn.relu, bias_init=nn.initializers.constant(-9.0))),
        ("saturated", _plain(3, nn.tanh, kernel_init=nn.initializers.normal(4.0))),
        ("residual_blowup", Stream()),
    ],
)
def test_remedies_are_those_on_the_page(verdict, model):
    """A call of the row is in the remedy of a network that has this verdict."""
    found = diagnose(model, np.random.default_rng(0).normal(size=(32, 16)).astype("f"))
    assert found.verdict == verdict
    told = next(row[3] for row in _rows(VERDICTS) if row[0] == f"`{verdict}`")
    call = found.findings[0].remedy.call
    assert any(name in call for name in re.findall(r"`((?:init|recipes)\.\w+)`", told)), (
        call
    )


@pytest.mark.parametrize(
    ("heading", "columns"),
    [
        ("column of a layer | what it is", SITE_COLUMNS),
        ("column of a parameter | what it is", PARAMETER_COLUMNS),
    ],
)
def test_columns_are_those_of_the_probe(heading, columns):
    named = [name for row in _rows(heading) for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(columns)


def test_the_command_of_the_page_runs(tmp_path, monkeypatch):
    (command,) = re.findall(r"```sh\n(.*?)\n```", PAGE, re.S)
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "initjax"]
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "models.py").write_text(
        "import flax.linen as nn\ndef make_model():\n    return nn.Dense(3)\n"
    )
    (package / "data.py").write_text(
        "import numpy as np\nbatch = np.eye(8, dtype=np.float32)\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert run(words[3:]) == HEALTHY
    options = re.findall(r"`(--\w+)", PAGE)
    told = subprocess.run(
        [sys.executable, "-m", "initjax", "diagnose", "--help"],
        **{"cwd": ROOT, "capture_output": True, "text": True, "check": True},
    )
    assert options and all(option in told.stdout for option in options)


def test_accuracies_are_those_of_the_committed_table():
    table = load(ROOT / "results" / "mended" / "table.parquet")
    rows = ends(table)
    rows = rows[rows["chosen"]].set_index(["network", "optimizer", "state"])
    shown = {
        row[0]: row[1:]
        for row in _rows(
            "network | verdict | by SGD, before → after | by Adam, before → after"
        )
    }
    assert list(shown) == list(TITLES.values())
    for network, title in TITLES.items():
        verdict, *cells = shown[title]
        assert verdict == f"`{rows.loc[(network, 'sgd', 'before'), 'verdict']}`"
        expected = [
            " → ".join(
                f"{rows.loc[(network, optimizer, state), 'accuracy']:.0%}".replace(
                    "%", " %"
                )
                for state in ("before", "after")
            )
            for optimizer in OPTIMIZERS
        ]
        assert cells == expected
    assert f"after {table['step'].max()} steps" in PAGE
    assert f"over {table['seed'].nunique()} seeds" in PAGE


def test_links_and_the_figure_are_there():
    links = re.findall(r"\]\(([^)#]+)\)", PAGE)
    assert any(link.endswith(".png") for link in links)
    for link in links:
        assert link.startswith("https://") or (FOLDER / link).resolve().exists(), link
