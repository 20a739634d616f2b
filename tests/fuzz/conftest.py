"""The picture of the miniature data sets."""

from tests.data.conftest import photo as photo
