"""`mspsvae.prepare.video` under the name that it had before; scripts that prepare data still use it."""

import sys

from .prepare import video

sys.modules[__name__] = video
