"""Looks at a statement without understanding it: what kind it is, where its data begins, and what it may not reach.

The engine parses by itself. But as a library it runs several statements at once, mixes an INSERT's data with its text, and
lets a query read and write files as its process may; a server does none of that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from errors import ACCESS_DENIED, NOT_IMPLEMENTED, SYNTAX_ERROR, ServerError

_TOKEN = re.compile(
    rb"""(?P<space>(?:\s|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)+)
    |(?P<string>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
    |(?P<quoted>`(?:[^`\\]|\\.|``)*`|"(?:[^"\\]|\\.|"")*")
    |(?P<word>[A-Za-z_]\w*)
    |(?P<other>\d[\w.]*|.)""",
    re.VERBOSE | re.DOTALL,
)

# Of the engine's table functions, table engines and database engines, those that stay within the server.
SAFE_FUNCTIONS = frozenset(
    "SQLStandardValues cluster clusterAllReplicas dictionary format fuzzJSON generateRandom generateSeries "
    "generate_series input loop merge mergeTreeAnalyzeIndexes mergeTreeAnalyzeIndexesUUID mergeTreeCodecBlockCounts "
    "mergeTreeIndex mergeTreeProjection mergeTreeTextIndex null numbers numbers_mt primes values view viewExplain "
    "viewIfPermitted zeros zeros_mt".lower().split()
)
SAFE_ENGINES = frozenset(
    "AggregatingMergeTree CoalescingMergeTree CollapsingMergeTree GraphiteMergeTree MergeTree ReplacingMergeTree "
    "SummingMergeTree VersionedCollapsingMergeTree Alias Buffer Dictionary FuzzJSON GenerateRandom Join Log Loop "
    "MaterializedView Memory Merge Null Set StripeLog TinyLog View Atomic Ordinary "
    # These are refused by the engine, with a better message.
    "Replicated ReplicatedMergeTree".lower().split()
)
# Sources of dictionaries, and functions that are not table functions.
_ALSO_UNSAFE = frozenset({"http", "executable", "file", "disk", "url", "s3", "redis", "odbc", "clickhouse"})

_BEFORE_TABLE = frozenset({b"FROM", b"JOIN", b"INTO", b"TABLE", b"DESCRIBE", b"DESC", b"EXISTS"})
_AFTER_TABLES = frozenset({b"WHERE", b"PREWHERE", b"GROUP", b"ORDER", b"HAVING", b"LIMIT", b"SELECT", b"UNION", b"SETTINGS",
                           b"ON", b"USING", b"VALUES", b"WINDOW", b"QUALIFY"})


@dataclass(frozen=True)
class Token:
    kind: str
    text: bytes
    start: int
    end: int
    depth: int

    @property
    def word(self) -> bytes:
        """In capitals, and nothing for what is no word."""
        return self.text.upper() if self.kind == "word" else b""

    @property
    def name(self) -> str:
        return self.text.strip(b'`"').decode("utf-8", "replace").lower()


@dataclass(frozen=True)
class Statement:
    kind: str
    """The first word, in capitals: empty for an empty text."""
    text: bytes
    """Without a semicolon at the end and, for an INSERT with data, without its settings, FORMAT and what follows."""
    format: str | None
    """What its FORMAT says, or VALUES."""
    data: bytes | None
    """Of an INSERT that is followed by data: the data that is in the text. None for any other statement."""
    settings: bytes = b""
    """Of an INSERT that is followed by data: its SETTINGS."""

    def reading(self, path: str) -> "Statement":
        """The INSERT, with its data in a file instead."""
        source = f"\nFROM INFILE '{path}' COMPRESSION 'none'\n".encode()
        text = self.text + source + self.settings + f"\nFORMAT {self.format}".encode()
        return replace(self, text=text, data=None, settings=b"")


class Guard:
    """Refuses what reaches out of the server, as a server would with its files folder and its grants."""

    def __init__(self, functions: frozenset[str] = frozenset(), engines: frozenset[str] = frozenset()):
        self._functions = (functions - SAFE_FUNCTIONS) | _ALSO_UNSAFE
        self._engines = engines - SAFE_ENGINES

    def check(self, tokens: list[Token]) -> None:
        """Raises for a function, an engine or a path that is out of reach."""
        in_tables: set[int] = set()
        for index, token in enumerate(tokens):
            before = tokens[index - 1] if index else None
            after = tokens[index + 1].text if index + 1 < len(tokens) else b""
            if token.kind in ("word", "quoted"):
                is_table = before and before.word == b"INTO"
                if after == b"(" and token.name in self._functions and not is_table:
                    raise _refused(token)
                if before and self._is_engine(tokens, index) and token.name in self._engines:
                    raise _refused(token)
                if token.word in (b"INFILE", b"OUTFILE") and before and before.word in (b"FROM", b"INTO"):
                    raise _refused(token)
            if token.word in _BEFORE_TABLE:
                in_tables.add(token.depth)
            elif token.word in _AFTER_TABLES or token.text == b")":
                in_tables.discard(token.depth + (token.text == b")"))
            is_place = before and (before.word in _BEFORE_TABLE or before.text == b"."
                                   or before.text == b"," and token.depth in in_tables)
            if is_place and token.kind in ("string", "quoted") and (token.text[1:2] in b"/~\\" or b".." in token.text):
                raise _refused(token)

    @staticmethod
    def _is_engine(tokens: list[Token], index: int) -> bool:
        before = tokens[index - 1]
        return before.word == b"ENGINE" or (before.text == b"=" and index > 1 and tokens[index - 2].word == b"ENGINE")


