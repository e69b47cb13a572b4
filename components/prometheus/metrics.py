"""The metrics by which the app's promises are counted (OpenTelemetry HTTP and GenAI semantic conventions)."""

from __future__ import annotations

from typing import Final

REQUESTS: Final = "http_server_request_duration_seconds"
WORKFLOWS: Final = "gen_ai_workflow_duration_seconds"

EVENTS, BAD_EVENTS = "slo:events:rate5m", "slo:bad_events:rate5m"
"""What is recorded of an availability promise: a second's events, and the bad ones among them (label `slo`)."""
RECORDED_EVERY: Final = 30
"""Seconds between two samples of what is recorded of a promise."""
PROMISED_DAYS: Final = 30
"""A promise is about so many days."""
