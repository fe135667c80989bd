"""Holds the server beside this file against what ClickHouse's clients expect, each test over HTTP as a client would.

    deploy/local/setup.sh test      # once: the engine and the environment of the tests
    cd deploy/local/clickhouse && ~/.cache/viral-engine/test-venv/bin/python -B -m unittest -v test_server

It starts the server on a free port of 127.0.0.1 with a folder of its own, and takes less than a minute. With
VIRAL_CLICKHOUSE_TEST_URL it is held against a server that runs already, in which it makes the database `wire`: the tests
that kill the server and those of passwords are left out then.
"""

import base64
import gzip
import http.client
import json
import os
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import uuid
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import clickhouse_connect
import lz4.frame
from clickhouse_connect.driver.exceptions import DatabaseError

import statement
import wire
from errors import ServerError, from_engine

HERE = Path(__file__).resolve().parent
FOREIGN = os.environ.get("VIRAL_CLICKHOUSE_TEST_URL")
PASSWORD = "päss:wörd"
# As clients send it in a header.
KEY = PASSWORD.encode()


class Process:
    """The server, as clickhouse.sh starts it."""

    def __init__(self, data: Path, **env: str):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.data = data
        self.env = os.environ | env
        self.start()

    def spawn(self, port: int) -> subprocess.Popen[str]:
        command = [HERE.parent / "clickhouse.sh", "python", HERE / "server.py", "--port", str(port), "--data", self.data]
        return subprocess.Popen(command, env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def start(self) -> None:
        self.process = self.spawn(self.port)
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            said.append(line)
            if line.startswith("Ready for connections"):
                # So that what it says from now on does not fill the pipe.
                self.reader = threading.Thread(target=self.process.stdout.read)
                self.reader.start()
                return
        raise AssertionError("the server did not start: " + "".join(said))

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def stop(self) -> int:
        self.process.terminate()
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(timeout=30)
        self.reader.join()
        assert self.process.stdout
        self.process.stdout.close()
        return code


class Answer:
    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = response.headers
        self.data = response.read()

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def code(self) -> str | None:
        return self.headers.get("X-ClickHouse-Exception-Code")


def setUpModule() -> None:
    global server, folder, port
    if FOREIGN:
        port = urlsplit(FOREIGN).port
    else:
        folder = tempfile.TemporaryDirectory()
        server = Process(Path(folder.name) / "data")
        port = server.port
    assert call("CREATE DATABASE IF NOT EXISTS wire").status == 200


def tearDownModule() -> None:
    if not FOREIGN:
        assert server.stop() == 0
        folder.cleanup()


def call(body: object = b"", method: str = "POST", headers: dict[str, str] | None = None, at: int | None = None,
         path: str = "/", **parameters: object) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", at or port, timeout=20)
    try:
        url = path + ("?" + urlencode(parameters) if parameters else "")
        connection.request(method, url, body.encode() if isinstance(body, str) else body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def text(body: str, **parameters: object) -> str:
    answer = call(body, **parameters)
    assert answer.status == 200, answer.text
    return answer.text


def frames(data: bytes, size: int = 64 << 10) -> bytes:
    """`decompress=1`, in blocks as small as a client's."""
    return b"".join(b"".join(wire.blocked(memoryview(data[at:at + size]))) for at in range(0, len(data), size))


def rows(first: int, count: int) -> bytes:
    return b"".join(struct.pack("<QB", number, 3) + b"%03d" % (number % 1000) for number in range(first, first + count))


class Case(unittest.TestCase):
    def table(self, settings: str = "") -> str:
        name = f"wire.t{uuid.uuid4().hex[:12]}"
        text(f"CREATE TABLE {name} (id UInt64, name String) ENGINE = MergeTree ORDER BY id {settings}")
        self.addCleanup(text, f"DROP TABLE {name}")
        return name

    def count(self, table: str) -> int:
        return int(text(f"SELECT count() FROM {table}"))

    def fails(self, answer: Answer, code: int, name: str, status: int) -> None:
        self.assertEqual((answer.code, answer.status), (str(code), status), answer.text)
        self.assertRegex(answer.text, rf"(?s)\ACode: {code}\. DB::Exception: .*\({name}\) \(version [\d.]+ \(.*\)\)\n\Z")


class Queries(Case):
    def test_health(self) -> None:
        self.assertEqual(call(method="GET", path="/ping").text, "Ok.\n")
        self.assertEqual(call(method="GET").text, "Ok.\n")
        self.assertEqual(call(method="HEAD", path="/ping").data, b"")
        self.assertEqual(call(method="GET", path="/nowhere").status, 404)

    def test_a_query_comes_in_the_url_the_body_or_both(self) -> None:
        self.assertEqual(call(method="GET", query="SELECT 1").text, "1\n")
        self.assertEqual(text("SELECT 1;"), "1\n")
        self.assertEqual(text("1 + 1", query="SELECT"), "2\n")
        self.assertEqual(text("SELECT ';' /* ; */ -- ;\n"), ";\n")
        self.fails(call(" "), 62, "SYNTAX_ERROR", 400)

    def test_formats(self) -> None:
        query = "SELECT toUInt8(7) AS a, 'x' AS b"
        answer = call(query, default_format="RowBinaryWithNamesAndTypes")
        self.assertEqual(answer.data, b"\x02\x01a\x01b\x05UInt8\x06String\x07\x01x")
        self.assertEqual(answer.headers["X-ClickHouse-Format"], "RowBinaryWithNamesAndTypes")
        answer = call(query + " FORMAT JSONEachRow", default_format="RowBinary")
        self.assertEqual(json.loads(answer.data), {"a": 7, "b": "x"})
        self.assertEqual(answer.headers["X-ClickHouse-Format"], "JSONEachRow")
        self.assertTrue(answer.headers["Content-Type"].startswith("application/"))
        self.assertEqual(call("SELECT 1 AS a WHERE 0", default_format="RowBinaryWithNamesAndTypes").data,
                         b"\x01\x01a\x05UInt8")

    def test_headers(self) -> None:
        answer = call("SELECT number FROM system.numbers LIMIT 10", query_id="mine")
        self.assertEqual(answer.headers["X-ClickHouse-Query-Id"], "mine")
        self.assertTrue(answer.headers["X-ClickHouse-Server-Display-Name"])
        self.assertEqual(json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"], "10")
        self.assertTrue(call("SELECT 1").headers["X-ClickHouse-Query-Id"])

    def test_answers_are_compressed_on_demand(self) -> None:
        query, plain = "SELECT number FROM numbers(300000)", "".join(f"{number}\n" for number in range(300000)).encode()
        for encoding, undo in (("lz4", lz4.frame.decompress), ("gzip", gzip.decompress)):
            answer = call(query, headers={"Accept-Encoding": encoding}, enable_http_compression=1)
            self.assertEqual(answer.headers["Content-Encoding"], encoding)
            self.assertEqual(undo(answer.data), plain)
        answer = call(query, headers={"Accept-Encoding": "lz4"}, enable_http_compression=0)
        self.assertNotIn("Content-Encoding", answer.headers)
        self.assertEqual(b"".join(wire.unblocked(iter([call(query, compress=1).data]))), plain)

    def test_parameters(self) -> None:
        self.assertEqual(text("SELECT {a:UInt8} + 1, {b:String}, {c:Array(String)}", param_a=41, param_b="x\\ty'",
                              param_c="['p','q']"), "42\tx\\ty\\'\t['p','q']\n")
        boundary = "--edge\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n"
        form = boundary % ("query", "SELECT {a:String}") + boundary % ("param_a", "two\r\nlines".replace("\r\n", "\\n"))
        answer = call(form + "--edge--\r\n", headers={"Content-Type": "multipart/form-data; boundary=edge"})
        self.assertEqual(answer.text, "two\\nlines\n")
        self.assertEqual(call("SELECT {a:UInt8}").code, "456")

    def test_settings(self) -> None:
        self.assertEqual(text("SELECT getSetting('max_threads')", max_threads=1), "1\n")
        self.fails(call("SELECT 1", no_such_setting=1), 115, "UNKNOWN_SETTING", 404)
        self.assertEqual(text("SELECT currentDatabase()", database="wire"), "wire\n")
        self.fails(call("SELECT 1", database="nowhere"), 81, "UNKNOWN_DATABASE", 404)

    def test_errors(self) -> None:
        self.fails(call("SELECT * FROM wire.nothing"), 60, "UNKNOWN_TABLE", 404)
        self.fails(call("SELEC 1"), 62, "SYNTAX_ERROR", 400)
        self.fails(call("nonsense"), 62, "SYNTAX_ERROR", 400)
        self.fails(call("SELECT nothing"), 47, "UNKNOWN_IDENTIFIER", 404)
        self.fails(call("SELECT 1; SELECT 2"), 62, "SYNTAX_ERROR", 400)
        self.fails(call("SELECT throwIf(number = 100000) FROM numbers(200000)"), 395,
                   "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", 500)
        self.assertEqual(text("SELECT 1"), "1\n", "nothing of the answer before is left")
        self.fails(call("SELECT 1 FORMAT Nothing"), 73, "UNKNOWN_FORMAT", 404)

    def test_get_only_reads(self) -> None:
        table = self.table()
        for query in (f"INSERT INTO {table} VALUES (1, 'a')", f"DROP TABLE {table}", f"INSERT INTO {table} SELECT 1, 'a'"):
            self.assertEqual(call(method="GET", query=query).code, "164", query)
        self.assertEqual(self.count(table), 0)
        self.assertEqual(call(method="GET", query="SELECT 1", readonly=0).code, "164")

    def test_sessions(self) -> None:
        name = uuid.uuid4().hex
        self.assertEqual(call("SELECT 1", session_id=name, session_check=1).code, "372")
        text("SET max_threads = 1", session_id=name, session_timeout=30)
        text("USE wire", session_id=name)
        self.assertEqual(call("SELECT nothing", session_id=name).code, "47")
        self.assertEqual(text("SELECT getSetting('max_threads'), currentDatabase()", session_id=name), "1\twire\n")
        self.assertEqual(text("SELECT getSetting('max_threads')", session_id=name, max_threads=2), "2\n")
        self.assertEqual(text("SELECT getSetting('max_threads')", session_id=name), "1\n")
        self.assertEqual(text("SELECT currentDatabase()"), "default\n")
        self.assertEqual(call("SELECT 1", session_id=name, session_timeout="x").code, "374")
        slow = threading.Thread(target=text, args=("SELECT sleep(1)",), kwargs={"session_id": name})
        slow.start()
        time.sleep(0.4)
        self.assertEqual(call("SELECT 1", session_id=name).code, "373")
        slow.join()


class Inserts(Case):
    def test_row_binary(self) -> None:
        table, query = self.table(), "INSERT INTO {} (id, name) FORMAT RowBinary"
        answer = call(rows(0, 50_000), query=query.format(table))
        self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"], "50000")
        self.assertEqual(call(frames(rows(50_000, 50_000)), query=query.format(table), decompress=1).status, 200)
        # In chunks, as a client that does not know yet how much there will be.
        packed = frames(rows(100_000, 50_000))
        chunks = (packed[at:at + 10_007] for at in range(0, len(packed), 10_007))
        self.assertEqual(call(chunks, query=query.format(table), decompress=1).status, 200)
        for name, encoding in ((gzip.compress, "gzip"), (lz4.frame.compress, "lz4")):
            answer = call(name(rows(150_000, 1000)), query=query.format(table), headers={"Content-Encoding": encoding})
            self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(self.count(table), 152_000)
        self.assertEqual(text(f"SELECT sum(id), any(length(name)) FROM {table} WHERE id < 150000"), "11249925000\t3\n")

    def test_data_in_the_text(self) -> None:
        table = self.table()
        text(f"INSERT INTO {table} VALUES (1, 'a;b'), (2, concat('c', 'd'))")
        text("(3, 'e')", query=f"INSERT INTO {table} (id, name) VALUES")
        text(f"INSERT INTO {table} FORMAT CSV\n4,f\n5,g\n")
        text(f"INSERT INTO {table} SELECT number + 6, 'h' FROM numbers(2)")
        text(f"INSERT INTO {table} VALUES ({{a:UInt64}}, 'i')", param_a=8)
        self.assertEqual(text(f"SELECT groupConcat(name) FROM (SELECT name FROM {table} ORDER BY id)"), "a;bcdefghhi\n")

    def test_an_error_in_the_middle_leaves_no_row(self) -> None:
        table = self.table()
        lines = [f"{number}\tname" for number in range(30_000)]
        lines[20_000] = "no number\tname"
        answer = call("\n".join(lines) + "\n", query=f"INSERT INTO {table} FORMAT TSV")
        self.fails(answer, 27, "CANNOT_PARSE_INPUT_ASSERTION_FAILED", 400)
        self.assertEqual(call(f"INSERT INTO {table} VALUES (1, 'a'), (2,").status, 400)
        self.assertGreaterEqual(call(rows(0, 1000)[:-2], query=f"INSERT INTO {table} FORMAT RowBinary").status, 400)
        packed = bytearray(frames(rows(0, 50_000)))
        packed[-20] ^= 1
        self.fails(call(bytes(packed), query=f"INSERT INTO {table} FORMAT RowBinary", decompress=1), 40,
                   "CHECKSUM_DOESNT_MATCH", 500)
        self.assertEqual(self.count(table), 0)
        self.fails(call(rows(0, 1), query="INSERT INTO wire.nothing FORMAT RowBinary"), 60, "UNKNOWN_TABLE", 404)
        self.assertEqual(call(rows(0, 1), query=f"INSERT INTO {table} FORMAT RowBinary").status, 200)

    def test_an_error_while_rows_are_written_is_told(self) -> None:
        table, view = self.table(), f"wire.v{uuid.uuid4().hex[:12]}"
        text(f"ALTER TABLE {table} ADD CONSTRAINT small CHECK id < 10")
        for settings in ({}, {"async_insert": 0}, {"async_insert": 1, "wait_for_async_insert": 1}):
            answer = call(rows(5, 10), query=f"INSERT INTO {table} FORMAT RowBinary", **settings)
            self.fails(answer, 469, "VIOLATED_CONSTRAINT", 500)
        text(f"CREATE MATERIALIZED VIEW {view} ENGINE = MergeTree ORDER BY id AS SELECT id, throwIf(id = 3) AS no FROM {table}")
        self.addCleanup(text, f"DROP TABLE {view}")
        self.assertEqual(call(rows(3, 1), query=f"INSERT INTO {table} FORMAT RowBinary").code, "395")
        self.assertNotIn("/proc", call("3\tx\ty\n", query=f"INSERT INTO {table} FORMAT TSV").text)

    def test_settings_of_an_insert(self) -> None:
        table = self.table("SETTINGS non_replicated_deduplication_window = 100")
        for first in (0, 5):
            text(f"INSERT INTO {table} (id, name) SETTINGS insert_deduplication_token = 'x' VALUES ({first}, 'a')")
        self.assertEqual(self.count(table), 1)
        self.assertEqual(call("", query=f"INSERT INTO {table} FORMAT RowBinary").status, 200)

    def test_an_upload_that_is_aborted_leaves_no_row(self) -> None:
        table = self.table()
        target = "/?" + urlencode({"query": f"INSERT INTO {table} FORMAT RowBinary"})
        data = rows(0, 100_000)
        head = f"POST {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode()
        whole_chunk = b"%x\r\n%b\r\n" % (len(data), data)
        for rest in (b"Content-Length: %d\r\n\r\n" % (2 * len(data)) + data,
                     b"Transfer-Encoding: chunked\r\n\r\n" + whole_chunk,
                     b"Transfer-Encoding: chunked\r\n\r\n" + whole_chunk + b"ffff\r\n" + data[:13]):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(head + rest)
                time.sleep(0.1)
        time.sleep(0.3)
        self.assertEqual(self.count(table), 0)

    def test_a_token_is_taken_once(self) -> None:
        table = self.table("SETTINGS non_replicated_deduplication_window = 100")
        for token, data in (("a", rows(0, 5)), ("a", rows(5, 5)), ("b", rows(0, 5))):
            answer = call(data, query=f"INSERT INTO {table} FORMAT RowBinary", insert_deduplication_token=token)
            self.assertEqual(answer.status, 200, answer.text)
        self.assertEqual(self.count(table), 10)

    def test_many_at_once(self) -> None:
        table, problems = self.table(), []

        def work(number: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            target = "/?" + urlencode({"query": f"INSERT INTO {table} FORMAT RowBinary", "decompress": 1})
            for turn in range(10):
                connection.request("POST", target, frames(rows((number * 10 + turn) * 100, 100)))
                answer = Answer(connection.getresponse())
                connection.request("POST", "/", f"SELECT {number}")
                read = Answer(connection.getresponse())
                if answer.status != 200 or read.text != f"{number}\n":
                    problems.append(answer.text + read.text)
            connection.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        self.assertEqual(text(f"SELECT count(), uniqExact(id) FROM {table}"), "8000\t8000\n")


class Connect(Case):
    """clickhouse-connect, from end to end."""

    def test_queries_inserts_and_commands(self) -> None:
        client = clickhouse_connect.get_client(host="127.0.0.1", port=port, database="wire")
        self.addCleanup(client.close)
        client.command("CREATE TABLE connect (id UInt64, amount Decimal(38, 4), at DateTime64(3, 'UTC'), "
                       "tags Array(LowCardinality(String))) ENGINE = MergeTree ORDER BY id")
        self.addCleanup(client.command, "DROP TABLE connect")
        at = datetime(2026, 1, 2, 3, 4, 5, 678000, timezone.utc)
        data = [[number, Decimal(number) / 4, at, ["x", str(number)]] for number in range(1000)]
        self.assertEqual(client.insert("connect", data, column_names=["id", "amount", "at", "tags"]).written_rows, 1000)
        result = client.query("SELECT * FROM connect WHERE id = {id:UInt64}", parameters={"id": 7})
        self.assertEqual(result.column_names, ("id", "amount", "at", "tags"))
        row = result.result_rows[0]
        self.assertEqual((row[0], row[1], row[3]), (7, Decimal("1.7500"), ["x", "7"]))
        self.assertEqual(row[2].replace(tzinfo=timezone.utc), at)
        self.assertEqual(client.command("SELECT count() FROM connect"), 1000)
        client.command("SET max_threads = 1")
        with self.assertRaisesRegex(DatabaseError, "UNKNOWN_TABLE"):
            client.query("SELECT * FROM nothing")
        self.assertEqual(client.query("SELECT 1").result_rows, [(1,)])
        self.assertEqual(client.raw_query("SELECT 1 AS a", fmt="JSONEachRow"), b'{"a":1}\n')


@unittest.skipIf(FOREIGN, "only of a server of our own")
class Own(Case):
    def test_what_reaches_out_is_refused(self) -> None:
        for query in (
            "SELECT * FROM file('/etc/hostname', 'LineAsString')", "SELECT * FROM `file`('x')", "SELECT * FROM '/etc/hostname'",
            "SELECT * FROM `/etc/hostname`", "SELECT * FROM default.`/etc/hostname`", "DESCRIBE '/etc/hostname'",
            "SELECT * FROM system.one, '/etc/hostname'", "SELECT 1 INTO OUTFILE '/tmp/x'",
            "SELECT * FROM executable('ls', 'TSV', '')", "INSERT INTO wire.f FROM INFILE '/etc/hostname' FORMAT TSV",
            "INSERT INTO FUNCTION file('x.csv') VALUES (1)", "CREATE TABLE wire.f (a UInt8) ENGINE = File(CSV)",
            "SELECT * FROM /* */ url('http://127.0.0.1:1/', 'CSV')", "CREATE DATABASE f ENGINE Filesystem('/')",
            "CREATE DICTIONARY wire.d (a UInt8) PRIMARY KEY a SOURCE(FILE(path '/x' format 'CSV')) LAYOUT(FLAT()) LIFETIME(1)",
        ):
            self.fails(call(query), 497, "ACCESS_DENIED", 403)
        self.assertEqual(call("SELECT * FROM {t:Identifier}", param_t="/etc/hostname").code, "497")
        self.assertEqual(text("SELECT '/etc/hostname', concat(',', '/x') AS `a/b`"), "/etc/hostname\t,/x\n")

    def test_pages_of_a_browser_are_refused(self) -> None:
        self.assertEqual(call("SELECT 1", headers={"Origin": "http://example.com"}).status, 403)
        self.assertEqual(call("SELECT 1", headers={"Host": "example.com:8123"}).status, 403)
        self.assertEqual(call("SELECT 1", headers={"Host": f"localhost:{port}"}).status, 200)

    def test_the_reader_reads(self) -> None:
        table = self.table()
        reader = {"X-ClickHouse-User": "reader"}
        self.assertEqual(call(f"SELECT count() FROM {table}", headers=reader).text, "0\n")
        for query in (f"INSERT INTO {table} VALUES (1, 'a')", f"DROP TABLE {table}", "SET max_threads = 7", "SET readonly = 0",
                      "CREATE TABLE wire.mine (a UInt8) ENGINE = Memory", "SELECT 1 SETTINGS max_threads = 7"):
            self.assertEqual(call(query, headers=reader).code, "164", query)
        self.assertEqual(call("SELECT 1", headers=reader, max_threads=7).code, "164")
        self.assertEqual(call("SELECT {a:UInt8}", headers=reader, param_a=5).text, "5\n")
        client = clickhouse_connect.get_client(host="127.0.0.1", port=port, username="reader", autogenerate_session_id=False)
        self.assertEqual(client.query("SELECT 1").result_rows, [(1,)])
        client.close()

    def test_one_process_has_the_data(self) -> None:
        second = server.spawn(0)
        said, _ = second.communicate(timeout=20)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"is in use by process {server.process.pid}", said)

    def test_passwords_and_what_a_kill_leaves(self) -> None:
        with tempfile.TemporaryDirectory() as home:
            other = Process(Path(home) / "data", CLICKHOUSE_PASSWORD=PASSWORD, CLICKHOUSE_READER_PASSWORD="r")
            try:
                self._passwords(other.port)
                self._kill(other)
                self.assertEqual(other.stop(), 0)
            finally:
                if other.process.poll() is None:
                    other.kill()

    def _passwords(self, at: int) -> None:
        basic = {"Authorization": "Basic " + base64.b64encode(f"default:{PASSWORD}".encode()).decode()}
        self.assertEqual(call("SELECT 1", at=at, headers=basic).text, "1\n")
        self.assertEqual(call("SELECT 1", at=at, user="default", password=PASSWORD).text, "1\n")
        self.assertEqual(call("SELECT 1", at=at, headers={"X-ClickHouse-User": "reader", "X-ClickHouse-Key": "r"}).text, "1\n")
        for headers in ({}, {"X-ClickHouse-Key": "pass"}, {"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": KEY}):
            self.fails(call("SELECT 1", at=at, headers=headers), 516, "AUTHENTICATION_FAILED", 403)
        self.assertEqual(call(method="GET", path="/ping", at=at).text, "Ok.\n")

    def _kill(self, other: Process) -> None:
        key = {"X-ClickHouse-Key": KEY}
        self.assertEqual(call("CREATE TABLE t (id UInt64, name String) ENGINE = MergeTree ORDER BY id", at=other.port,
                              headers=key).status, 200)
        acknowledged = []

        def write() -> None:
            try:
                for batch in range(1000):
                    answer = call(rows(batch * 100, 100), at=other.port, headers=key, query="INSERT INTO t FORMAT RowBinary")
                    if answer.status == 200:
                        acknowledged.append(batch)
            except OSError:
                pass

        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.5)
        other.kill()
        writer.join()
        other.start()
        kept = call("SELECT intDiv(id, 100) AS batch, count() FROM t GROUP BY batch ORDER BY batch FORMAT TSV", at=other.port,
                    headers=key).text
        batches = dict(tuple(map(int, line.split("\t"))) for line in kept.splitlines())
        self.assertGreater(len(acknowledged), 3)
        self.assertLessEqual(set(acknowledged), set(batches))
        self.assertEqual(set(batches.values()), {100}, "no batch is there in part")


class Parts(unittest.TestCase):
    """What needs no server."""

    guard = statement.Guard()

    def test_where_an_inserts_data_begins(self) -> None:
        for query, before, format, data in (
            (b"INSERT INTO t FORMAT RowBinary", b"INSERT INTO t ", "RowBinary", b""),
            (b"insert into t (a, `values`) values(1)", b"insert into t (a, `values`) ", "Values", b"(1)"),
            (b"INSERT INTO format SETTINGS x = 'values' FORMAT CSV \r\n;1", b"INSERT INTO format ", "CSV", b";1"),
            (b"INSERT INTO TABLE settings SETTINGS a = 1 VALUES", b"INSERT INTO TABLE settings ", "Values", b""),
            (b"-- FORMAT x\nINSERT INTO db.values FORMAT TSV\n\n1", b"-- FORMAT x\nINSERT INTO db.values ", "TSV", b"\n1"),
        ):
            read = statement.read(query, self.guard)
            self.assertEqual((read.text, read.format, read.data), (before, format, data))
        for query in (b"INSERT INTO t SELECT 1 AS format", b"SELECT 1", b"WITH 1 AS x SELECT x",
                      b"INSERT INTO t (a) SELECT values FROM v"):
            self.assertIsNone(statement.read(query, self.guard).data, query)
        read = statement.read(b"INSERT INTO s.settings (a) SETTINGS b = 1 -- c\nVALUES (1)", self.guard).reading("/x")
        self.assertEqual(read.text.split(), b"INSERT INTO s.settings (a) FROM INFILE '/x' COMPRESSION 'none' "
                                            b"SETTINGS b = 1 -- c FORMAT Values".split())
        with self.assertRaises(ServerError):
            statement.read(b"INSERT INTO t FORMAT CSV; 1", self.guard)

    def test_what_format_a_query_names(self) -> None:
        for query, format in ((b"SELECT 1 FORMAT JSON", "JSON"), (b"SELECT 1 format CSV SETTINGS max_threads = 1;", "CSV"),
                              (b"SELECT format FROM t", None), (b"SELECT (SELECT 1 FORMAT JSON)", None)):
            self.assertEqual(statement.read(query, self.guard).format, format, query)

    def test_blocks_are_those_of_the_rust_client(self) -> None:
        # Sums of the crate `cityhash-rs` 1.0.1, which the crate `clickhouse` uses.
        for length, sum in ((5, "9fbec5156fb1338a53e96be4b31c566e"), (1000, "3e463966e0c65342d72983eba0aef12d")):
            data = bytes(number * 7 % 256 for number in range(length))
            self.assertEqual(wire._checksum(data).hex(), sum)
        packed = frames(b"abc" * 100_000)
        pieces = (packed[at:at + 7] for at in range(0, len(packed), 7))
        self.assertEqual(b"".join(wire.unblocked(pieces)), b"abc" * 100_000)

    def test_errors_of_the_engine(self) -> None:
        nested = "Append failed: Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format X. (UNKNOWN_FORMAT) " \
                 "(version 26.9.2.1). (UNKNOWN_FORMAT)"
        error = from_engine(RuntimeError(nested))
        self.assertEqual((error.code, error.name, error.message, error.status), (73, "UNKNOWN_FORMAT", "Unknown format X", 404))
        self.assertEqual(from_engine(ValueError("odd")).code, 1002)


if __name__ == "__main__":
    unittest.main()
