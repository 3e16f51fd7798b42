"""Simulates a visitor's page without a browser: sends the requests that the page sends, and reads the answers."""

import asyncio
import contextlib
import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

API = "gradio_api/"
Times = tuple[float, float]  # seconds to the first answer and to the last


class Refused(Exception):
    """Raised if the app answers with an error."""


@dataclass(frozen=True)
class Page:
    """The page as the server sends it to every visitor. url: its address. widgets: by number. events: with their
    triggers and outputs."""

    url: str
    widgets: dict[int, dict]
    events: list[dict]

    @classmethod
    def of(cls, url: str) -> "Page":
        config = httpx.get(url + "config", timeout=60).json()
        return cls(url, {one["id"]: one for one in config["components"]}, config["dependencies"])

    def widget(self, **props: Any) -> int:
        """The number of the first widget with these properties."""
        for number, one in self.widgets.items():
            if all((one.get("props") or {}).get(key) == value for key, value in props.items()):
                return number
        raise LookupError(f"The page has no widget with {props}.")

    def on(self, number: int, kind: str) -> list[dict]:
        """The events that call Python when `kind` happens to a widget."""
        return [one for one in self.events if [number, kind] in one["targets"] and one["backend_fn"]]

    def after(self, event: dict, kind: str) -> list[dict]:
        return [
            one for one in self.events
            if one["trigger_after"] == event["id"] and one["backend_fn"] and one["targets"][0][1] == kind
        ]  # fmt: skip

    def loads(self) -> list[dict]:
        return [one for one in self.events if one["targets"] and one["targets"][0][1] == "load" and one["backend_fn"]]

    @property
    def map(self) -> int:
        return self.widget(name="plotlychart")

    @property
    def data_sets(self) -> int:
        """The number of the widget that chooses the map's data set."""
        return self.widget(name="radio", label="Data set")


@dataclass
class _Waiting:
    begun: float
    outputs: list[int]
    first: float | None = None
    last: float | None = None
    error: str = ""
    stop: Any = None


