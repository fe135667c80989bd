"""ClickHouse's engine, as a library in this process: runs one statement at a time for each request.

Each request has a connection of its own, which costs a quarter of a millisecond: after an error the rest of an answer can
appear in the next one on the same connection.
"""

import errno
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chdb.state.sqlitelike import Connection

from errors import NOT_ENOUGH_SPACE, SYNTAX_ERROR, UNKNOWN_SETTING, ServerError, from_engine
from statement import Guard, Statement

_SETTING = re.compile(r"[A-Za-z_][\w.]*\Z", re.ASCII)
_PARAMETER = re.compile(r"param_[A-Za-z_]\w*\Z", re.ASCII)
_BUFFER = 1 << 20


@dataclass
class Call:
    """What a statement runs with, in the order in which it is set."""

    database: str = ""
    replay: list[str] = field(default_factory=list)
    """Statements that a client's session has made before."""
    readonly: int = 0
    settings: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    format: str = "TabSeparated"


@dataclass
class Answer:
    data: memoryview
    summary: dict[str, int]
    _keeps: Any = None
    """What the data lies in."""


class Engine:
    """Raises `ServerError` for whatever the engine refuses."""

    def __init__(self, folder: Path):
        self._folder = str(folder)
        # As long as one connection is open, the engine runs.
        self._keeper = Connection(self._folder)
        self.version = self._text("SELECT version()")
        self.timezone = self._text("SELECT timezone()")
        functions = self._names("SELECT lower(name) FROM system.table_functions")
        engines = self._names(
            "SELECT lower(name) FROM system.table_engines UNION ALL SELECT lower(name) FROM system.database_engines"
        )
        self.guard = Guard(functions, engines)

    def close(self) -> None:
        self._keeper.close()

    def _text(self, query: str) -> str:
        return self._keeper.query(query, "TSVRaw").bytes().decode().strip()

    def _names(self, query: str) -> frozenset[str]:
        return frozenset(self._text(query).split())

    def run(self, statement: Statement, call: Call, rest: Iterable[bytes]) -> Answer:
        """`rest` is what follows the statement's text in the request: an INSERT's data."""
        connection = Connection(self._folder)
        try:
            _prepare(connection, call)
            if statement.data is None:
                return _query(connection, statement, call)
            return _insert(connection, statement, call, rest, self._folder)
        finally:
            connection.close()

    def database_after(self, statement: Statement, call: Call) -> str:
        """The database that a session is in after a USE."""
        connection = Connection(self._folder)
        try:
            _prepare(connection, call)
            _do(connection, statement.text.decode("utf-8", "surrogateescape"))
            return connection.query("SELECT currentDatabase()", "TSVRaw").bytes().decode().strip("\n")
        finally:
            connection.close()


def _prepare(connection: Connection, call: Call) -> None:
    # As a server, which takes no bare expression for a query.
    _do(connection, "SET implicit_select = 0")
    for text in call.replay:
        _do(connection, text)
    if call.database:
        _do(connection, f"USE {identifier(call.database)}")
    if call.readonly:
        _do(connection, f"SET readonly = {call.readonly}")
    if call.settings:
        for name in call.settings:
            if not _SETTING.match(name):
                raise ServerError(UNKNOWN_SETTING, f"Unknown setting '{name}'")
        _do(connection, "SET " + ", ".join(f"{name} = {literal(value)}" for name, value in call.settings.items()))
    if call.parameters:
        for name in call.parameters:
            if not _PARAMETER.match(name):
                raise ServerError(SYNTAX_ERROR, f"Syntax error: '{name}' is no name of a query parameter")
        _do(connection, "SET " + ", ".join(f"{name} = {literal(value)}" for name, value in call.parameters.items()))


def _do(connection: Connection, text: str) -> Any:
    try:
        return connection.query(text, "TSV")
    except Exception as error:
        raise from_engine(error) from None


def _query(connection: Connection, statement: Statement, call: Call) -> Answer:
    try:
        result = connection.query(statement.text.decode("utf-8", "surrogateescape"), statement.format or call.format)
    except Exception as error:
        raise from_engine(error) from None
    summary = {
        "read_rows": result.storage_rows_read(),
        "read_bytes": result.storage_bytes_read(),
        "written_rows": result.rows_written(),
        "written_bytes": result.bytes_written(),
        "result_rows": result.rows_read(),
        "result_bytes": result.size(),
        "elapsed_ns": int(result.elapsed() * 1e9),
    }
    if result.size() == 0:
        return Answer(memoryview(b""), summary)
    wrapped = result.get_memview()
    return Answer(memoryview(wrapped.view()), summary, (result, wrapped))


def _insert(connection: Connection, statement: Statement, call: Call, rest: Iterable[bytes], folder: str) -> Answer:
    """The data goes through a file without a name, so that nothing is inserted before all of it has come.

    The engine has a call that takes data by pieces, but it loses what goes wrong while rows are written (a full disk, a
    violated constraint, a failing view) and reports success: an acknowledged row would not be there.
    """
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=_BUFFER) as file:
            file.write(statement.data or b"")
            for piece in rest:
                file.write(piece)
            file.flush()
            answer = _query(connection, statement.reading(f"/proc/self/fd/{file.fileno()}"), call)
            for unit in ("rows", "bytes"):
                answer.summary[f"read_{unit}"] = answer.summary[f"result_{unit}"] = answer.summary[f"written_{unit}"]
            return answer
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ServerError(NOT_ENOUGH_SPACE, "Cannot keep the data of an INSERT, not enough space") from None
        raise


def literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(text: str) -> str:
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"
