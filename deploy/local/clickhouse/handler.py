"""ClickHouse's HTTP interface: what of it the clients use (https://clickhouse.com/docs/en/interfaces/http)."""

import base64
import binascii
import hmac
import json
import sys
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import statement as statements
import wire
from engine import Answer, Call
from errors import (
    ACCESS_DENIED, AUTHENTICATION_FAILED, BAD_ARGUMENTS, SYNTAX_ERROR, UNKNOWN_EXCEPTION, UNKNOWN_ROLE, ServerError,
)

if TYPE_CHECKING:
    from server import Server

# Parameters that are no settings.
RESERVED = frozenset({
    "query", "compress", "decompress", "user", "password", "quota_key", "query_id", "stacktrace", "role", "buffer_size",
    "wait_end_of_query", "session_id", "session_timeout", "session_check", "close_session", "client_protocol_version",
    "database", "default_format",
})
MAX_QUERY = 256 << 10
"""Of a statement without its data, unless `max_query_size` says otherwise."""
MAX_QUERY_EVER = 64 << 20
MAX_FORM = 16 << 20
DRAIN = 16 << 20
"""How much of a body that nobody needs is read, so that its sender comes to read the answer."""
CONTENT_TYPES = (
    (("JSON",), "application/json; charset=UTF-8"),
    (("CSV",), "text/csv; charset=UTF-8"),
    (("TabSeparated", "TSV"), "text/tab-separated-values; charset=UTF-8"),
    (("RowBinary", "Native", "Parquet", "Arrow", "ORC", "Avro", "MsgPack"), "application/octet-stream"),
    (("XML",), "application/xml; charset=UTF-8"),
)


@dataclass(frozen=True)
class User:
    name: str
    password: str
    readonly: int


