"""A password in a store's URL is in no log, error or pickle."""

from __future__ import annotations

import logging
import traceback

import pytest

from sparktuner import Trials
from sparktuner.errors import StoreError

SECRET = "hush-5f1c"


@pytest.mark.parametrize(
    ("package", "url"),
    [
        ("psycopg", f"postgresql://me:{SECRET}@127.0.0.1:1/db"),
        ("pymongo", f"mongodb://me:{SECRET}@127.0.0.1:1/db"),
        (
            "obstore",
            "s3://bucket/folder?endpoint=http://127.0.0.1:1&access_key_id=me"
            f"&secret_access_key={SECRET}",
        ),
    ],
)
def test_a_dead_server_shows_no_password(
    package: str,
    url: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip(package)
    with caplog.at_level(logging.DEBUG), pytest.raises(StoreError) as error:
        Trials(store=url)
    # With the causes and contexts, as whoever logs an exception writes it.
    told = "".join(traceback.format_exception(error.value))
    assert SECRET not in told
    assert SECRET not in caplog.text
    assert SECRET not in "".join(capfd.readouterr())
