import pytest

from initjax.gains import gain
from sweeps.schemes import build, canonical


@pytest.mark.parametrize(
    ("scheme", "activation", "variance", "base"),
    [
        ("normal(1)", "relu", 1.0, "normal"),
        ("normal(0.01)", "relu", 1e-4, "normal"),
        ("normal(1/√n)", "relu", 1 / 300, "normal"),
        ("xavier_uniform(gain)", "tanh", 25 / 9 * 2 / 500, "uniform"),
        ("xavier_normal(gain)", "gelu", gain("gelu") ** 2 * 2 / 500, "normal"),
        ("kaiming_normal(fan_in)", "tanh", 2 / 300, "normal"),
        ("kaiming_uniform(fan_out)", "relu", 2 / 200, "uniform"),
        ("lecun_normal", "relu", 1 / 300, "truncated_normal"),
        ("he_normal", "relu", 2 / 300, "truncated_normal"),
        ("orthogonal", "relu", 1 / 300, "orthogonal"),
        ("orthogonal(gain)", "relu", 2 / 300, "orthogonal"),
        ("uniform(-0.5, 0.5)", "relu", 1 / 12, "uniform"),
    ],
)
def test_scheme_has_the_law_of_its_name(scheme, activation, variance, base):
    assert canonical(scheme) == scheme
    built = build(scheme, activation)
    assert built.base == base
    assert built.law((300, 200)).variance == pytest.approx(variance, rel=1e-12)


def test_spellings():
    assert canonical(" normal(1/sqrt(n)) ") == "normal(1/√n)"
    assert canonical("uniform(-0.5,0.5)") == "uniform(-0.5, 0.5)"
    assert canonical("orthogonal()") == "orthogonal"
    assert canonical("normal(1 / sqrt(n))") == "normal(1/√n)"
    for number in ("1", "1.0", "1e0", "01", " 1 "):
        assert canonical(f"normal({number})") == "normal(1)"
    assert canonical("normal(0.12345678)") == "normal(0.12345678)"


@pytest.mark.parametrize(
    "bad",
    [
        *("", "nromal(1)", "normal(1", "normal(a)", "normal(1, 2)", "xavier_normal(1/√n)"),
        *("he_normal(0.5)", "lecun_normal(1)", "zeros(1)", "orthogonal(1, 2)"),
        *("kaiming_normal(fan_in, fan_out)", "xavier_normal(gain, gain)"),
        *("uniform(-1, 1, 2)", "xavier_normal(1e200)", "normal(inf)", "normal(１"),
    ],
)
def test_bad_names(bad):
    with pytest.raises(ValueError, match="scheme"):
        canonical(bad)
