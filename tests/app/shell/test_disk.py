"""Visitors' files are removed when they are not needed, too old or too many; interrupted uploads leave nothing."""

import os
import subprocess
import sys
import time
from types import SimpleNamespace

import aside
import httpx
import pytest

from app.shell import disk, session
from app.shell.disk import MB, Disk, Uploads


@pytest.fixture
def limit(monkeypatch):
    return lambda megabytes: monkeypatch.setenv("WSR_DISK_MB", str(megabytes))


def write(path, size=1000, old=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - old,) * 2)
    return path


def test_what_is_too_old_goes_and_its_empty_folder_with_it(tmp_path):
    old, new = write(tmp_path / "ann" / "a.glb", old=100), write(tmp_path / "ben" / "b.glb", old=1)
    left = write(tmp_path / "tmp123", old=100)  # as an interrupted upload leaves it
    os.utime(old.parent, (time.time() - 100,) * 2)
    found = Disk(tmp_path, age=50, fresh=10)
    found.sweep()
    assert new.exists() and not old.exists() and not left.exists()
    os.utime(old.parent, (time.time() - 100,) * 2) if old.parent.exists() else None
    found.sweep()
    assert not old.parent.exists() and new.parent.exists()


def test_a_folder_that_a_visitor_has_just_been_given_stays(tmp_path):
    folder = tmp_path / "ann"
    folder.mkdir()
    Disk(tmp_path, age=50).sweep()
    assert folder.exists()
    own = session.session_dir(SimpleNamespace(session_hash="disktest"))
    os.utime(own, (1, 1))
    assert session.session_dir(SimpleNamespace(session_hash="disktest")).stat().st_mtime > time.time() - 60
    session.forget(SimpleNamespace(session_hash="disktest"))


