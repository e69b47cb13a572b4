"""The credential plugin of a kubeconfig: run once for all who need a token at the same time, and not for ever."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import Future
from typing import Any

import httpx2
from lightkube.config.client_adapter import ExecAuth
from lightkube.core.exceptions import ConfigError

LIMIT = 300.0
"""Seconds for one run: a person may have to log in by a browser and a second factor (kubelogin gives 180 for that)."""


class Plugin(ExecAuth):
    """Whoever waits for a run shares what comes of it, also a failure. Raises ConfigError when there is no token."""

    def __init__(self, words: Any) -> None:
        """`words`: what the kubeconfig says under `exec`."""
        super().__init__(words)
        self._turn = threading.Lock()
        self._runs = 0
        self._failure = ""

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        if used := self._last_bearer:
            request.headers["Authorization"] = used
            response = yield request
            if response.status_code != 401:
                return
        request.headers["Authorization"] = self._fresh(used)
        yield request

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        if used := self._last_bearer:
            request.headers["Authorization"] = used
            response = yield request
            if response.status_code != 401:
                return
        request.headers["Authorization"] = await self._fresh_beside(used)
        yield request

    async def _fresh_beside(self, used: str | None) -> str:
        """On a thread, so that a request that gives up does not end the login that others wait for."""
        answer: Future[str] = Future()
        answer.set_running_or_notify_cancel()

        def work() -> None:
            try:
                answer.set_result(self._fresh(used))
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=work, name="credential plugin", daemon=True).start()
        return await asyncio.wrap_future(answer)

    def _fresh(self, used: str | None) -> str:
        """Another bearer than `used`, which was refused."""
        before = self._runs
        with self._turn:
            if self._last_bearer == used and self._runs == before:
                self._run()
            if self._failure or not self._last_bearer:
                raise ConfigError(self._failure)
            return self._last_bearer

    def _run(self) -> None:
        self._failure = "interrupted"
        try:
            self._last_bearer = f"Bearer {self._token()}"
            self._failure = ""
        except ConfigError as error:
            self._failure = str(error)
        finally:
            self._runs += 1

    def _token(self) -> str:
        words, environment = self._prepare()
        called = f"the credential plugin {words[0]}"
        try:
            done = subprocess.run(words, env=environment, capture_output=True, timeout=LIMIT, check=False)
        except subprocess.TimeoutExpired as error:
            raise ConfigError(f"{called} did not end within {LIMIT:g} s") from error
        except OSError as error:
            raise ConfigError(f"{called} cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            raise ConfigError(f"{called} ended with {done.returncode}: {done.stderr.decode(errors='replace').strip()}")
        return _token_in(done.stdout, called)


def _token_in(output: bytes, called: str) -> str:
    """Its output is never shown: it may hold a credential."""
    try:
        return str(json.loads(output)["status"]["token"])
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{called} printed no token") from None
