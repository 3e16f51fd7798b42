"""A server on this machine with the part of the Hub's HTTP interface that pushing and pulling use."""

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """Keeps files in `server.repos[kind, repo][path]`."""

    def log_message(self, *_):
        pass

    def answer(self, content: object, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def missing(self, code: str = "RepoNotFound") -> None:
        self.answer({"error": "not here"}, 401 if self.server.closed else 404, X_Error_Code=code)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.closed:
            return self.answer({"error": "who are you?"}, 401)
        if self.path == "/api/repos/create":
            asked = json.loads(body)
            kind, name = asked.get("type") or "model", asked["name"]
            name = f"{asked['organization']}/{name}" if asked.get("organization") else name
            self.server.repos.setdefault((kind, name), {})
            self.server.private[kind, name] = asked.get("private") or asked.get("visibility") == "private"
            return self.answer({"url": f"{self.server.address}/{'datasets/' * (kind == 'dataset')}{name}"})
        found = re.match(r"/api/(\w+)s/([^/]+/[^/]+)/(\w+)/", self.path)
        if found is None:  # of the card
            return self.answer({"errors": [], "warnings": []})
        kind, repo, verb = found.groups()
        if verb == "preupload":
            files = [{"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                     for one in json.loads(body)["files"]]  # fmt: skip
            return self.answer({"files": files})
        for line in filter(None, body.split(b"\n")):
            entry = json.loads(line)
            if entry["key"] == "file":
                held = self.server.repos[kind, repo]
                held[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
        address = f"{self.server.address}/{repo}/commit/{COMMIT}"
        return self.answer({"success": True, "commitUrl": address, "commitOid": COMMIT})

    def do_GET(self):
        path = unquote(self.path.partition("?")[0])
        if found := re.match(r"/api/(\w+)s/([^/]+/[^/]+)(/revision/[^/]+)?$", path):
            kind, repo, _ = found.groups()
            held = self.server.repos.get((kind, repo))
            if held is None:
                return self.missing()
            siblings = [{"rfilename": name} for name in held]
            return self.answer({"id": repo, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []})
        if found := re.match(r"/(datasets/)?([^/]+/[^/]+)/resolve/[^/]+/(.+)$", path):
            held = self.server.repos.get(("dataset" if found[1] else "model", found[2]))
            if held is None or found[3] not in held:
                return self.missing("EntryNotFound" if held is not None else "RepoNotFound")
            tag = hashlib.sha256(held[found[3]]).hexdigest()
            return self.answer(held[found[3]], X_Repo_Commit=COMMIT, ETag=f'"{tag}"', Accept_Ranges="bytes")
        if found := re.match(r"/api/(\w+)s/([^/]+/[^/]+)/tree/", path):
            held = self.server.repos.get((found[1], found[2]), {})
            entries = [{"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                       for name, data in held.items()]  # fmt: skip
            return self.answer(entries)
        return self.missing()

    do_HEAD = do_GET


@contextmanager
def running():
    """Yields a running server: `repos`, `private` and `closed` say what it holds, and whether it lets anybody in."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.repos, server.private, server.closed = {}, {}, False
    server.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
