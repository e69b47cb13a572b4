"""A provider whose starter is gone, as a process."""

from __future__ import annotations

import os
import subprocess
import sys


def test_a_provider_that_nobody_hears_ends_without_a_word() -> None:
    heard, said = os.pipe()
    os.close(heard)
    with subprocess.Popen(
        [sys.executable, "-m", "cli.provider"], stdin=subprocess.PIPE, stdout=said, stderr=subprocess.PIPE
    ) as provider:
        os.close(said)
        assert provider.stderr
        assert provider.stderr.read() == b""
    assert provider.returncode == 0


def test_a_provider_ends_with_its_lifeline() -> None:
    command = [sys.executable, "-m", "cli.provider"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as provider:
        assert provider.stdout and provider.stderr and provider.stdin
        assert int(provider.stdout.readline()) > 0
        provider.stdin.close()
        assert provider.wait(60) == 0
        assert provider.stderr.read() == b""
