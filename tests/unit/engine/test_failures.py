from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from cli.engine import failures

LOCKED = """error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete \
the lock file with `pulumi cancel`.
  file:///s/.pulumi/locks/organization/turnout/dev/1.json: created by ann@build-3 (pid 42) at {at}"""


def test_a_lock_names_its_owner_host_and_age() -> None:
    at = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    error = failures.classify(LOCKED.format(at=at), "dev")
    assert isinstance(error, failures.StackLocked)
    assert error.exit_code == 5
    assert "ann@build-3, process 42, for 5 min" in error.what
    assert "--wait" in error.next
    assert "turnout repair dev --unlock" in error.next


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("error: getting secrets manager: incorrect passphrase", failures.WrongPassphrase, 2),
        ("error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or …", failures.NoPassphrase, 2),
        ("error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /x: no such file", failures.NoPassphrase, 2),
        ("error: could not find latest version for provider kubernetes", failures.MissingPlugin, 1),
        ("error: no resource plugin 'pulumi-resource-kubernetes' found", failures.MissingPlugin, 1),
        ("error: no stack named 'dev' found", failures.StackMissing, 1),
        ('error: blob (key ".pulumi/locks/organization/shop/dev/1.json") (code=NotFound)', failures.StackLocked, 5),
        ('Apply failed with 1 conflict: conflict with "kubectl" using apps/v1', failures.FieldConflict, 1),
        ("error: write /s/x.json: no space left on device", failures.StateUnreadable, 1),
    ],
)
def test_each_known_fault_has_its_class_and_a_next_command(text: str, kind: type, code: int) -> None:
    error = failures.classify(text, "dev")
    assert type(error) is kind
    assert error is not None
    assert error.exit_code == code
    assert error.next


def test_anything_else_is_told_in_the_engines_own_words() -> None:
    assert failures.classify("error: a bug", "dev") is None
    assert failures.unknown("\nerror: a bug\n", "dev").why == "error: a bug"


def test_a_conflict_names_the_manager() -> None:
    error = failures.classify('Apply failed with 1 conflict: conflict with "kubectl-edit" using v1: .data', "dev")
    assert error is not None
    assert "kubectl-edit" in error.what


def test_an_environment_without_state_is_known_by_the_engines_exit_code() -> None:
    assert isinstance(failures.classify("error: in other words", "dev", 6), failures.StackMissing)
    assert failures.classify("error: in other words", "dev", 255) is None


def test_a_program_that_fails_is_told_with_its_own_lines_and_no_values() -> None:
    hush = "hunter2"
    try:
        json.loads(f"{hush}")
    except ValueError as error:
        told = str(failures.of_program(error))
    assert "JSONDecodeError: Expecting value" in told
    assert f"{__file__}, line " in told
    assert "json/decoder.py" not in told
    assert hush not in told


def test_a_refusal_of_the_environments_own_policy_says_who_why_and_the_way_out() -> None:
    text = (
        "Preview failed: not allowed: apply Deployment dev/api-a\n"
        "why: deployments.apps \"api-a\" is forbidden: ValidatingAdmissionPolicy 'turnout-dev-pins' with binding "
        "'turnout-dev-pins' denied request: api-a: image app:2 is pinned out of dev (pin 41): anna took it back at "
        "2026-01-01T00:00:00Z because: it errs; to let it in again: turnout unpin dev 41\n"
    )
    error = failures.classify(text, "dev")
    assert error is not None
    assert (error.exit_code, error.next) == (4, "turnout unpin dev 41")
    assert error.why.startswith("api-a: image app:2 is pinned out of dev")
