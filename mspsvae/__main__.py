"""`python -m mspsvae` does what the command `mspsvae` does."""

from mspsvae.cli import main

if __name__ == '__main__':
    raise SystemExit(main())
