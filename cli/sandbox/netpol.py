"""NetworkPolicies as one nft table: a pure function from policies, pods and namespaces to a ruleset.

kube-proxy rewrites a Service's address to a pod's in the prerouting hook, and the source of a hairpin only in the
postrouting hook. So the forward hook in between sees both pods' own addresses, also for two pods on one bridge
(br_netfilter takes those packets there). The node's own connections, probes and the API server's, pass the output hook,
which has no rules; the host's pass by address. What a pod sends to the node itself comes by the input hook.

A pod that no policy selects for a direction has no entry in that direction's map and is left alone. Chains are named by
their content, so pods with the same rules share one.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cli.sandbox.selectors import Labels, Object, Pod, peers, pods, selected

TABLE = "turnout-policy"
# Refused, not dropped, so that the client hears of it. A reset is heard at once, an ICMP answer to a SYN a second later
# (it arrives while connect() still has the socket). But the reset of a bridged packet is sent as it is, and a client
# that called a Service would not know whom it is from; ICMP answers are translated back.
REFUSE = (
    "ct status dnat reject with icmp admin-prohibited",
    "ip protocol tcp reject with tcp reset",
    "reject with icmp admin-prohibited",
)
Direction = Literal["ingress", "egress"]
DIRECTIONS: tuple[Direction, ...] = ("ingress", "egress")
_PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}


@dataclass(frozen=True)
class Cluster:
    """What policies are about."""

    policies: Sequence[Object]
    pods: Sequence[Pod]
    namespaces: Mapping[str, Labels]


def cluster(policies: Sequence[Object], pod_objects: Sequence[Object], namespaces: Sequence[Object]) -> Cluster:
    """From the API's objects."""
    labels = {each["metadata"]["name"]: each["metadata"].get("labels") or {} for each in namespaces}
    ordered = sorted(policies, key=lambda policy: (policy["metadata"]["namespace"], policy["metadata"]["name"]))
    return Cluster(ordered, pods(pod_objects), labels)


def ruleset(state: Cluster, nodes: Sequence[str]) -> str:
    """The whole table, to be read by `nft -f -` in one transaction that replaces what was there.

    `nodes`: addresses and networks, as CIDRs, that are no pod's and may always come in.
    """
    chains: dict[str, list[str]] = {}
    maps = {direction: _entries(state, direction, chains) for direction in DIRECTIONS}
    itself = [f"{pod.ip} . {pod.ip}" for pod in state.pods]
    lines = [
        f"table ip {TABLE}",
        f"delete table ip {TABLE}",
        f"table ip {TABLE} {{",
        *_block("set itself", ["type ipv4_addr . ipv4_addr", *_elements(itself)]),
        *(line for name in sorted(chains) for line in _block(f"chain {name}", chains[name])),
        *_block("map ingress", ["type ipv4_addr : verdict", *_elements(maps["ingress"])]),
        *_block("map egress", ["type ipv4_addr : verdict", *_elements(maps["egress"])]),
        *_block(
            "chain forward",
            [
                "type filter hook forward priority filter; policy accept;",
                "ct state established,related accept",
                f"ip saddr {_set(nodes)} accept",
                "ip saddr . ip daddr @itself accept",
                "ip saddr vmap @egress",
                "ip daddr vmap @ingress",
            ],
        ),
        *_block(
            "chain input",
            [
                "type filter hook input priority filter; policy accept;",
                "ct state established,related accept",
                "ip saddr vmap @egress",
            ],
        ),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _entries(state: Cluster, direction: Direction, chains: dict[str, list[str]]) -> list[str]:
    """The map of one direction, and the chains that it jumps to."""
    entries = []
    rules = _Rules(state, direction)
    for pod in state.pods:
        applying = [policy for policy in state.policies if _applies(policy, direction) and selected(policy, pod)]
        if applying:
            lines = [*dict.fromkeys(line for policy in applying for line in rules.of(policy, pod)), *REFUSE]
            name = f"{direction}-{hashlib.sha256(chr(10).join(lines).encode()).hexdigest()[:12]}"
            chains[name] = lines
            entries.append(f"{pod.ip} : jump {name}")
    return entries


def _applies(policy: Object, direction: Direction) -> bool:
    """`policyTypes`; without it a policy is for ingress, and for egress when it has such rules."""
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if spec.get("egress") else [])]
    return direction.capitalize() in types