def _refused(token: Token) -> ServerError:
    text = token.text.decode("utf-8", "replace")
    return ServerError(ACCESS_DENIED, f"Not enough privileges: {text} reaches out of the server, which is not allowed here")


def tokens(text: bytes, start: int = 0) -> Iterator[Token]:
    """Without space and comments."""
    depth = 0
    while start < len(text):
        found = _TOKEN.match(text, start)
        assert found, "the last alternative takes anything"
        start = found.end()
        kind = found.lastgroup if found.lastgroup != "tag" else "string"
        if kind == "space":
            continue
        if found[0] in b")]}":
            depth -= 1
        yield Token(kind or "other", found[0], found.start(), start, depth)
        if found[0] in b"([{":
            depth += 1


def read(text: bytes, guard: Guard) -> Statement:
    """Raises `ServerError` for several statements and for what the guard refuses."""
    seen: list[Token] = []
    source = tokens(text)
    for token in source:
        if token.text == b";" and token.depth == 0:
            rest = next(source, None)
            while rest and rest.text == b";":
                rest = next(source, None)
            if rest:
                raise _several(text, token)
            text = text[: token.start]
            break
        seen.append(token)
        if seen[0].word == b"INSERT" and token.depth == 0 and _begins_data(seen):
            guard.check(seen)
            return _insert(text, seen, next(source, None) if token.word == b"FORMAT" else None)
    guard.check(seen)
    kind = next((token.word.decode() for token in seen if token.text != b"("), "")
    if kind == "CREATE" and any(token.word in (b"TEMPORARY", b"TEMP") for token in seen[1:4]):
        raise ServerError(NOT_IMPLEMENTED, "Temporary tables are not supported by this server: it keeps no connection")
    return Statement(kind, text, _format(seen), None)


def _begins_data(seen: list[Token]) -> bool:
    """Whether the last token is the VALUES or FORMAT after which the data comes: not a table or a column of that name."""
    last, before = seen[-1], seen[-2] if len(seen) > 1 else None
    if last.word not in (b"VALUES", b"FORMAT") or before is None:
        return False
    if _names_table(before):
        return False
    return not any(token.depth == 0 and token.word in (b"SELECT", b"WITH", b"FROM", b"WATCH") for token in seen[2:])


def _names_table(before: Token) -> bool:
    """Whether what comes next is a name, even if it looks like a keyword."""
    return before.word in (b"INSERT", b"INTO", b"TABLE", b"FUNCTION") or before.text == b"."


def _insert(text: bytes, seen: list[Token], name: Token | None) -> Statement:
    keyword = seen[-1]
    at = next((token.start for before, token in zip(seen[1:], seen[2:])
               if token.depth == 0 and token.word == b"SETTINGS" and not _names_table(before)), keyword.start)
    head, settings = text[:at], text[at: keyword.start]
    if keyword.word == b"VALUES":
        return Statement("INSERT", head, "Values", text[keyword.end:], settings)
    if name is None or name.kind != "word":
        raise ServerError(SYNTAX_ERROR, f"Syntax error: failed at position {keyword.end + 1}: the name of a format is expected")
    data = text[name.end:].lstrip(b" \t\f")
    if data.startswith(b";"):
        raise ServerError(SYNTAX_ERROR, "Syntax error: You have excessive ';' symbol before data for INSERT")
    for newline in (b"\r\n", b"\n"):
        if data.startswith(newline):
            data = data[len(newline):]
            break
    return Statement("INSERT", head, name.text.decode(), data, settings)


def _several(text: bytes, semicolon: Token) -> ServerError:
    rest = text[semicolon.start:semicolon.start + 80].decode("utf-8", "replace")
    return ServerError(SYNTAX_ERROR, "Syntax error (Multi-statements are not allowed): failed at position "
                       f"{semicolon.start + 1} (end of query): {rest}")


def _format(seen: list[Token]) -> str | None:
    """The format that a query names at its end, where only settings may follow."""
    for index in range(len(seen) - 2, 0, -1):
        token = seen[index]
        if token.depth == 0 and token.word == b"FORMAT" and seen[index + 1].kind == "word":
            follows = seen[index + 2].word if index + 2 < len(seen) else b"SETTINGS"
            return seen[index + 1].text.decode() if follows in (b"SETTINGS", b"INTO") else None
    return None
