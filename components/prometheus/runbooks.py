"""Where the page of an alert is: what every alert carries, whoever raises it."""

from __future__ import annotations


def links(alert: str, published: str) -> dict[str, str]:
    """Annotations of an alert: its page in the repository, and its address where the pages are `published`."""
    page = f"{alert}.md"
    address = {"runbook_url": f"{published.rstrip('/')}/{page}"} if published else {}
    return {"runbook": f"runbooks/{page}", **address}
