"""download: fetching over HTTP from a server on this computer, and all the ways in which that goes wrong."""

import hashlib
import io
import socket
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tinympy import assets, download
from tinympy.assets import Asset
from tinympy.errors import UsageError

CONTENT = bytes(range(256)) * 200


@dataclass
class Server:
    """What a path answers: a status and a body, of which only `sent` bytes are sent if that is less."""

    url: str
    answers: dict[str, tuple[int, bytes, int]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def serve(self, path: str, body: bytes, status: int = 200, sent: int | None = None) -> str:
        self.answers[path] = (status, body, len(body) if sent is None else sent)
        return self.url + path


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(self.path)
            status, body, sent = state.answers[self.path]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:sent])

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state = Server(f"http://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield state
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.delenv(assets.ENVIRONMENT, raising=False)
    monkeypatch.setattr(assets, "cache_folder", lambda: folder)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return folder


def asset(url: str | None, name: str = "models/m.tflite", content: bytes = CONTENT) -> Asset:
    return Asset("t", name, len(content), hashlib.sha256(content).hexdigest(), "", url)


def stored(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_fetched_file_is_verified_and_not_fetched_again(server: Server, cache: Path) -> None:
    wanted = [asset(server.serve("/m", CONTENT))]
    assert download.fetch(wanted) == [cache / "models/m.tflite"]
    assert (cache / "models/m.tflite").read_bytes() == CONTENT
    assert download.fetch(wanted) == []
    assert server.requests == ["/m"]


def test_progress_runs_from_the_first_chunk_to_the_whole(server: Server) -> None:
    seen: list[tuple[int, int]] = []
    download.fetch([asset(server.serve("/m", CONTENT))], None, lambda _, done, total: seen.append((done, total)))
    assert seen[0] == (16384, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_given_folder_takes_the_files(server: Server, tmp_path: Path, cache: Path) -> None:
    download.fetch([asset(server.serve("/m", CONTENT))], tmp_path / "given")
    assert stored(tmp_path / "given") == ["models/m.tflite"]
    assert not cache.exists()


def test_wrong_content_is_refused_and_leaves_nothing(server: Server, cache: Path) -> None:
    with pytest.raises(UsageError, match=r"models/m\.tflite \(what the server sent has another sha256\)"):
        download.fetch([asset(server.serve("/m", CONTENT[::-1]))])
    assert stored(cache) == []


def test_truncated_body_is_refused_and_leaves_nothing(server: Server, cache: Path) -> None:
    with pytest.raises(UsageError, match=r"models/m\.tflite \(the download broke off\)"):
        download.fetch([asset(server.serve("/m", CONTENT, sent=20_000))])
    assert stored(cache) == []


def test_one_failure_does_not_keep_the_others_from_coming(server: Server, cache: Path) -> None:
    wanted = [asset(server.serve("/a", b"", status=404), "models/a"), asset(server.serve("/b", CONTENT), "models/b")]
    with pytest.raises(UsageError, match=r"^could not fetch models/a \(the server answers 404\)$"):
        download.fetch(wanted)
    assert stored(cache) == ["models/b"]


def test_offline_is_one_error_that_lists_everything_and_where_to_put_it(cache: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    wanted = [asset(url, "models/a"), asset(None, "models/unpublished"), asset(url, "models/b")]
    with pytest.raises(UsageError) as caught:
        download.fetch(wanted)
    assert caught.value.message == (
        "could not fetch models/a (no connection to 127.0.0.1); models/b (no connection to 127.0.0.1)"
    )
    assert str(cache) in caught.value.hint and "tinympy assets list" in caught.value.hint


def test_damaged_file_is_replaced_where_it_lies(server: Server, tmp_path: Path, cache: Path) -> None:
    damaged = tmp_path / "given/models/m.tflite"
    damaged.parent.mkdir(parents=True)
    damaged.write_bytes(b"damaged")
    assert download.fetch([asset(server.serve("/m", CONTENT))], tmp_path / "given") == [damaged]
    assert damaged.read_bytes() == CONTENT
    assert not cache.exists()


def test_folder_that_cannot_be_made_is_an_error(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UsageError, match="could not fetch models/m"):
        download.fetch([asset(server.serve("/m", CONTENT))], tmp_path / "file")


FILES = {"b.bin": b"second", "a.bin": b"first"}
LISTING = b"b.bin,2,0\na.bin,2,1\n"


def archive(files: dict[str, bytes], top: str = "repository-1234/") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(top + name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def table(server: Server, monkeypatch: pytest.MonkeyPatch) -> tuple[Asset, Asset]:
    """A label file and the set that it lists, with the set's archive at /archive."""
    joined = b"".join(FILES.values())
    url = server.url + "/archive"
    inputs = Asset("t", "datasets/t/*.bin", len(joined), hashlib.sha256(joined).hexdigest(), "", url, "data/t")
    pair = (asset(server.serve("/labels", LISTING), inputs.label_file, LISTING), inputs)
    monkeypatch.setattr(assets, "ASSETS", pair)
    return pair


def test_set_is_taken_out_of_an_archive(server: Server, table: tuple[Asset, Asset], cache: Path) -> None:
    others = {"data/t/c.bin": b"not listed", "data/u/a.bin": b"elsewhere", "../data/t/../../evil": b"evil"}
    server.serve("/archive", archive({**others, **{f"data/t/{name}": content for name, content in FILES.items()}}))
    assert download.fetch(table) == [cache / "datasets/t/y_labels.csv", cache / "datasets/t"]
    assert stored(cache) == ["datasets/t/a.bin", "datasets/t/b.bin", "datasets/t/y_labels.csv"]
    assert (cache / "datasets/t/b.bin").read_bytes() == b"second"
    assert download.fetch(table) == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"no archive at all", "the archive is damaged"),
        (archive({"data/t/a.bin": b"first"}), "the archive lacks 1 of its 2 files"),
        (archive({"data/t/a.bin": b"First", "data/t/b.bin": b"second"}), "what the server sent has another sha256"),
        (archive({"data/t/a.bin": b"x" * 100_000, "data/t/b.bin": b"second"}), "the archive lacks 1"),
        (archive({"data/t/a.bin": b"first", "data/t/b.bin": b"second"})[:-40], "the archive is damaged"),
    ],
)
def test_archive_that_is_not_what_it_should_be_leaves_no_inputs(
    body: bytes, reason: str, server: Server, table: tuple[Asset, Asset], cache: Path
) -> None:
    server.serve("/archive", body)
    with pytest.raises(UsageError, match=reason):
        download.fetch(table)
    assert stored(cache) == ["datasets/t/y_labels.csv"]
