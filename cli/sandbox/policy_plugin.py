"""A CNI plugin behind the bridge: tells the keeper a new pod's address and waits until the rules know it.

So policies hold from a pod's first packet on, and its peers know it before its first connection. It is copied out of
this package and started by containerd for each pod, so it uses the standard library only. Without a keeper the pod
starts all the same: the rules then follow when its status shows its address.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from typing import Any

SOCKET = "/run/containerd/turnout-policy.sock"
TIMEOUT = 10.0
"""Seconds that the keeper has to answer; where there is none, the connection is refused at once."""
VERSIONS = {"cniVersion": "1.0.0", "supportedVersions": ["0.3.1", "0.4.0", "1.0.0"]}


def announcement(arguments: str, result: dict[str, Any]) -> dict[str, str]:
    """Who has got which address, from CNI_ARGS and the result of the plugin before."""
    words = dict(word.split("=", 1) for word in arguments.split(";") if "=" in word)
    address = result["ips"][0]["address"].partition("/")[0]
    return {"namespace": words["K8S_POD_NAMESPACE"], "name": words["K8S_POD_NAME"], "ip": address}


def tell(message: dict[str, str]) -> None:
    """Returns when the keeper has answered."""
    with socket.socket(socket.AF_UNIX) as keeper:
        keeper.settimeout(TIMEOUT)
        keeper.connect(SOCKET)
        keeper.sendall(json.dumps(message).encode() + b"\n")
        keeper.recv(16)


def main() -> None:
    """Answer one CNI command (CNI specification 1.0.0, section 3)."""
    command = os.environ.get("CNI_COMMAND")
    if command == "VERSION":
        print(json.dumps(VERSIONS))
    if command != "ADD":
        return
    result = json.load(sys.stdin)["prevResult"]
    try:
        tell(announcement(os.environ.get("CNI_ARGS", ""), result))
    except (OSError, KeyError, IndexError) as error:
        print(f"turnout-policy: {error}", file=sys.stderr)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