@dataclass
class Visitor:
    """One session. values: the widgets' values, by number."""

    page: Page
    name: str
    values: dict[int, Any] = field(default_factory=dict)
    said: str = ""

    async def __aenter__(self) -> "Visitor":
        self.client = httpx.AsyncClient(base_url=self.page.url, timeout=httpx.Timeout(30, read=150))
        self.heart = None
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self.heart:
            self.heart.cancel()
            with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
                await self.heart
        await self.client.aclose()

    async def open(self) -> Times:
        """Fetches the page, tells the server that the page is open, and sends the requests that fill it."""
        begun = time.monotonic()
        (await self.client.get("")).raise_for_status()
        got = time.monotonic() - begun
        self.heart = asyncio.create_task(self._alive())
        first = [one for one in self.page.loads() if one["queue"]]
        read = next(one for one in self.page.loads() if not one["queue"])
        await asyncio.gather(self.do(*first), self._chain(read, "then"))
        return got, time.monotonic() - begun

    async def _alive(self) -> None:
        async with self.client.stream("GET", f"{API}heartbeat/{self.name}", timeout=None) as answer:
            async for _ in answer.aiter_bytes():
                pass

    async def _chain(self, event: dict, kind: str) -> Times:
        """Sends an event, and then those that it triggers, one by one."""
        begun, first = time.monotonic(), None
        while True:
            times = await self.do(event)
            first = first or times[0]
            following = self.page.after(event, kind)
            if not following:
                return first, time.monotonic() - begun
            event = following[0]

    async def change_data(self, name: str) -> Times:
        """Chooses another data set's map."""
        self.values[self.page.data_sets] = name
        return await self.do(self.page.on(self.page.data_sets, "input")[0])

    @property
    def items(self) -> list[str]:
        """Ids of the points on the map."""
        text = self._value(self.page.map) or ""
        return [item for one in re.findall(r'"customdata":(\[[^\]]*\])', text) for item in json.loads(one)]

    async def click(self, item: str) -> Times:
        """Clicks on a point of the map. The first answer is its picture; the last one completes the rest of the
        panel."""
        return await self.do(self.page.on(self.page.map, "pick")[0], data={"id": item})

    async def alpha(self, value: float) -> Times:
        """Moves α as a visitor does whose browser leaves the pictures to the server."""
        self.values[self.page.widget(label="α: from the first fit to the second")] = value
        sheet = self.page.widget(name="fieldsheet", elem_classes=["wsr-six", "wsr-walked"])
        return await self.do(self.page.on(sheet, "ask")[0])

    async def open_tab(self, name: str) -> Times:
        number = self.page.widget(id=name, name="tab")
        events = self.page.on(number, "select")
        found = await asyncio.gather(*(self._chain(event, "then") for event in events))
        return min(first for first, _ in found), max(last for _, last in found)

    async def choose_sample(self, sample: str) -> Times:
        return await self.do(self._named("choose_sample"), data={"id": sample})

    async def upload(self, path: Path) -> str:
        """Uploads a file, and returns what the page says about it."""
        answer = await self.client.post(f"{API}upload", files={"files": (path.name, path.read_bytes())})
        answer.raise_for_status()
        event = self._named("choose_upload")
        meta = {"path": answer.json()[0], "orig_name": path.name, "meta": {"_type": "gradio.FileData"}}
        self.values[event["inputs"][0]] = meta
        self.said = ""
        await self.do(event)
        return self.said

    async def fit(self, steps: int, until: float) -> Times:
        """Presses Fit, and Stop when the time is over. The last answer is the one that resets the buttons."""
        press = self.page.on(self.page.widget(value="Fit", name="button"), "click")[0]
        begun = time.monotonic()
        await self.do(press)
        fitting = self.page.after(press, "then")[0]
        while not fitting["api_name"].startswith("fit"):  # the target is measured first
            await self.do(fitting)
            fitting = self.page.after(fitting, "then")[0]
        self.values[self.page.widget(name="slider", label="Steps")] = steps
        buttons = [number for number in press["outputs"] if self.page.widgets[number]["props"].get("value") == "Stop"]
        stop = asyncio.create_task(self._stop_at(until, buttons[0]))
        first, _ = await self.do(fitting, stop=stop)
        stop.cancel()
        for event in self.page.after(fitting, "success"):
            await self.do(event)
        return first, time.monotonic() - begun

    async def _stop_at(self, until: float, button: int) -> None:
        await asyncio.sleep(max(until - time.monotonic(), 0))
        await self.do(self.page.on(button, "click")[0])

    def _named(self, name: str) -> dict:
        return next(one for one in self.page.events if one["api_name"] == name)

    def _value(self, number: int) -> Any:
        if number in self.values:
            return self.values[number]
        return (self.page.widgets[number].get("props") or {}).get("value")

    async def do(self, *events: dict, data: Any = None, stop: Any = None) -> Times:
        """Sends the events of one trigger, and waits for all answers. Returns the seconds to the first values and to
        the end."""
        begun = time.monotonic()
        waiting = await asyncio.gather(*(self._send(event, data, begun, stop) for event in events))
        queued = [one for one in waiting if one is not None]
        if queued:
            await asyncio.gather(*(one.stop.wait() for one in queued))
        for one in queued:
            if one.error:
                raise Refused(one.error)
        now = time.monotonic() - begun
        return min((one.first for one in queued), default=now), max((one.last for one in queued), default=now)

    async def _send(self, event: dict, data: Any, begun: float, _stop: Any) -> _Waiting | None:
        body = {
            "data": [None if self._is_state(number) else self._value(number) for number in event["inputs"]],
            "event_data": data, "fn_index": event["id"], "session_hash": self.name,
            "trigger_id": event["targets"][0][0] if event["targets"] else None,
        }  # fmt: skip
        if not event["queue"]:
            answer = await self.client.post(f"{API}run/predict", json=body)
            if answer.status_code != 200:
                raise Refused(f"{answer.status_code} {answer.text[:200]}")
            self._take(event["outputs"], answer.json().get("data") or [])
            return None
        answer = await self.client.post(f"{API}queue/join", json=body)
        if answer.status_code != 200:
            raise Refused(f"{answer.status_code} {answer.text[:200]}")
        waiting = _Waiting(begun, event["outputs"], stop=asyncio.Event())
        self._pending()[answer.json()["event_id"]] = waiting
        self._listen()
        return waiting

    def _is_state(self, number: int) -> bool:
        return self.page.widgets[number]["type"] == "state"

    def _pending(self) -> dict[str, _Waiting]:
        return self.__dict__.setdefault("_waiting", {})

    def _listen(self) -> None:
        """Reads the stream of answers, which is open while any answer is awaited."""
        task = self.__dict__.get("_stream")
        if task is None or task.done():
            self.__dict__["_stream"] = asyncio.create_task(self._read())

    async def _read(self) -> None:
        try:
            while self._pending():
                async with self.client.stream("GET", f"{API}queue/data", params={"session_hash": self.name}) as answer:
                    async for line in answer.aiter_lines():
                        if line.startswith("data:") and not self._told(json.loads(line[5:])):
                            break
        except Exception as error:
            for one in self._pending().values():
                one.error = f"{type(error).__name__} {error}"
                one.last = one.first = time.monotonic() - one.begun
                one.stop.set()
            self._pending().clear()

    def _told(self, message: dict) -> bool:
        """Handles one message of the stream. Returns False when the stream ends."""
        kind, waiting = message["msg"], self._pending().get(message.get("event_id"))
        if kind in ("unexpected_error", "server_stopped"):
            raise Refused(message.get("message", kind))
        if waiting and kind in ("process_generating", "process_completed"):
            now, output = time.monotonic() - waiting.begun, message.get("output") or {}
            if message.get("success", True):
                self._take(waiting.outputs, output.get("data") or [])
            else:
                waiting.error = str(output.get("error") or output)
            waiting.first = waiting.first or now
            if kind == "process_completed":
                waiting.last = now
                self._pending().pop(message["event_id"])
                waiting.stop.set()
        return kind != "close_stream"

    def _take(self, outputs: list[int], data: list) -> None:
        for number, value in zip(outputs, data, strict=False):
            if isinstance(value, list) and (not value or value[0][:1] == ["replace"]):  # a later part of it
                if not value:
                    continue
                value = value[0][2]
            if isinstance(value, dict) and value.get("__type__") == "update":
                if "value" not in value:
                    continue
                value = value["value"]
            self.values[number] = value
            if isinstance(value, str) and "wsr-state" in value:
                self.said = re.sub(r"<[^>]*>", "", value)
