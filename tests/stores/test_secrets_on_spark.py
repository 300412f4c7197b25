"""A password in a store's URL is in nothing that searches on Spark leave behind."""

from __future__ import annotations

import subprocess
import sys
import uuid

import pytest

from tests.servers.ferretdb import FerretDB
from tests.servers.postgres import PASSWORD, PostgresServer
from tests.servers.s3 import S3Server

IN_MONGO, IN_S3 = "hush-7d20", "MY-SECRET"


@pytest.fixture(scope="module")
def left(
    postgres: PostgresServer,
    mongo_server: FerretDB,
    s3: S3Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, bytes]:
    """What is in the files that such searches left, by their names."""
    folder = tmp_path_factory.mktemp("secrets")
    urls = [
        postgres.new_database(f"t{uuid.uuid4().hex}"),
        # FerretDB takes any user in this way.
        mongo_server.url.replace("//", f"//me:{IN_MONGO}@") + "/tuning?authMechanism=PLAIN",
        s3.url(f"bucket-{uuid.uuid4().hex}"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "tests.stores.secret_search", str(folder)],
        input="\n".join(urls),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    (folder / "stdout").write_text(done.stdout)
    (folder / "stderr").write_text(done.stderr)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.spark
@pytest.mark.parametrize("secret", [PASSWORD, IN_MONGO, IN_S3])
def test_no_file_has_a_password(secret: str, left: dict[str, bytes]) -> None:
    assert [name for name, content in left.items() if secret.encode() in content] == []


@pytest.mark.spark
def test_the_searches_have_left_what_was_looked_through(left: dict[str, bytes]) -> None:
    events = b"".join(content for name, content in left.items() if name.startswith("events/"))
    assert b"SparkListenerJobEnd" in events
    assert b"trial 0" in left["ui-jobs"]
    assert b"spark.eventLog.dir" in left["ui-environment"]
    assert b"password authentication failed" in left["wrong-password"]
    assert b"127.0.0.1:1" in left["gone"]
    for number in range(3):
        assert b"of the trial" in left[f"store-{number}/documents"]
        assert b"on purpose" in left[f"store-{number}/documents"]
    assert b"DEBUG" in left["python.log"]
