"""A search: a search space goes in, trained, confirmed and measured trials come out.

``engine`` is the entry, ``stages`` says what happens in which order. Only ``tune`` imports Ray Tune, and only
``study`` imports Optuna.
"""

import os

from suite.search.tune.token import token_mode

# Ray reads these while it is imported and started, so they are set before any module here can import it.
os.environ.update(token_mode())
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault(
    "TUNE_GLOBAL_CHECKPOINT_S", "86400"
)  # seconds between saves of a state that nothing reads
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # the run folder has its own tables
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # the driver handles Ctrl-C itself
