"""The run folder, the contract between a search and its report, and where it is stored."""
