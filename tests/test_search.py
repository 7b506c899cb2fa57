"""Workers of a small search killed in every run of the tests; `stress_search.py` does it at any size.

python tests/test_search.py
"""

import stress_search

# twice all workers: on a busy machine one moment may fall between two fits
assert stress_search.stress(wide=1, kills=2, seed=1, epochs=8), (
    'no kill met a running fit; choose another seed'
)
