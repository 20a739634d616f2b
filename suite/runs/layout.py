"""Names of the files and folders in a run folder that several modules use."""

#: The lock file of the driver at work in the run folder.
LOCK = ".lock"
#: The folder with the predictions of each tested training on single images, one file per training.
PREDICTIONS = "predictions"
#: The folder with the checkpoints of trials in progress.
CHECKPOINTS = "checkpoints"
#: The validation errors of slices of the elastic network.
SCORED = "scored.parquet"
#: The journal of Optuna's study.
STUDY_JOURNAL = "study.journal"
