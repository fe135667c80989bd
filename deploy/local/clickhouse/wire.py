"""Bodies on the wire: HTTP framing and encodings, and the blocks in which ClickHouse itself compresses.

Everything that is read comes as an iterator of pieces, so that no body is ever whole in memory.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from email.message import Message
from io import BufferedIOBase

import lz4.block
import lz4.frame
from clickhouse_cityhash.cityhash import CityHash128

from errors import BAD_ARGUMENTS, CANNOT_DECOMPRESS, CHECKSUM_DOESNT_MATCH, NOT_IMPLEMENTED, UNKNOWN_CODEC, ServerError

PIECE = 1 << 20
# Clients make blocks of 1 MiB or less; this only keeps a wrong header from asking for gigabytes.
MAX_BLOCK = 128 << 20
_CHECKSUM = struct.Struct("<QQ")
_HEADER = struct.Struct("<BII")
_NONE, _LZ4 = 0x02, 0x82
_LOW = (1 << 64) - 1


class Gone(Exception):
    """The client went away in the middle of its body: nobody is left to tell, and nothing may be kept."""


def body(stream: BufferedIOBase, headers: Message) -> Iterator[bytes]:
    """The pieces of a request's body. It ends in `Gone` if the connection does before the body."""
    if "chunked" in (headers.get("Transfer-Encoding") or "").lower():
        return _chunked(stream)
    length = headers.get("Content-Length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise ServerError(BAD_ARGUMENTS, f"Invalid Content-Length: '{length}'", closes=True)
    return _exactly(stream, int(length))


def _exactly(stream: BufferedIOBase, left: int) -> Iterator[bytes]:
    while left:
        piece = stream.read(min(left, PIECE))
        if not piece:
            raise Gone
        left -= len(piece)
        yield piece


def _chunked(stream: BufferedIOBase) -> Iterator[bytes]:
    while True:
        line = _line(stream)
        try:
            size = int(line.split(b";", 1)[0].strip(), 16)
        except ValueError:
            size = -1
        if size < 0:
            raise ServerError(BAD_ARGUMENTS, "Invalid size of a chunk", closes=True)
        if size == 0:
            while _line(stream).strip():  # trailers
                pass
            return
        yield from _exactly(stream, size)
        if _line(stream).strip():
            raise ServerError(BAD_ARGUMENTS, "A chunk is longer than its size", closes=True)


def _line(stream: BufferedIOBase) -> bytes:
    line = stream.readline(65537)
    if not line.endswith(b"\n"):
        raise Gone
    return line


def decoded(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Undoes a Content-Encoding."""
    match encoding.strip().lower():
        case "" | "identity":
            return pieces
        case "gzip" | "x-gzip":
            return _inflated(pieces, 31)
        case "deflate":
            return _inflated(pieces, 15)
        case "lz4":
            return _unframed(pieces)
        case other:
            raise ServerError(NOT_IMPLEMENTED, f"Unknown compression method: {other} (here: lz4, gzip, deflate)")


def _inflated(pieces: Iterator[bytes], window: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(window)
    try:
        for piece in pieces:
            while piece:
                if inflater.eof:  # gzip may be several members
                    inflater = zlib.decompressobj(window)
                if data := inflater.decompress(piece, PIECE):
                    yield data
                piece = inflater.unconsumed_tail or inflater.unused_data
        while data := inflater.decompress(inflater.unconsumed_tail, PIECE):
            yield data
    except zlib.error as error:
        raise ServerError(CANNOT_DECOMPRESS, f"Cannot decompress the body: {error}") from error
    if not inflater.eof:
        raise ServerError(CANNOT_DECOMPRESS, "Cannot decompress the body: it ends too early")


def _unframed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decoder = lz4.frame.LZ4FrameDecompressor()
    try:
        for piece in pieces:
            while piece:
                if decoder.eof:  # several frames may follow each other
                    decoder = lz4.frame.LZ4FrameDecompressor()
                if data := decoder.decompress(piece):
                    yield data
                piece = decoder.unused_data or b"" if decoder.eof else b""
    except RuntimeError as error:
        raise ServerError(CANNOT_DECOMPRESS, f"Cannot decompress the body: {error}") from error
    if not decoder.eof:
        raise ServerError(CANNOT_DECOMPRESS, "Cannot decompress the body: it ends too early")


class _Reader:
    """Reads exact lengths from pieces."""

    def __init__(self, pieces: Iterator[bytes]):
        self._pieces = pieces
        self._buffer = bytearray()

    def read(self, length: int) -> bytes:
        """Fewer bytes than asked for: the body has ended."""
        while len(self._buffer) < length:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._buffer += piece
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        return data


def unblocked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Undoes `decompress=1`: blocks with a CityHash128 (v1.0.2), a method, two lengths and the data."""
    reader = _Reader(pieces)
    while checksum := reader.read(_CHECKSUM.size):
        header = reader.read(_HEADER.size)
        if len(header) < _HEADER.size:
            raise ServerError(CANNOT_DECOMPRESS, "Cannot decompress the body: it ends in the header of a block")
        method, packed, length = _HEADER.unpack(header)
        if method not in (_NONE, _LZ4):
            raise ServerError(UNKNOWN_CODEC, f"Unknown codec family code: {method} (here: LZ4 and NONE)")
        if not _HEADER.size < packed <= MAX_BLOCK or length > MAX_BLOCK:
            raise ServerError(CANNOT_DECOMPRESS, f"A block of {packed} bytes for {length} is too large or too small")
        data = reader.read(packed - _HEADER.size)
        if len(data) < packed - _HEADER.size:
            raise ServerError(CANNOT_DECOMPRESS, "Cannot decompress the body: it ends within a block")
        if _checksum(header + data) != checksum:
            raise ServerError(CHECKSUM_DOESNT_MATCH, "Checksum doesn't match: corrupted data")
        if method == _LZ4:
            try:
                data = lz4.block.decompress(data, uncompressed_size=length)
            except lz4.block.LZ4BlockError as error:
                raise ServerError(CANNOT_DECOMPRESS, f"Cannot decompress a block: {error}") from error
        if len(data) != length:
            raise ServerError(CANNOT_DECOMPRESS, f"A block has {len(data)} bytes instead of {length}")
        yield data


def blocked(data: memoryview) -> Iterator[bytes]:
    """Does `compress=1`."""
    for start in range(0, len(data), PIECE):
        piece = data[start:start + PIECE]
        packed = lz4.block.compress(piece, store_size=False)
        framed = _HEADER.pack(_LZ4, _HEADER.size + len(packed), len(piece)) + packed
        yield _checksum(framed) + framed


def _checksum(data: bytes) -> bytes:
    number = CityHash128(data)
    return _CHECKSUM.pack(number >> 64, number & _LOW)


def accepted(header: str) -> str:
    """Which of the encodings that a client accepts is used, or none: the quickest first."""
    wanted = set()
    for part in header.lower().split(","):
        name, _, options = part.partition(";")
        if options.replace(" ", "") not in ("q=0", "q=0.0"):
            wanted.add(name.strip())
    return next((name for name in ("lz4", "gzip", "deflate") if name in wanted), "")


def encoded(data: memoryview, encoding: str) -> Iterable[bytes | memoryview]:
    match encoding:
        case "lz4":
            return [lz4.frame.compress(data, block_size=lz4.frame.BLOCKSIZE_MAX256KB, store_size=False)]
        case "gzip" | "deflate":
            deflater = zlib.compressobj(1, zlib.DEFLATED, 31 if encoding == "gzip" else 15)
            return [deflater.compress(data), deflater.flush()]
        case _:
            return [data]


def form(data: bytes, content_type: str) -> dict[str, str]:
    """The fields of a multipart form. Files are tables that come with a query, which are not supported."""
    marker = next((part.strip()[9:].strip('"') for part in content_type.split(";")
                   if part.strip().lower().startswith("boundary=")), "")
    fields = {}
    parts = (b"\r\n" + data).split(b"\r\n--" + marker.encode())
    if not marker or len(parts) < 2 or not parts[-1].startswith(b"--"):
        raise ServerError(BAD_ARGUMENTS, "The multipart form is not whole")
    for part in parts[1:-1]:
        head, gap, value = part.partition(b"\r\n\r\n")
        words = [word.strip() for word in head.replace(b"\r\n", b";").decode("utf-8", "replace").split(";")]
        name = next((word[5:].strip('"') for word in words if word.lower().startswith("name=")), None)
        if not gap or name is None:
            raise ServerError(BAD_ARGUMENTS, "A part of the multipart form has no name")
        if any(word.lower().startswith("filename") for word in words):
            raise ServerError(NOT_IMPLEMENTED, "External tables are not supported by this server")
        fields[name] = value.decode("utf-8", "surrogateescape")
    return fields
