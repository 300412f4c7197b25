"""Servers for the tests of stores."""

from tests.servers.ferretdb import mongo_server, mongo_url  # noqa: F401
