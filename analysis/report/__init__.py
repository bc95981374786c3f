"""The report: every sweep's question, answer, figures and provenance on one page.

``gather`` draws and finds the facts of one sweep, ``page`` writes them as one HTML file
that needs nothing else, and as Markdown; ``python -m analysis`` does both. A sweep says
what its table answers, and how far that is from theory, by two functions of the table,
``answer`` and ``compare``, in its module of ``analysis`` or of ``analysis.report.answers``.
"""
