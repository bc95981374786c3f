"""What each sweep's table answers, and how far it is from theory: a module per sweep.

``answer(table)`` is one sentence and ``compare(table)`` a ``facts.Comparison``, both from
the rows alone. Where rows are missing they raise Absent or a LookupError: a table of other
settings need not answer. A sweep whose module in ``analysis`` has these two functions
needs none here.
"""
