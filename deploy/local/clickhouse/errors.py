"""Errors as ClickHouse tells them: a code, a name, an HTTP status and one line of text."""

import re

CANNOT_DECOMPRESS = (271, "CANNOT_DECOMPRESS")
CHECKSUM_DOESNT_MATCH = (40, "CHECKSUM_DOESNT_MATCH")
NOT_IMPLEMENTED = (48, "NOT_IMPLEMENTED")
SYNTAX_ERROR = (62, "SYNTAX_ERROR")
READONLY = (164, "READONLY")
UNKNOWN_SETTING = (115, "UNKNOWN_SETTING")
BAD_ARGUMENTS = (36, "BAD_ARGUMENTS")
NOT_ENOUGH_SPACE = (243, "NOT_ENOUGH_SPACE")
SESSION_NOT_FOUND = (372, "SESSION_NOT_FOUND")
SESSION_IS_LOCKED = (373, "SESSION_IS_LOCKED")
INVALID_SESSION_TIMEOUT = (374, "INVALID_SESSION_TIMEOUT")
UNKNOWN_CODEC = (432, "UNKNOWN_CODEC")
ACCESS_DENIED = (497, "ACCESS_DENIED")
UNKNOWN_ROLE = (511, "UNKNOWN_ROLE")
AUTHENTICATION_FAILED = (516, "AUTHENTICATION_FAILED")
UNKNOWN_EXCEPTION = (1002, "UNKNOWN_EXCEPTION")

# The server's own table (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp); every other code is a 500.
_STATUSES = {
    400: (6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676),
    401: (194,),
    403: (192, 193, 497, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),
    411: (381,),
    413: (229,),
    415: (779,),
    501: (48,),
    503: (76, 209, 439),
}
_STATUS_OF = {code: status for status, codes in _STATUSES.items() for code in codes}

_ENGINE_ERROR = re.compile(r"Code: (\d+)\. DB::(?:Net|)Exception: ")
# How an INSERT's data gets to the engine is nothing to tell.
_OUR_FILE = re.compile(
    r" ?\(in file/uri /proc/self/fd/\d+\)|: While executing File(?=:|\Z)|: data for INSERT was parsed from file"
)
_TRAILER = re.compile(r"[\s.]*\((?:version [^()]*(?:\([^()]*\))?|[A-Z][A-Z0-9_]*)\)\s*\Z")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]*)\)[\s.]*(?:\(version [^()]*(?:\([^()]*\))?\)[\s.]*)?\Z")


class ServerError(Exception):
    """What a client is told. `closes` marks a request whose body can no longer be told from the next request."""

    def __init__(self, kind: tuple[int, str], message: str, *, closes: bool = False):
        super().__init__(message)
        self.code, self.name = kind
        self.message = message
        self.closes = closes

    @property
    def status(self) -> int:
        return _STATUS_OF.get(self.code, 500)

    def text(self, version: str) -> str:
        return f"Code: {self.code}. DB::Exception: {self.message}. ({self.name}) (version {version} (chdb build))\n"


def from_engine(error: Exception) -> ServerError:
    """The engine's errors are text, some wrapped several times, some with and some without the version."""
    text = str(error)
    found = _ENGINE_ERROR.search(text)
    if not found:
        return ServerError(UNKNOWN_EXCEPTION, text.rstrip(". \n") or type(error).__name__)
    named = _NAME.search(text.rstrip())
    text = text[found.end():]
    while again := _ENGINE_ERROR.match(text):
        text = text[again.end():]
    while trailer := _TRAILER.search(text):
        text = text[: trailer.start()]
    text = _OUR_FILE.sub("", text)
    return ServerError((int(found[1]), named[1] if named else "UNKNOWN_EXCEPTION"), text.rstrip(". \n"))
