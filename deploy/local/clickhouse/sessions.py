"""Clients' sessions: what a client has set stays set until its session times out.

The engine's connections are not kept, so a session is the list of its SET statements and its database, and each of its
requests begins by repeating them. Temporary tables would need a connection; they are refused.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from errors import BAD_ARGUMENTS, INVALID_SESSION_TIMEOUT, SESSION_IS_LOCKED, SESSION_NOT_FOUND, ServerError

DEFAULT_TIMEOUT = 60
MAX_TIMEOUT = 3600
MAX_SESSIONS = 10_000
MAX_STATEMENTS = 1_000


@dataclass
class Session:
    statements: list[str] = field(default_factory=list)
    database: str = ""
    expires: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, statement: str) -> None:
        if len(self.statements) >= MAX_STATEMENTS:
            raise ServerError(BAD_ARGUMENTS, f"A session takes {MAX_STATEMENTS} SET statements here, no more")
        self.statements.append(statement)


class Sessions:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: dict[tuple[str, str], Session] = {}

    @contextmanager
    def enter(self, user: str, name: str, timeout: str, check: bool) -> Iterator[Session]:
        """One request at a time is in a session; a second one is refused, as a server does."""
        seconds = _seconds(timeout)
        with self._lock:
            now = time.monotonic()
            for key in [key for key, session in self._all.items() if session.expires < now and not session.lock.locked()]:
                del self._all[key]
            session = self._all.get((user, name))
            if session is None:
                if check:
                    raise ServerError(SESSION_NOT_FOUND, f"Session {name} not found")
                if len(self._all) >= MAX_SESSIONS:
                    raise ServerError(BAD_ARGUMENTS, f"There are {MAX_SESSIONS} sessions already")
                session = self._all[user, name] = Session()
            if not session.lock.acquire(blocking=False):
                raise ServerError(SESSION_IS_LOCKED, f"Session {name} is locked by a concurrent client")
        try:
            yield session
        finally:
            session.expires = time.monotonic() + seconds
            session.lock.release()

    def leave(self, user: str, name: str) -> None:
        with self._lock:
            self._all.pop((user, name), None)


def _seconds(text: str) -> int:
    if not text:
        return DEFAULT_TIMEOUT
    if not (text.isascii() and text.isdigit()):
        raise ServerError(INVALID_SESSION_TIMEOUT, f"Invalid session timeout: '{text}'")
    if int(text) > MAX_TIMEOUT:
        raise ServerError(INVALID_SESSION_TIMEOUT,
                          f"Session timeout '{text}' is larger than max_session_timeout: {MAX_TIMEOUT}")
    return int(text)
