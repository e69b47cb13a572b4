"""Each check of the settings sees the fault that is planted for it, and nothing else in the repository's own files."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.validate.checks import RULES, validate
from cli.validate.model import Level
from tests.unit.validate.planted import Planted

ROOT = Path(__file__).resolve().parents[3]
DEV, STAGING, PROD = "Pulumi.dev.yaml", "Pulumi.staging.yaml", "Pulumi.prod.yaml"
API = "      api:\n"
RUNNER = "      runner:\n"


def test_the_repository_has_no_error_and_no_warning() -> None:
    report = validate(ROOT)

    assert report.of(Level.ERROR) == report.of(Level.WARNING) == []
    assert {finding.rule for finding in report.of(Level.NOTE)} == {"contradiction", "example-value", "secret-missing"}


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        pytest.param(
            DEV,
            "        replicas: 3\n",
            "        replicas: 2\n",
            [("needless", "warning", [f"{DEV}:11: turnout:app.services.api.replicas"])],
            id="a-tiers-default",
        ),
        pytest.param(
            DEV,
            "        replicas: 3\n",
            "        replicas: 3\n        resources: { memory: 32Mi }\n",
            [("needless", "warning", [f"{DEV}:12: turnout:app.services.api.resources.memory"])],
            id="a-default-in-part",
        ),
        pytest.param(
            STAGING,
            API,
            f"{API}        metrics_port: 8080\n",
            [
                (
                    "contradiction",
                    "error",
                    [
                        f"{STAGING}:11: turnout:app.services.api.metrics_port",
                        f"{STAGING}:10: turnout:app.services.api.port",
                    ],
                )
            ],
            id="two-listeners-at-one-port",
        ),
        pytest.param(
            STAGING,
            API,
            f'{API}        env: {{ HTTP_PORT: "9000" }}\n',
            [
                (
                    "contradiction",
                    "error",
                    [
                        f"{STAGING}:11: turnout:app.services.api.env.HTTP_PORT",
                        f"{STAGING}:10: turnout:app.services.api.port",
                    ],
                )
            ],
            id="a-variable-that-turnout-tells",
        ),
        pytest.param(
            DEV,
            "    image: agents\n",
            '    image: agents\n    env: { MODE: "a", A: "1" }\n',
            [],
            id="variables-of-its-own",
        ),
        pytest.param(
            DEV,
            "        public: true\n",
            "        public: true\n        rollout: { steps: [20] }\n",
            [
                (
                    "without-use",
                    "warning",
                    [
                        f"{DEV}:13: turnout:app.services.api.rollout.steps",
                        f"{DEV}:13: turnout:app.services.api.rollout.strategy",
                    ],
                )
            ],
            id="steps-without-canary",
        ),
        pytest.param(
            DEV,
            '        schedule: "*/15 * * * *"\n',
            "        overlap: Allow\n",
            [("without-use", "warning", [f"{DEV}:20: turnout:app.jobs.sweep.overlap"])],
            id="overlap-without-schedule",
        ),
        pytest.param(
            DEV,
            "        calls: [tools, postgres, redis]\n    jobs",
            "        calls: [postgres, redis]\n    jobs",
            [],
            id="still-called-by-one",
        ),
        pytest.param(
            DEV,
            "        public: true\n        calls: [tools, postgres, redis]\n",
            "        public: true\n        calls: [postgres]\n",
            [],
            id="still-called-by-another",
        ),
        pytest.param(
            DEV,
            "        public: true\n",
            "",
            [("without-use", "warning", [f"{DEV}:12: turnout:app.services.api.calls"])],
            id="a-service-that-nobody-reaches",
        ),
        pytest.param(
            STAGING,
            RUNNER,
            f"{RUNNER}        deadline: 3600\n",
            [
                (
                    "contradiction",
                    "warning",
                    [
                        f"{STAGING}:17: turnout:app.workers.runner.deadline",
                        f"{STAGING}:1: turnout:rollout.deadline",
                    ],
                )
            ],
            id="a-part-slower-than-the-rollout",
        ),
        pytest.param(
            DEV,
            "    image: agents\n",
            "    image: registry:5000/agents:1.0.0\n",
            [
                (
                    "contradiction",
                    "error",
                    [f"{DEV}:7: turnout:app.image", f"{DEV}:8: turnout:app.version"],
                )
            ],
            id="a-tag-in-the-image",
        ),
        pytest.param(
            DEV,
            "    version: 1.0.0\n",
            f"    version: 1.0.0\n    digest: sha256:{'ab' * 32}\n",
            [
                (
                    "without-use",
                    "warning",
                    [f"{DEV}:9: turnout:app.digest", f"{DEV}:5: turnout:cluster.sandbox"],
                )
            ],
            id="a-digest-in-a-sandbox",
        ),
        pytest.param(
            PROD,
            "    version: 1.0.0\n",
            "    version: 1.1.0\n",
            [
                (
                    "contradiction",
                    "error",
                    [
                        f"{STAGING}:8: turnout:app.digest",
                        f"{PROD}:8: turnout:app.digest",
                        f"{STAGING}:7: turnout:app.version",
                    ],
                )
            ],
            id="one-digest-two-versions",
        ),
        pytest.param(
            DEV,
            "    version: 1.0.0\n",
            "    version: latest\n",
            [("image-not-pinned", "warning", [f"{DEV}:8: turnout:app.version"])],
            id="a-tag-that-moves",
        ),
        pytest.param(
            PROD,
            f"    digest: sha256:{'1' * 64} # of your own image\n",
            "",
            [("settings", "error", [f"{PROD}:1"])],
            id="no-digest-in-prod",
        ),
        pytest.param(
            PROD,
            "  turnout:alertmanager:\n",
            "  turnout:rollout:\n    gates:\n      smoke: { http: /smoke, services: [web] }\n  turnout:alertmanager:\n",
            [("names-nothing", "error", [f"{PROD}:26: turnout:rollout.gates.smoke.services"])],
            id="a-gate-of-nobody",
        ),
        pytest.param(
            PROD,
            "    context: prod\n",
            "    context: staging\n",
            [("shared-cluster", "note", [f"{STAGING}:3: turnout:cluster", f"{PROD}:3: turnout:cluster"])],
            id="prod-in-the-cluster-of-staging",
        ),
        pytest.param(
            STAGING,
            API,
            f"{API}        env: {{ API_TOKEN: abc }}\n",
            [("secret-in-plain-text", "error", [f"{STAGING}:11: turnout:app.services.api.env.API_TOKEN"])],
            id="a-variable-that-is-a-secret",
        ),
        pytest.param(
            STAGING,
            API,
            f"{API}        env: {{ DB_PASS: abc, GOOGLE_APPLICATION_CREDENTIALS: /etc/key.json }}\n",
            [("secret-in-plain-text", "error", [f"{STAGING}:11: turnout:app.services.api.env.DB_PASS"])],
            id="a-variable-with-a-short-name-of-a-secret",
        ),
        pytest.param(
            STAGING,
            API,
            f"{API}        env: {{ DATABASE: postgres://app:hunter2@db/app }}\n",
            [("secret-in-plain-text", "error", [f"{STAGING}:11: turnout:app.services.api.env.DATABASE"])],
            id="an-address-with-a-password",
        ),
        pytest.param(
            DEV,
            "    sandbox: main\n",
            "    sandbox: main\n    sandbox: other\n",
            [
                (
                    "defined-twice",
                    "error",
                    [f"{DEV}:6: config.turnout:cluster.sandbox", f"{DEV}:5: config.turnout:cluster.sandbox"],
                )
            ],
            id="a-key-twice",
        ),
        pytest.param(
            "Pulumi.yaml",
            "main: infra\n",
            "main: infra\nconfig:\n  turnout:app:\n    value: {}\n",
            [
                (
                    "defined-elsewhere",
                    "error",
                    [
                        "Pulumi.yaml:9: config.turnout:app",
                        f"{DEV}:6: turnout:app",
                        f"{STAGING}:5: turnout:app",
                        f"{PROD}:5: turnout:app",
                    ],
                )
            ],
            id="a-setting-in-the-projects-file",
        ),
        pytest.param(
            DEV,
            "        replicas: 3\n",
            "        replicas: 3\n        drain: { pause: 0 }\n",
            [("trap", "warning", [f"{DEV}:12: turnout:app.services.api.drain.pause"])],
            id="a-trap",
        ),
        pytest.param(
            DEV,
            "    image: agents\n",
            "    imge: agents\n",
            [
                ("settings", "error", [f"{DEV}:6: turnout:app.image"]),
                ("settings", "error", [f"{DEV}:7: turnout:app.imge"]),
            ],
            id="every-fault",
        ),
    ],
)
def test_a_planted_fault_is_found(planted: Planted, file: str, old: str, new: str, expected: object) -> None:
    planted.edit(file, old, new)

    assert planted.said() == expected


def test_what_all_environments_say_alike_should_be_the_default(planted: Planted) -> None:
    for file in (DEV, STAGING, PROD):
        planted.append(file, "  turnout:loki: { retention: 3d }\n")

    [found] = planted.found()
    assert (found.rule, len(found.places)) == ("same-everywhere", 3)
    assert found.remedy == "make it the default (`defaults` in components/loki/settings.py), and take the lines out"


def test_one_variable_for_every_part_is_not_repeated(planted: Planted) -> None:
    planted.edit(DEV, "    image: agents\n", "    image: agents\n    env: { MODE: a }\n")
    planted.edit(DEV, "        replicas: 3\n", "        replicas: 3\n        env: { MODE: a }\n")

    assert planted.said() == [
        ("needless", "warning", [f"{DEV}:13: turnout:app.services.api.env.MODE", f"{DEV}:8: turnout:app.env.MODE"])
    ]


def test_two_services_may_not_take_one_route(planted: Planted) -> None:
    planted.edit(DEV, "        public: true\n", "        route: { gateway: main }\n")
    planted.edit(DEV, "      tools: {}\n", "      tools: { route: { gateway: main } }\n")

    assert planted.said() == [
        (
            "contradiction",
            "error",
            [f"{DEV}:14: turnout:app.services.tools.route", f"{DEV}:12: turnout:app.services.api.route"],
        )
    ]


def test_one_namespace_for_two_environments(planted: Planted) -> None:
    text = (planted.root / DEV).read_text()
    planted.write("Pulumi.dev-agents.yaml", text.replace("sandbox: main", "sandbox: main\n    tier: dev"))

    assert [each for each in planted.said() if each[1] == "error"] == [
        ("contradiction", "error", ["Pulumi.dev-agents.yaml:4: turnout:cluster", f"{DEV}:4: turnout:cluster"])
    ]


def test_a_database_that_nobody_calls(planted: Planted) -> None:
    text = (planted.root / DEV).read_text().replace(", redis]", "]")
    planted.write(DEV, text)

    assert planted.said() == [("without-use", "warning", [f"{DEV}:1: turnout:redis"])]


def test_only_what_concerns_the_environments_asked_for(planted: Planted) -> None:
    planted.edit(DEV, "        replicas: 3\n", "        replicas: 2\n")
    planted.edit(PROD, "    page: on-call\n", "")

    assert {each.rule for each in validate(planted.root, ["dev"]).of(Level.WARNING)} == {"needless"}
    assert {each.rule for each in validate(planted.root, ["prod"]).of(Level.WARNING)} == {"contradiction"}


def test_every_rule_that_is_reported_is_listed(planted: Planted) -> None:
    planted.edit(DEV, "        replicas: 3\n", "        replicas: 2\n")

    assert {finding.rule for finding in (*planted.before, *planted.found())} <= RULES.keys()
