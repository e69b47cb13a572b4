"""A Pulumi resource provider named kubernetes, for where the official plugin cannot be had.

It keeps to the official provider's contract (pulumi-kubernetes 4.34): the same inputs, state, field managers,
replacement rules and waiting rules, so that a stack can be handed from one to the other at any time.
Run it as `python -m cli.provider`. Where it differs:

| | official | here |
|---|---|---|
| Helm, Kustomize, YAML v2, Patch of custom kinds | yes | refused by name |
| client-side apply, rendering to a folder | yes | refused by name |
| a Deployment past its progress deadline | waited for until the timeout | failed, with the pods' last log lines |
| a Service that selects pods | about 10 s after its endpoints settle | ready with its first endpoint |
| an update that the server refuses | recorded, with an init error | not recorded: nothing was changed |
| a create whose answer was lost | "already exists" at the next try | read back |
| a new kind (CRD) | not waited for | until it is served |
| deleting what owns nothing (ConfigMap, Role, …) | in the foreground | in the background: the same, sooner |
| a preview's outputs | the dry run's, with a uid and a time of its own | without what only the real run can tell |
| a field that its kind does not have | left out in silence | left out with a warning |
| an object of another kind than its type says | sent, and refused by the server | refused by Check |
| the eight digits of a made-up name | from the engine's seed | from the same seed, by another way: kept once made |
"""

VERSION = "4.34.2"
"""The version of the official provider whose contract this one keeps."""