class _Rules:
    """Turns the rules of one direction into lines that let traffic return to the base chain."""

    def __init__(self, state: Cluster, direction: Direction) -> None:
        self._state, self._direction = state, direction
        self._address = "ip saddr" if direction == "ingress" else "ip daddr"
        self._others = "from" if direction == "ingress" else "to"

    def of(self, policy: Object, pod: Pod) -> Iterable[str]:
        for rule in policy["spec"].get(self._direction) or []:
            among = rule.get(self._others)
            if not among:
                yield from self._any_peer(rule.get("ports"), pod)
            for peer in among or []:
                if "ipBlock" in peer:
                    yield from self._block(peer["ipBlock"], rule.get("ports"), pod)
                else:
                    yield from self._pods(peer, policy["metadata"]["namespace"], rule.get("ports"), pod)

    def _any_peer(self, ports: Sequence[Object] | None, pod: Pod) -> Iterable[str]:
        if self._direction == "egress":
            yield from self._with_ports("", ports, ())
            yield from self._named(ports, self._state.pods)
        else:
            yield from self._with_ports("", ports, pod.ports)

    def _block(self, block: Object, ports: Sequence[Object] | None, pod: Pod) -> Iterable[str]:
        whole = ipaddress.ip_network(block["cidr"], strict=False)
        if whole.version != 4:
            return
        without = _set(_collapsed(block.get("except") or []))
        match = f"{self._address} {whole}" + (f" {self._address} != {without}" if block.get("except") else "")
        yield from self._with_ports(match, ports, pod.ports if self._direction == "ingress" else ())

    def _pods(self, peer: Object, namespace: str, ports: Sequence[Object] | None, pod: Pod) -> Iterable[str]:
        found = peers(peer, namespace, self._state.pods, self._state.namespaces)
        if not found:
            return
        match = f"{self._address} {_set(each.ip for each in found)}"
        if self._direction == "ingress":
            yield from self._with_ports(match, ports, pod.ports)
        else:
            yield from self._with_ports(match, ports, ())
            yield from self._named(ports, found)

    def _named(self, ports: Sequence[Object] | None, destinations: Sequence[Pod]) -> Iterable[str]:
        """Egress to a named port: its number may differ from one destination to the next."""
        for port in (each for each in ports or [] if isinstance(each.get("port"), str)):
            protocol = port.get("protocol", "TCP")
            by_number: dict[int, list[str]] = {}
            for pod in destinations:
                for number in _numbers(port, pod.ports):
                    by_number.setdefault(number, []).append(pod.ip)
            for number, ips in sorted(by_number.items()):
                yield f"{self._address} {_set(ips)} {_PROTOCOLS[protocol]} dport {number} return"

    def _with_ports(
        self, match: str, ports: Sequence[Object] | None, named: Sequence[tuple[str, str, int]]
    ) -> Iterable[str]:
        if not ports:
            yield _line(match, "return")
            return
        for protocol, nft in _PROTOCOLS.items():
            mine = [port for port in ports if port.get("protocol", "TCP") == protocol]
            if any(port.get("port") is None for port in mine):
                yield _line(match, f"ip protocol {nft} return")
            elif ranges := _merged([each for port in mine for each in _ranges(port, named)]):
                yield _line(match, f"{nft} dport {{ {', '.join(ranges)} }} return")


def _ranges(port: Object, named: Sequence[tuple[str, str, int]]) -> list[tuple[int, int]]:
    number = port["port"]
    if isinstance(number, str):
        return [(each, each) for each in _numbers(port, named)]
    return [(number, port.get("endPort") or number)]


def _numbers(port: Object, named: Sequence[tuple[str, str, int]]) -> list[int]:
    wanted = (port["port"], port.get("protocol", "TCP"))
    return [number for name, protocol, number in named if (name, protocol) == wanted]


def _merged(ranges: Sequence[tuple[int, int]]) -> list[str]:
    """nft refuses a set with overlapping ranges."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return [str(first) if first == last else f"{first}-{last}" for first, last in merged]


def _collapsed(networks: Iterable[str]) -> list[str]:
    parsed = [ipaddress.ip_network(each, strict=False) for each in networks]
    return [str(each) for each in ipaddress.collapse_addresses(each for each in parsed if each.version == 4)]


def _line(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _set(elements: Iterable[str]) -> str:
    return f"{{ {', '.join(elements)} }}"


def _elements(elements: Sequence[str]) -> list[str]:
    return [f"elements = {_set(elements)}"] if elements else []


def _block(head: str, lines: Iterable[str]) -> list[str]:
    return [f"    {head} {{", *(f"        {line}" for line in lines), "    }"]
