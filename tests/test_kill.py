"""A few real kills in every run of the tests; `stress_kill.py` makes as many as one likes.

python tests/test_kill.py
"""

import stress_kill

assert stress_kill.stress(kills=3, seed=2, epochs=80), 'no kill met a running fit; choose another seed'
