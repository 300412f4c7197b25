"""The session in which a search on Spark Connect runs its jobs, beside the user's own."""

from __future__ import annotations

import atexit
import copy
from concurrent import futures
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue

from sparktuner.errors import SparkUnavailable
from sparktuner.execute._daemon_threads import DaemonThreadPool
from sparktuner.execute.spark._environment import ConnectClient, ConnectSession, connect_client

# pyspark's own policy goes on for ten minutes. A server that comes back has forgotten the
# session, so this need only outlast a hiccup of the network: about 20 s.
_RETRIES = 7
_LONGEST_PAUSE_MS = 5000
_LAST_WORDS = 5.0
# Where trials have not ended though they were cancelled, that there is no answer within about
# 4 s, or from a server that hangs within 10, is answer enough.
_FEW_RETRIES = 4
_LAST_QUESTION = 10.0


@dataclass(frozen=True)
class SearchSession:
    """A session in which one search runs its jobs.

    Attributes:
        session: where its jobs run.
        client: what its client can do.
        is_shared: the client is the user's own, so there is nothing to close.
        is_clone: what was shipped to it ends with it.
    """

    session: ConnectSession
    client: ConnectClient
    is_shared: bool
    is_clone: bool

    def close(self, server_is_gone: bool) -> None:
        """Ends the session if it is a clone, and the client if it is ours."""
        if self.is_shared:
            return
        client = self.session.client
        # Each client asks to be closed at exit, and would live as long.
        for name in self.client.exit_hooks:
            atexit.unregister(getattr(client, name))
        try:
            # client.close() waits for a server that is gone, in vain; in Spark 3.5, which knows
            # no release_session, it ends threads that all clients share.
            if server_is_gone or not self.client.releases_sessions:
                client._channel.close()
                return
            # What pyspark still has to tell of the trials would be an error afterwards, and in
            # the server's log.
            if self.client.tracks_releases:
                futures.wait(client._release_futures, timeout=_LAST_WORDS)
            # Not session.stop(), which would take a local server down with it.
            if self.is_clone:
                client.release_session()
            client.close()
        except Exception:  # the server is gone, and the session with it
            return


def answers(session: ConnectSession) -> bool:
    """Returns whether the server of a session answers within 10 s; does not raise."""
    said: SimpleQueue[bool] = SimpleQueue()

    def ask() -> None:
        try:
            require_answer(session, _FEW_RETRIES)
        except Exception:  # SparkUnavailable; a thread's border
            return
        said.put(True)

    asking = DaemonThreadPool("sparktuner-question")
    asking.submit(ask, max_workers=1)
    asking.shutdown(_LAST_QUESTION)
    return not said.empty()


def require_answer(session: ConnectSession, retries: int | None = None) -> None:
    """Checks that the server of a session answers.

    Args:
        session: the session.
        retries: how often it is asked again, later each time; None: for about 20 s.

    Raises:
        SparkUnavailable: it does not.
    """
    own = attach(session, retries)
    try:
        own.session.version  # noqa: B018 - this asks the server
    except Exception as error:  # pyspark's, grpc's
        said = str(error).split("\n", 1)[0]
        raise SparkUnavailable(
            f"The Spark Connect server does not answer ({said}). If it was restarted, or is "
            "another one now, make a new session, and give it to SparkTrials."
        ) from error
    finally:
        own.close(server_is_gone=True)  # there is nothing to tell it


def attach(session: ConnectSession, retries: int | None = None) -> SearchSession:
    """Returns the user's session seen through a client of our own.

    Spark's Python workers belong to a session: in this one they may be warm already, and stay
    so for the next search. A client of a platform's own kind may refuse, and is shared then.
    """
    client = connect_client(session)
    try:
        builder = copy.deepcopy(session.client._builder)
        if client.keeps_session_id:
            builder.set("session_id", session.client._session_id)
        else:
            builder.params["session_id"] = session.client._session_id
        own = _unfinalized(session.__class__)(builder, session.client._user_id)
        _give_up_early(own, client, retries)
    except Exception:  # whatever a platform's own kind of client raises
        return SearchSession(session, client, is_shared=True, is_clone=False)
    return SearchSession(own, client, is_shared=False, is_clone=False)


def clone(session: ConnectSession) -> SearchSession:
    """Returns a clone of the user's session, whose artifacts end with it.

    Before Spark 4.1, and where a server refuses, it is the user's session as :func:`attach`
    has it.
    """
    client = connect_client(session)
    if not client.clones_sessions:
        return attach(session)
    try:
        own = session.cloneSession()
        _give_up_early(own, client)
    except Exception:  # a server's refusal
        return attach(session)
    return SearchSession(own, client, is_shared=False, is_clone=True)


@lru_cache(maxsize=4)
def _unfinalized(kind: type) -> type:
    """Return this class of sessions without its finalizer, which closes the client.

    The garbage collector may call it inside of pyspark's own locks; in Spark 4.0 the process
    then waits for ever.
    """
    return type(kind.__name__, (kind,), {"__module__": kind.__module__, "__del__": _nothing})


def _nothing(session: ConnectSession) -> None:
    return


def _give_up_early(
    session: ConnectSession, client: ConnectClient, retries: int | None = None
) -> None:
    retries = _RETRIES if retries is None else retries
    if not client.has_retry_policies:
        limits = {"max_retries": retries, "max_backoff": _LONGEST_PAUSE_MS}
        session.client._retry_policy |= limits
        return
    from pyspark.sql.connect.client.retries import DefaultPolicy

    policy = DefaultPolicy(max_retries=retries, max_backoff=_LONGEST_PAUSE_MS)
    session.client.set_retry_policies([policy])
