"""What wsr asks of the Hugging Face Hub, through `huggingface_hub`, and the sentences for what goes wrong there.

Things on the Hub are named "hub:OWNER/NAME", with "@REVISION" behind it for another revision than the newest. The
environment variable HF_ENDPOINT names another server with the same interface. Tokens are `huggingface_hub`'s own
affair: wsr never reads one.
"""

import functools
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from wsr.errors import WsrError

PREFIX, MAIN = "hub:", "main"
BASE_FILE = "base.safetensors"
READ = ("*.safetensors", "zoo.json", "index.parquet", "README.md")  # nothing else is ever fetched
Kind = Literal["model", "dataset"]
_NAME = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")
_CONNECTION = ("httpx", "httpcore", "requests", "urllib3")  # whose errors mean that there is no connection


@dataclass(frozen=True)
class Place:
    """A repository on the Hub. repo: OWNER/NAME."""

    repo: str
    revision: str = MAIN

    @classmethod
    def named(cls, name: str) -> "Place":
        """Reads a name, with or without "hub:" before it. WsrError for anything else."""
        repo, _, revision = str(name).removeprefix(PREFIX).partition("@")
        if not _NAME.fullmatch(repo):
            raise WsrError(
                f"A repository on the Hub is named like hub:OWNER/NAME, or hub:OWNER/NAME@REVISION, not {name!r}."
            )
        return cls(repo, revision or MAIN)


def on_hub(name: str | Path) -> bool:
    """Tells whether a name is that of something on the Hub."""
    return isinstance(name, str) and name.startswith(PREFIX)


@functools.lru_cache(maxsize=64)
def fetched(name: str, file: str, kind: Kind = "model") -> Path:
    """Returns one file of a repository, fetched into the cache of `huggingface_hub` if it is not there. A process asks
    only once. Without a connection the file that was fetched last is taken. WsrError if there is none."""
    place = Place.named(name)
    with told(place.repo):
        found = hf_hub_download(
            place.repo, file, revision=place.revision, repo_type=kind, endpoint=_endpoint(), etag_timeout=10
        )  # fmt: skip
    return Path(found)


def fetch_folder(place: Place, folder: Path) -> Kind:
    """Fetches the files of a repository that wsr reads into a folder, and returns what kind of repository it is.
    WsrError if there is none of this name."""
    with told(place.repo):
        kind = _kind(place)
        snapshot_download(
            place.repo, repo_type=kind, revision=place.revision, local_dir=folder, allow_patterns=list(READ),
            endpoint=_endpoint(),
        )  # fmt: skip
    return kind


def send_folder(repo: str, folder: Path, kind: Kind, *, private: bool, message: str) -> str:
    """Writes a folder into a repository, which is made if it does not exist, and returns its address. WsrError if it
    cannot be written."""
    with told(repo):
        api = HfApi(endpoint=_endpoint())
        made = api.create_repo(repo, repo_type=kind, private=private, exist_ok=True)
        api.upload_folder(repo_id=repo, folder_path=folder, repo_type=kind, commit_message=message)
    return str(made)


def _kind(place: Place) -> Kind:
    api = HfApi(endpoint=_endpoint())
    try:
        api.repo_info(place.repo, repo_type="dataset", revision=place.revision)
        return "dataset"
    except RepositoryNotFoundError:
        api.repo_info(place.repo, repo_type="model", revision=place.revision)
        return "model"


def _endpoint() -> str | None:
    return os.environ.get("HF_ENDPOINT") or None


@contextmanager
def told(repo: str) -> Iterator[None]:
    """Turns what `huggingface_hub` raises into one sentence."""
    try:
        yield
    except WsrError:
        raise
    except Exception as error:
        raise _sentence(repo, error) from None


def _sentence(repo: str, error: Exception) -> WsrError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    brief = " ".join(str(error).split())[:150]
    offline = isinstance(error, (OfflineModeIsEnabled, LocalEntryNotFoundError, ConnectionError, TimeoutError))
    if isinstance(error, HfHubHTTPError) and status in (401, 403):
        return WsrError(
            f"The Hub does not let you do that with {repo!r}: log in by `hf auth login` with a token that may, or name "
            "a repository of yours."
        )
    if isinstance(error, RepositoryNotFoundError):
        return WsrError(
            f"There is no {repo!r} on the Hub, or it is private: check the name, or log in by `hf auth login`."
        )
    if offline or type(error).__module__.startswith(_CONNECTION):
        return WsrError(
            f"The Hub cannot be reached from here, and {repo!r} has not been fetched before: everything else works "
            "without it. Try again with a connection."
        )
    return WsrError(f"The Hub did not do what it was asked with {repo!r} ({brief}).")
