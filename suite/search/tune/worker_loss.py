"""What happens to a trial whose worker process was lost, and why it was lost as far as Ray knows."""

#: A trial is restarted in another process at most this many times; after that it has failed.
RETRIES = 3


def why_lost(error: BaseException | None) -> str:
    """Return the cause in a few words, from the exception that Ray raised for the actor."""
    text = f"{type(error).__name__}: {error}".lower()
    if "out_of_memory" in text or "outofmemory" in text or "running low on memory" in text:
        return "ended by Ray because its node had hardly any memory left"
    if "node has died" in text or "nodedied" in text or "node was terminated" in text:
        return "its node left the cluster"
    return "killed, perhaps by the system because memory ran out"
