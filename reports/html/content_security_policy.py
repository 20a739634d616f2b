"""The page's Content-Security-Policy: its own scripts and styles by their hashes, and nothing else."""

import base64
import hashlib
import re
from collections.abc import Sequence


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """What the meta tag says: no request to anywhere, no script and no style but these.

    Args:
        scripts: the texts between the tags of the scripts that run.
        styles: the same of the style elements. An empty one is allowed besides: plotly fills it.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, [*styles, '']))}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def plotly_style_ids(plotly: str) -> list[str]:
    """Ids of the style elements that plotly.js looks for before it makes elements of its own.

    What it would make is no style of ours and is refused. Where an empty one is there, it adds its rules one by
    one, which the policy lets scripts do.
    """
    return list(
        dict.fromkeys(["plotly.js-style-global", *re.findall(r'getElementById\("([0-9a-f]{64})"\)', plotly)])
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"
