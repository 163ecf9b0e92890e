"""What every test shares: how hypothesis searches.

On a developer's machine each run draws new cases. In continuous integration (CI is set) the draws are fixed, so that a red run
means that a change broke something. No run asserts how long an example takes.
"""

import os

from hypothesis import settings

# A developer's own models and keys are no part of any test.
os.environ["COUNCIL_ENV_FILE"] = ""
os.environ.pop("COUNCIL_MODELS", None)
os.environ.pop("COUNCIL_CASSETTE", None)

settings.register_profile("search", deadline=None)
settings.register_profile("fixed", deadline=None, derandomize=True)
settings.load_profile("fixed" if os.environ.get("CI") else "search")
