"""A Pulumi resource provider named kubernetes, for where the official plugin cannot be had.

It keeps to the official provider's contract (pulumi-kubernetes 4.34): the same inputs, state, field managers,
replacement rules and waiting rules, so that a stack can be handed from one to the other at any time.
Run it as `python -m cli.provider`. Where it differs:

| | official | here |
|---|---|---|
| Helm, Kustomize | yes | refused by name, with the way out |
| client-side apply, rendering to a folder | yes | refused by name |
| what cannot become ready any more (a Deployment past its deadline, …) | waited for | failed at once, with the cause |
| a Service that selects pods | about 10 s after its endpoints settle | ready with its first endpoint; 10 s if none |
| an Ingress | an address, and up to a minute for the Services that it names | an address |
| a StatefulSet with a partition, a DaemonSet with OnDelete | never ready | ready when the pods that it means are |
| PV, PVC, ResourceQuota, token Secret | 5 min, 5 min, 1 min, 5 s, whatever is asked for | the same unless asked for |
| a `waitFor` that cannot be read | an error after the object was made | refused before |
| a delete that is cancelled | an error, the object stays in the state | done: the deletion was accepted |
| a preview of an unreachable cluster | the inputs | an error |
| secrets inside ConfigGroup's `yaml` and `objs` | plain in the state, but for Secrets | stay secret |
| an update that the server refuses | recorded, with an init error | not recorded: nothing was changed |
| a create whose answer was lost | "already exists" at the next try | read back |
| a new kind (CRD) | not waited for | until it is served |
| deleting what owns nothing (ConfigMap, Role, …) | in the foreground | in the background: the same, sooner |
| a preview's outputs | the dry run's, with a uid and a time of its own | without what only the real run can tell |
| a field that its kind does not have | left out in silence | left out with a warning |
| an ignored field in `__inputs` after an update | as it was sent | as it was asked for; no plan shows it |
| an object of another kind than its type says | sent, and refused by the server | refused by Check |
| the eight digits of a made-up name | from the engine's seed | from the same seed, by another way: kept once made |
"""

VERSION = "4.34.2"
"""The version of the official provider whose contract this one keeps."""
