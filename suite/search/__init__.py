"""The only room that imports ray or optuna: a search space goes in, finished trials come out."""

import os

from suite.search.tune.token import token_mode

# Ray reads these while it is imported and started; this comes before whatever module of the room imports it.
os.environ.update(token_mode())
os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "86400")  # of Tune's own state, which nothing reads
os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # the run folder has its own tables
os.environ.setdefault("TUNE_DISABLE_SIGINT_HANDLER", "1")  # Ctrl-C is the driver's to handle
