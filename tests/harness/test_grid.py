import json
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from sweeps.harness.grid import content_id, group, product

settings = st.dictionaries(
    st.text(min_size=1), st.integers() | st.floats(allow_nan=False) | st.text(), max_size=5
)


@given(settings)
def test_id_does_not_depend_on_order(cell):
    assert content_id(cell) == content_id(dict(reversed(cell.items())))
    assert len(content_id(cell)) == 12


@given(settings, settings)
def test_different_settings_have_different_ids(one, other):
    assert (content_id(one) == content_id(other)) == (
        json.dumps(one) == json.dumps(other)
    ) or (one == other)


def test_ids_do_not_depend_on_the_process():
    code = (
        "from sweeps.harness.grid import content_id; print(content_id({'a': 1, 'b': [2]}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == content_id({"b": [2], "a": 1})


def test_product_and_group_lose_nothing():
    cells = product(a=(1, 2), b="xy", c=range(3))
    assert len(cells) == len({content_id(cell) for cell in cells}) == 12
    groups = group(cells, lambda cell: (cell["b"], cell["c"]))
    assert [len(g) for g in groups] == [2] * 6
    assert sorted(str(cell) for same in groups for cell in same) == sorted(map(str, cells))
