"""Some broken files for each reader in every run of the tests, always the same ones; `fuzz_readers.py`
makes as many as one likes.

python tests/test_fuzz.py
"""

import fuzz_readers

fuzz_readers.main(15)