class Handler(BaseHTTPRequestHandler):
    server: "Server"  # type: ignore[assignment]
    protocol_version = "HTTP/1.1"
    server_version = "ClickHouse"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = 1 << 16
    # How long a connection may be idle, and how long a client may take for its next piece.
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.query_id = ""
        self._body: Iterator[bytes] = iter(())

    def do_GET(self) -> None:
        self._handle(is_get=True)

    def do_HEAD(self) -> None:
        self._handle(is_get=True)

    def do_POST(self) -> None:
        self._handle(is_get=False)

    def _handle(self, is_get: bool) -> None:
        self.query_id = ""
        self._body = iter(())
        with self.server.busy():
            try:
                self._refuse_pages()
                self._body = wire.body(self.rfile, self.headers)
                self._route(is_get)
                self._drain()
            except ServerError as error:
                self._fail(error)
            except (wire.Gone, ConnectionError, TimeoutError):
                self.close_connection = True
            except Exception as error:  # a mistake of ours, which the client is told of, and the log
                self._report(f"{self.query_id}: {error!r}")
                self._fail(ServerError(UNKNOWN_EXCEPTION, f"{type(error).__name__}: {error}", closes=True))
            if self.server.is_stopping:
                self.close_connection = True

    def _refuse_pages(self) -> None:
        """A page in a browser on this machine could send requests here, or read answers through a name that leads here."""
        host = (self.headers.get("Host") or "127.0.0.1").lower()
        name = host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
        if name not in ("127.0.0.1", "localhost", "[::1]") or "Origin" in self.headers:
            raise ServerError(ACCESS_DENIED, "This server is for programs on this machine, not for pages in a browser",
                              closes=True)

    def _route(self, is_get: bool) -> None:
        url = urlsplit(self.path)
        if url.path in ("/ping", "/replicas_status"):
            return self._send(200, [b"Ok.\n"], {"Content-Type": "text/html; charset=UTF-8"})
        if url.path not in ("/", ""):
            text = f"There is no handle {url.path}\n\nUse / or /ping for health checks.\nSend queries from your program " \
                   "with POST method or GET /?query=...\n"
            return self._send(404, [text.encode()], {"Content-Type": "text/plain; charset=UTF-8"})
        pairs = parse_qsl(url.query, keep_blank_values=True, errors="surrogateescape")
        if is_get and not any(name == "query" for name, _ in pairs) and self.headers.get("Content-Length", "0") == "0":
            return self._send(200, [b"Ok.\n"], {"Content-Type": "text/html; charset=UTF-8"})
        self._query(pairs, is_get)

    def _query(self, pairs: list[tuple[str, str]], is_get: bool) -> None:
        rest = wire.decoded(self._body, self.headers.get("Content-Encoding") or "")
        given = dict(pairs)
        if given.get("decompress") == "1":
            rest = wire.unblocked(rest)
        if (self.headers.get("Content-Type") or "").lower().startswith("multipart/form-data"):
            fields = wire.form(_whole(rest, MAX_FORM), self.headers["Content-Type"])
            pairs = pairs + list(fields.items())
            given |= fields
            rest = iter(())
        self.query_id = given.get("query_id") or str(uuid.uuid4())
        user = self._authenticate(given)
        if given.get("role"):
            raise ServerError(UNKNOWN_ROLE, f"Role {given['role']} doesn't exist")
        statement, rest = self._statement(pairs, given, rest)
        call = self._call(given, user, is_get)
        if any(value.startswith(("/", "~")) for value in call.parameters.values()) and b"dentifier" in statement.text:
            raise ServerError(ACCESS_DENIED, "A parameter names a file, which is not allowed here")
        answer = self._run(statement, call, rest, given, user)
        self._answer(answer, "" if statement.data is not None else statement.format or call.format, given)

    def _header(self, name: str) -> str | None:
        """Clients send UTF-8, and Python reads every byte as a character of its own."""
        value = self.headers.get(name)
        return None if value is None else value.encode("latin-1", "replace").decode("utf-8", "replace")

    def _authenticate(self, given: dict[str, str]) -> User:
        name, password = self._header("X-ClickHouse-User"), self._header("X-ClickHouse-Key")
        basic = self.headers.get("Authorization") or ""
        if name is None and password is None:
            name, password = given.get("user"), given.get("password")
            if basic[:6].lower() == "basic ":
                try:
                    text = base64.b64decode(basic[6:], validate=True).decode()
                except (binascii.Error, UnicodeDecodeError):
                    text = ""
                name, _, password = text.partition(":")
        name = name or "default"
        user = self.server.users.get(name)
        if user is None or not hmac.compare_digest(user.password.encode(), (password or "").encode("utf-8", "replace")):
            raise ServerError(AUTHENTICATION_FAILED, f"{name}: Authentication failed: password is incorrect, or there is no "
                                                     "user with such name")
        return user

    def _statement(self, pairs: list[tuple[str, str]], given: dict[str, str],
                   rest: Iterator[bytes]) -> tuple[statements.Statement, Iterator[bytes]]:
        """The query's text is what the URL says, a new line, and the body, whose rest may be data."""
        guard = self.server.engine.guard
        text = "\n".join(value for name, value in pairs if name == "query").encode("utf-8", "surrogateescape")
        limit = min(int(size), MAX_QUERY_EVER) if (size := given.get("max_query_size", "")).isdigit() else MAX_QUERY
        if text.strip():
            statement = statements.read(text, guard)
            if statement.data is not None:
                return statement, rest
            text += b"\n"
        for piece in rest:
            text += piece
            if len(text) > limit:
                break
        statement = statements.read(text, guard)
        if statement.data is not None:
            return statement, rest
        if len(text) > limit:
            raise ServerError(SYNTAX_ERROR, f"Syntax error: failed at position {limit}: Max query size exceeded (can be "
                                            "increased with the `max_query_size` setting)", closes=True)
        if not statement.kind:
            raise ServerError(SYNTAX_ERROR, "Syntax error: failed at position 1 (end of query): Empty query")
        return statement, rest

    @staticmethod
    def _call(given: dict[str, str], user: User, is_get: bool) -> Call:
        return Call(
            database=given.get("database", ""),
            readonly=user.readonly or (2 if is_get else 0),
            settings={name: value for name, value in given.items()
                      if name not in RESERVED and not name.startswith("param_")},
            parameters={name: value for name, value in given.items() if name.startswith("param_")},
            format=given.get("default_format") or "TabSeparated",
        )

    def _run(self, statement: statements.Statement, call: Call, rest: Iterable[bytes], given: dict[str, str],
             user: User) -> Answer:
        engine = self.server.engine
        name = given.get("session_id", "")
        if not name:
            return engine.run(statement, call, rest)
        sessions = self.server.sessions
        with sessions.enter(user.name, name, given.get("session_timeout", ""), given.get("session_check") == "1") as session:
            call.replay = session.statements
            call.database = call.database or session.database
            if statement.kind == "USE":
                session.database = engine.database_after(statement, call)
                answer = Answer(memoryview(b""), {})
            else:
                answer = engine.run(statement, call, rest)
                if statement.kind == "SET":
                    session.remember(statement.text.decode("utf-8", "surrogateescape"))
        if given.get("close_session") == "1":
            sessions.leave(user.name, name)
        return answer

    def _answer(self, answer: Answer, format: str, given: dict[str, str]) -> None:
        names = ("read_rows", "read_bytes", "written_rows", "written_bytes", "total_rows_to_read", "result_rows",
                 "result_bytes", "elapsed_ns", "memory_usage")
        headers = {
            # Nothing for an INSERT, whose format is that of its data.
            "X-ClickHouse-Format": format,
            "Content-Type": next((kind for starts, kind in CONTENT_TYPES if format.startswith(starts)),
                                 "text/plain; charset=UTF-8"),
            "X-ClickHouse-Summary": json.dumps({name: str(answer.summary.get(name, 0)) for name in names},
                                               separators=(",", ":")),
        }
        data: Iterable[bytes | memoryview] = [answer.data]
        if len(answer.data):
            encoding = wire.accepted(self.headers.get("Accept-Encoding") or "")
            if given.get("compress") == "1":
                data = wire.blocked(answer.data)
            elif encoding and given.get("enable_http_compression", "1") not in ("0", "false"):
                headers["Content-Encoding"] = encoding
                data = wire.encoded(answer.data, encoding)
        self._send(200, data, headers)

    def _fail(self, error: ServerError) -> None:
        if error.status >= 500:
            self._report(f"{self.query_id}: {error.text(self.server.engine.version).rstrip()}")
        try:
            if error.closes:
                self.close_connection = True
            else:
                self._drain()
            headers = {"Content-Type": "text/plain; charset=UTF-8", "X-ClickHouse-Exception-Code": str(error.code)}
            if error.status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
            text = error.text(self.server.engine.version)
            self._send(error.status, [text.encode("utf-8", "surrogateescape")], headers)
        except (wire.Gone, ServerError, OSError):
            self.close_connection = True

    def _drain(self) -> None:
        """Reads what is left of the body; a long one is left, and the connection ends with the answer."""
        left = DRAIN
        for piece in self._body:
            left -= len(piece)
            if left < 0:
                self.close_connection = True
                return

    def _send(self, status: int, pieces: Iterable[bytes | memoryview], headers: dict[str, str]) -> None:
        pieces = list(pieces)
        self.send_response(status)
        headers |= {
            "Content-Length": str(sum(map(len, pieces))),
            "X-ClickHouse-Server-Display-Name": self.server.display_name,
            "X-ClickHouse-Query-Id": self.query_id,
            "X-ClickHouse-Timezone": self.server.engine.timezone,
            "Connection": "close" if self.close_connection or self.server.is_stopping else "Keep-Alive",
        }
        if headers["Connection"] == "Keep-Alive":
            headers["Keep-Alive"] = f"timeout={self.timeout}"
        for name, value in headers.items():
            if value:
                self.send_header(name, value.replace("\r", " ").replace("\n", " "))
        self.end_headers()
        if self.command != "HEAD":
            for piece in pieces:
                self.wfile.write(piece)
        self.wfile.flush()

    def send_response(self, code: int, message: str | None = None) -> None:
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    @staticmethod
    def _report(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing for what went well and for clients that went away: a log must not grow with the traffic."""


def _whole(pieces: Iterable[bytes], limit: int) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > limit:
            raise ServerError(BAD_ARGUMENTS, f"A form of more than {limit} bytes is not accepted", closes=True)
    return bytes(data)
