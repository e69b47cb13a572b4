"""Names by which parts that never call each other know one another's objects: labels, annotations, a log stream."""

from __future__ import annotations

from typing import Final

ENVIRONMENT: Final = "turnout.dev/environment"
COMPONENT: Final = "turnout.dev/component"
APP: Final = "app"
"""The component that releases are of: what a rollout moves and a rollback brings back."""
WORKLOAD: Final = "app.kubernetes.io/name"
"""Kubernetes' recommended label: which workload an object belongs to."""
KIND: Final = "turnout.dev/kind"
"""What turnout keeps in it: a release record, an audit entry."""
TRACK: Final = "turnout.dev/track"
TEMPLATE: Final = "turnout.dev/template"
"""Annotation of a Deployment: the hash of its pod template, the same on both tracks."""
EPOCH: Final = "turnout.dev/epoch"
"""Annotation of a Deployment: the epoch of the cursor that its writer knew of; none means 0."""
CONTENT: Final = "turnout.dev/content"
"""Which part of an object's name is the hash of its content."""
PIECES: Final = "turnout.dev/pieces"
"""How many objects a release record is kept in."""

CURSOR: Final = "cursor"
PINS: Final = "pins"
ROLLOUT: Final = "rollout"
"""ConfigMaps of the control namespace that `turnout` writes and admission policies read."""
NOTIFY: Final = "notify"
"""The Secret of the control namespace that the program writes: where to notify."""
RELEASE: Final = "release"
"""The stack's output that names the release record which the program wrote."""

RELEASE_RECORD: Final = "release-record"
AUDIT_STREAM: Final = "turnout-audit"
"""The job under which the audit trail is in Loki."""
