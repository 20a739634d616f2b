"""Numbers of bytes as people read them, for sentences about the space on a disk."""


def byte_count(count: float) -> str:
    """Write a number of bytes with a unit that leaves it readable: ``20 kB``, ``1.5 GB``."""
    for size, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count:.0f} bytes"
