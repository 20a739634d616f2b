"""The page's Content-Security-Policy: it allows the page's own scripts and styles, by hash, and nothing else."""

import base64
import hashlib
import re
from collections.abc import Sequence


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Return a policy that allows no request, and no scripts or styles but these.

    Args:
        scripts: Texts of the script elements that run.
        styles: Texts of the style elements. An empty one is allowed as well, which plotly fills.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(map(_hash, scripts))}",
            f"style-src {' '.join(map(_hash, [*styles, '']))}",
            "img-src data:",
            "frame-src 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def plotly_style_ids(plotly: str) -> list[str]:
    """Return the ids of the style elements that plotly.js looks for before it creates its own.

    The policy refuses elements that plotly creates. Into an empty element with one of these ids it inserts its
    rules one by one, which the policy allows.
    """
    return list(
        dict.fromkeys(["plotly.js-style-global", *re.findall(r'getElementById\("([0-9a-f]{64})"\)', plotly)])
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode()}'"
