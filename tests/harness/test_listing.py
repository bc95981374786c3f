import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _sweeps(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "sweeps", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_sweeps_are_listed_with_question_cost_and_state():
    done = _sweeps()
    assert done.returncode == 0, done.stderr
    entries = [entry.splitlines() for entry in done.stdout.strip().split("\n\n")]
    assert [entry[0] for entry in entries] == sorted(entry[0] for entry in entries)
    (found,) = [entry for entry in entries if entry[0] == "depth_vs_init"]
    _, question, cost, state = found
    assert question.endswith("under each initialization?")
    assert cost.startswith("  cost: on two CPU cores")
    assert "table of 20" in state


def test_what_is_no_command_is_named():
    done = _sweeps("rum")
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "'rum'" in done.stderr
    assert "Traceback" not in done.stderr


def test_bad_options_reach_the_sweeps():
    done = _sweeps("run", "--all", "--preset", "huge")
    assert done.returncode == 2
    assert "--preset must be one of" in done.stderr
