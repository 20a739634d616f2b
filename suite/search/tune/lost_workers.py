"""Why a trial's process was lost, as far as Ray knows."""

#: A trial whose process is lost is gone on with by another so many times; after that it has failed.
RETRIES = 3


def why_lost(error: BaseException | None) -> str:
    """In a few words, from what Ray raised for the actor."""
    text = f"{type(error).__name__}: {error}".lower()
    if "out_of_memory" in text or "outofmemory" in text or "running low on memory" in text:
        return "ended by Ray because its node had hardly any memory left"
    if "node has died" in text or "nodedied" in text or "node was terminated" in text:
        return "its node left the cluster"
    return "killed, perhaps by the system because memory ran out"
