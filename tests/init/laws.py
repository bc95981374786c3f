"""The law that each scheme is published with, written out by hand.

Variance as a function of (fan_in, fan_out); kurtosis of the drawn law. Nothing
here is computed by the library.
"""

NORMAL, UNIFORM, TRUNCATED = 3.0, 9 / 5, 2.3655367171296495

# name: (variance, kurtosis)
PUBLISHED = {
    "normal": (lambda i, o: 1e-4, NORMAL),
    "uniform": (lambda i, o: 0.1**2 / 12, UNIFORM),
    "variance_scaling": (lambda i, o: 1 / i, TRUNCATED),
    "xavier_uniform": (lambda i, o: 2 / (i + o), UNIFORM),
    "xavier_normal": (lambda i, o: 2 / (i + o), NORMAL),
    "kaiming_uniform": (lambda i, o: 2 / i, UNIFORM),
    "kaiming_normal": (lambda i, o: 2 / i, NORMAL),
    "glorot_uniform": (lambda i, o: 2 / (i + o), UNIFORM),
    "glorot_normal": (lambda i, o: 2 / (i + o), TRUNCATED),
    "he_uniform": (lambda i, o: 2 / i, UNIFORM),
    "he_normal": (lambda i, o: 2 / i, TRUNCATED),
    "lecun_uniform": (lambda i, o: 1 / i, UNIFORM),
    "lecun_normal": (lambda i, o: 1 / i, TRUNCATED),
}
