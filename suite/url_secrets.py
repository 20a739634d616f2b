"""Keys and passwords inside URLs, which logs, job files and run folders would show.

The text may be a search file that somebody else wrote, so that every search takes time in proportion to its length.
"""

import re

#: A user name or a password before the host, as in ``https://user:password@host``. A key of S3 may contain slashes, so
#: what follows a colon is looked at up to the next ``@``.
USER_INFO = re.compile(r"[A-Za-z0-9+.-]://(?:[^/?#]*@|[^/?#:@\[]+:(?![\d]+(?:[/?#]|$))[^@]*@)")
#: The user name of SSH, as in ``git+ssh://git@host``: its keys are never part of a URL, unlike the tokens of HTTPS.
SSH_USER = re.compile(r"ssh://[\w.-]+@", re.IGNORECASE)
#: No bucket has a colon in its name.
BUCKET_WITH_COLON = re.compile(r"s3://[^/?#]*:")
#: The name of a parameter of a URL.
PARAMETER = re.compile(r"[?&]([\w-]+)=")
#: Parts of the names of parameters that are keys, as those of a presigned URL.
KEYS = re.compile("secret|password|passwd|token|credential|signature|access_?key", re.IGNORECASE)
#: The beginning of a parameter in what stands between two ``&``.
FIRST_PARAMETER, NEXT_PARAMETER = re.compile(r"\?\w+="), re.compile(r"(?:^|\?)\w+=")


def has_secret(text: str) -> bool:
    """Whether a text contains a URL with a key or a password in it."""
    words = SSH_USER.sub("ssh://", text).split()
    return any(_is_secret(word) for word in words if "://" in word)


def _is_secret(word: str) -> bool:
    if BUCKET_WITH_COLON.search(word) or USER_INFO.search(word[: word.rfind("@") + 1]):
        return True
    behind = word.partition("://")[2]
    return any(KEYS.search(name) for name in PARAMETER.findall(behind)) or _names_a_user(behind)


def _names_a_user(behind: str) -> bool:
    """Whether a parameter is a host with a user and a password before it."""
    first, *others = behind.split("&")
    starts = [FIRST_PARAMETER.search(first), *map(NEXT_PARAMETER.search, others)]
    return any(
        start is not None and "@" in part[start.end() :]
        for part, start in zip((first, *others), starts, strict=True)
    )
