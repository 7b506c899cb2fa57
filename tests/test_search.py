"""Workers of a small search killed in every run of the tests; `stress_search.py` does it at any size.

python tests/test_search.py
"""

import stress_search

assert stress_search.stress(wide=1, kills=1, seed=1, epochs=8), (
    'no kill met a running fit; choose another seed'
)
