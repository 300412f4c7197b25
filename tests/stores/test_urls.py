"""What is shown of a store's URL."""

from __future__ import annotations

import pytest

from sparktuner.stores import shown


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite:///tuning.db", "sqlite:///tuning.db"),
        ("sqlite:////data/tuning.db?lease=3", "sqlite:////data/tuning.db?lease=3"),
        ("postgresql://host:5432/db", "postgresql://host:5432/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql://me:pw@host:5432/db", "postgresql://me:***@host:5432/db"),
        ("postgresql://me:p/w@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p?w#@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:p@w:@host/db", "postgresql://me:***@host/db"),
        ("postgresql://me:[w@host/db", "postgresql://me:***@host/db"),
        ("postgresql://:pw@host/db", "postgresql://:***@host/db"),
        ("postgresql://h/db?user=me&password=pw", "postgresql://h/db?user=me&password=***"),
        ("s3://bucket/a@b:c@d", "s3://bucket/a@b:c@d"),
        (
            "s3://b/f?aws_secret_access_key=x&region=y",
            "s3://b/f?aws_secret_access_key=***&region=y",
        ),
        ("no url", "no url"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, expected: str) -> None:
    assert shown(url) == expected
