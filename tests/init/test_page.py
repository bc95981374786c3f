from initjax.init import INITIALIZERS
from initjax.init.page import PAGE, page


def test_the_committed_page_is_that_of_the_table():
    assert PAGE.read_text() == page(), "run python -m initjax.init.page"


def test_every_entry_is_complete_and_on_the_page():
    whole, _, listed = page().partition("## Presets")
    rows = [line for line in whole.splitlines() if line.startswith("| `")]
    assert len(rows) == len(INITIALIZERS)
    assert all(f"`{name}(" in listed for name in ("torch_mha", "timm_vit", "keras_lstm"))
    for name, entry in INITIALIZERS.items():
        assert entry.formula and entry.use and entry.reference, name
        assert any(f"`{name}(" in row for row in rows)
