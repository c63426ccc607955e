"""An editor, and the person at it: what MENDS says is done to the file that is opened last."""

import os
import sys

sys.argv = [sys.argv[0], sys.argv[-1]]
exec(os.environ["MENDS"])  # noqa: S102 - a test's own words