def test_beyond_the_limit_the_oldest_go_but_not_what_somebody_waits_for(tmp_path, limit):
    limit(1)
    files = [write(tmp_path / f"{i}", MB // 4, old=1000 - i) for i in range(8)]
    fresh = write(tmp_path / "fresh", MB // 2)
    found = Disk(tmp_path, fresh=60)
    found.sweep()
    assert found.used() <= MB and fresh.exists()
    assert [file.exists() for file in files] == [False] * 6 + [True] * 2
    for i in range(8):
        write(tmp_path / f"fresh{i}", MB // 4)
    found.sweep()
    assert found.used() == 10 * MB // 4 and not files[7].exists()


def test_what_is_handed_out_again_is_not_old(tmp_path, limit):
    limit(1)
    kept, gone = (write(tmp_path / name, MB // 2 + 1, old=1000) for name in ("kept", "gone"))
    os.utime(kept)
    Disk(tmp_path).sweep()
    assert kept.exists() and not gone.exists()


def test_older_files_in_shared_folders_do_not_count_towards_the_limit(tmp_path, limit):
    limit(1)
    root, other = tmp_path / "root", tmp_path / "occupancy"
    root.mkdir()
    before = write(other / "ab" / "before.npz", 4 * MB, old=9999)
    found = Disk(root, age=0, fresh=0)
    found.count_too(other)
    since = write(other / "ab" / "since.npz", MB // 2)
    time.sleep(0.01)
    found.sweep()
    assert before.exists() and since.exists() and found.used() == MB // 2
    write(other / "cd" / "more.npz", MB)
    time.sleep(0.01)
    found.sweep()
    assert before.exists() and not since.exists() and found.used() <= MB


def test_it_tidies_by_itself(tmp_path):
    path = write(tmp_path / "old", old=100)
    Disk(tmp_path, age=50).watch(every=0.05)
    until = time.time() + 10
    while path.exists() and time.time() < until:
        time.sleep(0.05)
    assert not path.exists()


@pytest.mark.parametrize(("text", "megabytes"), [("64", 64), ("0", 0), ("-1", 0), ("much", 1024), ("nan", 1024)])
def test_the_limit_is_the_environments(monkeypatch, text, megabytes):
    monkeypatch.setenv("WSR_DISK_MB", text)
    assert disk.limit() == megabytes * MB


def test_an_upload_that_has_been_read_goes_but_not_anothers_of_the_same_content(tmp_path):
    found, path = Disk(tmp_path), write(tmp_path / "sha" / "cat.png")
    found.uploaded([str(path)])
    found.uploaded([str(path)])
    with pytest.raises(ValueError), found.reading(str(path)):
        raise ValueError("not a picture")
    assert path.exists()
    with found.reading(str(path)):
        assert path.exists()
    assert not path.exists() and not path.parent.exists() and not found._unread
    elsewhere = write(tmp_path.parent / "elsewhere.png")
    with found.reading(str(elsewhere)):
        pass
    assert elsewhere.exists()


def test_only_uploads_are_removed_when_they_have_been_read(tmp_path):
    """The page can be given any path under the root."""
    found, surface = Disk(tmp_path), write(tmp_path / "shared" / "surface.glb")
    with found.reading(str(surface)):
        pass
    assert surface.exists() and not found._unread


def test_uploads_that_nobody_read_are_forgotten_with_their_files(tmp_path):
    found = Disk(tmp_path, age=50)
    gone, there = write(tmp_path / "a" / "gone.png", old=100), write(tmp_path / "b" / "there.png")
    found.uploaded([str(gone), str(there)])
    found.sweep()
    assert found._unread == {str(there): 1}


def test_the_limit_takes_no_signs_away(tmp_path, limit):
    """An empty file is the sign that a visitor has pressed Stop; removing it would free no space."""
    limit(1)
    stop, large = write(tmp_path / "ann" / "stop", 0, old=200), write(tmp_path / "fit.glb", 2 * MB, old=100)
    Disk(tmp_path, age=1000).sweep()
    assert stop.exists() and not large.exists()
    Disk(tmp_path, age=150).sweep()
    assert not stop.exists()


KILLED = """
import os, signal
from app.shell import disk
folder = disk.own_folder()
(folder / "file").write_text("x")
print(folder, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_server_left_is_removed_by_the_next_and_no_living_ones(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    ours = disk.own_folder()
    killed = subprocess.run([sys.executable, "-c", KILLED], capture_output=True, text=True, timeout=120)
    left = killed.stdout.strip()
    assert os.path.exists(os.path.join(left, "file")), killed.stderr
    # without our lock file it may be the folder of another program
    foreign = write(tmp_path / "wsr-app-foreign" / "file")
    another = disk.own_folder()
    assert not os.path.exists(left) and ours.exists() and another.exists() and foreign.exists()
    assert ours.stat().st_mode & 0o077 == 0


def test_what_lies_in_a_visitors_folder_is_handed_out_without_a_copy_and_gone_when_they_leave():
    import gradio as gr

    visitor = SimpleNamespace(session_hash="leaves")
    path = write(session.session_dir(visitor) / "fit.glb")
    assert gr.Model3D().move_resource_to_block_cache(path) == str(path)
    session.forget(visitor)
    assert not path.exists() and not path.parent.exists()


# --- uploads, through gradio's own route


def page_with(found):
    import gradio as gr

    from app.shell import gradio_patches

    with gr.Blocks() as page:
        gr.File()
    app = gradio_patches.rest(page.queue()).app
    app.uploaded_file_dir = str(found.root)
    page.max_file_size = 8 * MB
    app.blocks = page
    return Uploads(app, found, 4 * MB)


def upload(found, content, name="cat.png", **more):
    async def post():
        transport = httpx.ASGITransport(page_with(found))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            if more.get("chunked"):

                async def parts():
                    yield b"--x\r\n"
                    yield content

                headers = {"content-type": "multipart/form-data; boundary=x"}
                return await client.post("/gradio_api/upload", content=parts(), headers=headers)
            return await client.post("/gradio_api/upload", files={"files": (name, content)})

    return aside.run(post())


def test_an_upload_arrives_and_is_known(tmp_path, limit):
    limit(10)
    found = Disk(tmp_path)
    answer = upload(found, b"content")
    assert answer.status_code == 200, answer.text
    (path,) = answer.json()
    assert open(path, "rb").read() == b"content" and found._unread == {path: 1} and found._coming == 0
    upload(found, b"content")
    assert found._unread == {path: 2}


@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_that_is_too_large_or_says_nothing_is_refused(tmp_path, limit, chunked):
    limit(100)
    found = Disk(tmp_path)
    answer = upload(found, b"x" * (5 * MB), chunked=chunked)
    assert answer.status_code == 413 and "at most 4 MB" in answer.text
    assert found.used() == 0


def test_where_there_is_no_room_an_upload_is_refused_in_a_sentence_and_others_are_still_there(tmp_path, limit):
    limit(3)
    found, fresh = Disk(tmp_path), write(tmp_path / "fresh", 2 * MB)
    answer = upload(found, b"x" * (2 * MB))
    assert answer.status_code == 507 and "no room" in answer.text and "3 MB" in answer.text
    assert fresh.exists() and found.used() == 2 * MB and found._coming == 0
    os.utime(fresh, (time.time() - 100,) * 2)  # old enough that no request still waits for it
    assert upload(found, b"x" * (2 * MB)).status_code == 200
    assert not fresh.exists() and found.used() <= 3 * MB


def test_uploads_on_their_way_count(tmp_path, limit):
    limit(3)
    found = Disk(tmp_path)
    with found.expected(2 * MB) as first, found.expected(2 * MB) as second:
        assert first and not second
    with found.expected(2 * MB) as again:
        assert again


def test_an_upload_that_breaks_off_leaves_nothing(tmp_path, limit):
    limit(10)
    found = Disk(tmp_path)
    application, sent = page_with(found), []
    body = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n' + b"y" * 100_000
    messages = iter([{"type": "http.request", "body": body, "more_body": True}, {"type": "http.disconnect"}])

    async def receive():
        return next(messages, {"type": "http.disconnect"})

    async def send(message):
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=x"), (b"content-length", b"200000")]
    scope = {
        "type": "http", "method": "POST", "path": "/gradio_api/upload", "raw_path": b"/gradio_api/upload",
        "root_path": "", "query_string": b"", "headers": headers, "scheme": "http", "http_version": "1.1",
        "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    aside.run(application(scope, receive, send))
    assert found.used() == 0 and found._coming == 0 and not found._unread
    assert sent[0]["status"] == 400


def test_other_requests_pass(tmp_path):
    async def application(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})

    for method, path in (("GET", "/gradio_api/upload"), ("POST", "/gradio_api/queue/join")):
        sent = []

        async def send(message, sent=sent):
            sent.append(message)

        scope = {"type": "http", "method": method, "path": path, "headers": []}
        aside.run(Uploads(application, Disk(tmp_path), 1)(scope, None, send))
        assert sent[0]["status"] == 204
