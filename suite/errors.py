"""Exceptions for requests that are wrong."""


class RequestError(Exception):
    """A request that cannot be carried out as it stands.

    The message is one sentence that says what is wrong, where, and how to correct it. The command line prints it
    without a traceback and exits with code 2.
    """


class UnfinishedError(RequestError):
    """A request that failed late. What was done is kept, and the request continues from there when repeated."""


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, at most 200 characters, or the name of its class."""
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]
