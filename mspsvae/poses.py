"""`mspsvae.prepare.poses` under the name that it had before; scripts that prepare data still use it."""

import sys

from .prepare import poses

sys.modules[__name__] = poses
