"""Command lines of ``suite`` that messages suggest: whatever a folder is called, they can be pasted into a shell."""

import shlex


def command(*words: object) -> str:
    """Return a command line of ``suite``, each word quoted where a shell needs it: ``suite resume 'my run'``."""
    return shlex.join(["suite", *map(str, words)])
