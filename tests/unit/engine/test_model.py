"""What an outcome says of itself."""

from __future__ import annotations

from dataclasses import replace

from cli.engine.model import Diagnostic, Outcome, ResourceFailure

BAD = Outcome(
    environment="dev",
    ok=False,
    changes=(),
    counts={},
    outputs={},
    diagnostics=(Diagnostic("warning", "slow"), Diagnostic("error", "update failed")),
    failures=(ResourceFailure("urn:pulumi:dev::shop::Deployment::dev/api-a", "no pods\nas the image is gone"),),
    seconds=1.0,
    engine="3",
    provider="own",
)


def test_the_reasons_of_an_outcome_are_what_failed_by_name_and_the_engines_errors() -> None:
    assert BAD.reasons == ("dev/api-a: no pods\nas the image is gone", "update failed")
    assert BAD.reason == "dev/api-a: no pods"


def test_an_outcome_without_a_reason_says_so() -> None:
    assert replace(BAD, failures=(), diagnostics=()).reason == "the engine failed"
    assert replace(BAD, interrupted=True).reason == "interrupted"
