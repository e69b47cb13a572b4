"""Settings of rollouts: defaults of each tier, and what is refused, with its line."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from infra.faults import SettingsError
from infra.settings import Settings, load

APP = """\
config:
  turnout:cluster:
    sandbox: main
  turnout:app:
    image: agents
    version: 1.0.0
    services:
      api:
        replicas: 3
"""
SERVICE = "        "
SECTION = "  turnout:rollout:\n"


def read(folder: Path, text: str, environment: str = "dev") -> Settings:
    path = folder / f"Pulumi.{environment}.yaml"
    path.write_text(text)
    return load(path, environment, placeholders=True)


@pytest.mark.parametrize(
    ("environment", "soak", "warm", "no_data", "approval"),
    [("dev", 10, 60, "go-on", False), ("staging", 60, 600, "pause", False), ("prod", 300, 3600, "fail", True)],
)
def test_what_each_tier_says(
    tmp_path: Path, environment: str, soak: int, warm: int, no_data: str, approval: bool
) -> None:
    heartbeat = "  turnout:alertmanager:\n    heartbeat:\n      url: https://example.com\n"
    text = APP + SERVICE + "rollout: { strategy: canary }\n" + heartbeat
    settings = read(tmp_path, text, environment)
    chosen = settings.app.services["api"].rollout
    assert (chosen.strategy, chosen.steps, chosen.soak, chosen.warm) == ("canary", (10, 25, 50), soak, warm)
    assert (settings.rollout.no_data, settings.rollout.approval) == (no_data, approval)


def test_a_service_rolls_and_has_no_route_unless_it_says_so(tmp_path: Path) -> None:
    api = read(tmp_path, APP).app.services["api"]
    assert (api.rollout.strategy, api.rollout.two_tracks, api.route) == ("rolling", False, None)


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    text = (
        APP
        + SERVICE
        + "public: true\n"
        + SERVICE
        + "route: { gateway: public, hostnames: ['*.example.com'], path: /api }\n"
    )
    text += SECTION + (
        "    gates:\n"
        "      errors: { query: 'sum(x{service=\"$service\"})', above: 0.01, services: [api, 'to.*'] }\n"
        "      hello: { http: /hello, status: 204 }\n"
        "      smoke: { command: [bin/smoke, --fast] }\n"
        "    freeze:\n"
        "      - { from: 2026-12-20, to: 2026-12-27T10:00:00+02:00, reason: holidays }\n"
        "      - { weekly: Fri 16:00, until: Mon 07:00, time_zone: Europe/Berlin, reason: weekend }\n"
        "    access:\n"
        "      on-call: ['Group:sre', 'ServiceAccount:ci/deploy']\n"
    )
    rollout = read(tmp_path, text).rollout
    assert [gate for gate, asked in rollout.gates.items() if asked.asks("worker")] == ["hello", "smoke"]
    assert rollout.gates["errors"].asks("api") and not rollout.gates["errors"].asks("an-api")
    start, end = rollout.freeze[0].span
    assert end - start == timedelta(days=7, hours=8)
    assert rollout.access.on_call == ("Group:sre", "ServiceAccount:ci/deploy")


@pytest.mark.parametrize(
    ("said", "line", "path", "words"),
    [
        ("rollout: { stragety: canary }", 10, ".rollout.stragety", "did you mean 'strategy'?"),
        ("rollout: { strategy: bluegreen }", 10, ".rollout.strategy", "'blue-green'"),
        ("rollout:\n          steps: [50, 25]", 10, ".rollout", "each must be more than the one before"),
        ("rollout:\n          steps: [50, 100]", 11, ".rollout.steps[1]", "99"),
        ("route: { hostnames: [a.example] }", 10, ".route.gateway", "required"),
    ],
)
def test_what_a_service_may_not_say(tmp_path: Path, said: str, line: int, path: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, APP + SERVICE + said + "\n")
    [fault] = caught.value.faults
    assert (fault.line, fault.path) == (line, f"turnout:app.services.api{path}")
    assert words in fault.expected


@pytest.mark.parametrize(
    ("said", "line", "path", "words"),
    [
        ("gates: { slow: { query: x } }", 11, ".gates.slow", "exactly one of above, below"),
        ("gates: { slow: { query: x, above: 1, below: 2 } }", 11, ".gates.slow", "exactly one of above, below"),
        ("gates: { slow: { http: /x, above: 1 } }", 11, ".gates.slow", "other questions need neither"),
        ("gates: { slow: { http: /x, command: [y] } }", 11, ".gates.slow", "not http and command"),
        ("gates: { slow: {} }", 11, ".gates.slow", "not none"),
        ("gates: { slow: { http: /x, services: ['['] } }", 11, ".gates.slow.services[0]", "not a regular expression"),
        ("freeze:\n      - { from: 2026-12-20, reason: x }", 12, ".freeze[0]", "either from and to, or weekly"),
        ("freeze:\n      - { weekly: Fri 25:00, until: Mon 07:00, reason: x }", 12, ".freeze[0].weekly", "pattern"),
        ("freeze:\n      - { from: 2026-12-20, to: 2026-12-19, reason: x }", 12, ".freeze[0]", "not after from"),
        ("freeze:\n      - { time_zone: Mars/Base, reason: x }", 12, ".freeze[0].time_zone", "not a time zone"),
        ("notify: { chat: { url: slack://token } }", 11, ".notify.chat.url", "a secret in plain text"),
        ("access: { on-call: [anna] }", 11, ".access.on-call[0]", "pattern"),
    ],
)
def test_what_the_section_may_not_say(tmp_path: Path, said: str, line: int, path: str, words: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, APP + SECTION + f"    {said}\n")
    found = [fault for fault in caught.value.faults if words in fault.expected]
    assert [(fault.line, fault.path) for fault in found] == [(line, f"turnout:rollout{path}")]


def test_a_job_with_a_schedule_has_no_other_time(tmp_path: Path) -> None:
    job = '    jobs:\n      clean: { schedule: "* * * * *", when: after }\n'
    with pytest.raises(SettingsError, match="a job with a schedule runs by that alone"):
        read(tmp_path, APP + job)
