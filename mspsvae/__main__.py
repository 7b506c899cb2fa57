"""`python -m mspsvae` does what the command `mspsvae` does."""
import sys

from mspsvae.cli import main

if __name__ == '__main__': sys.exit(main())
