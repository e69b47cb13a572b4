"""Talking to a Kubernetes API server: pure requests and judgements, with two thin drivers (sync, async)."""
