from __future__ import annotations

from typing import Any

import pytest

from components.manifest import Manifest, outlives_release, resource_name
from components.secret import Secret
from components.workload import (
    ApiServer,
    Autoscale,
    Calls,
    ConfigFiles,
    Drain,
    HostAccess,
    HostPath,
    Resources,
    Rule,
    Schedule,
    SecretFiles,
    Spread,
    Storage,
)
from components.workload.kubernetes import manifests
from components.workload.pods import DRAIN_MARGIN, cpu, mebibytes
from tests.unit.components.workloads import PLACEMENT, one, service


def rendered(**changes: Any) -> list[Manifest]:
    return manifests(service(**changes), PLACEMENT)


def pod(found: list[Manifest], kind: str = "Deployment") -> dict[str, Any]:
    spec: dict[str, Any] = one(found, kind)["spec"]["template"]["spec"]
    return spec


def container(found: list[Manifest], kind: str = "Deployment") -> dict[str, Any]:
    [only] = pod(found, kind)["containers"]
    return dict(only)


def test_a_service_brings_everything_it_needs() -> None:
    kinds = [manifest["kind"] for manifest in rendered()]
    expected = [
        "ServiceAccount",
        "ConfigMap",
        "Secret",
        "NetworkPolicy",
        "Service",
        "Deployment",
        "PodDisruptionBudget",
    ]
    assert kinds == expected


def test_all_that_a_track_depends_on_carries_its_letter() -> None:
    names = {
        manifest["kind"]: manifest["metadata"]["name"]
        for manifest in rendered(autoscale=Autoscale(minimum=2, maximum=4))
    }
    tracked = ("ServiceAccount", "NetworkPolicy", "Deployment", "PodDisruptionBudget", "HorizontalPodAutoscaler")
    assert {names[kind] for kind in tracked} == {"api-a"}
    assert names["Service"] == "api"


def test_what_never_runs_twice_has_no_letter() -> None:
    assert one(rendered(tracked=False), "Deployment")["metadata"]["name"] == "api"


def test_selectors_match_the_pods_and_ports_exist() -> None:
    found = rendered()
    template = one(found, "Deployment")["spec"]["template"]
    labels = template["metadata"]["labels"]
    selectors = [
        one(found, "Deployment")["spec"]["selector"]["matchLabels"],
        one(found, "Service")["spec"]["selector"],
        one(found, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        one(found, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ]
    assert all(selector.items() <= labels.items() for selector in selectors)
    ports = {port["name"] for port in container(found)["ports"]}
    assert {port["targetPort"] for port in one(found, "Service")["spec"]["ports"]} <= ports
    assert container(found)["readinessProbe"]["httpGet"]["port"] in ports


def test_pods_are_restricted() -> None:
    found = rendered()
    security = pod(found)["securityContext"]
    assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 65532)
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(found)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert pod(found)["automountServiceAccountToken"] is False


def test_a_release_never_takes_a_pod_away_before_the_next_is_there() -> None:
    strategy = one(rendered(), "Deployment")["spec"]["strategy"]
    assert strategy["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}


@pytest.mark.parametrize(("pause", "longest"), [(5, 30), (3, 20), (10, 600)])
def test_the_grace_period_fits_the_pause_and_the_longest_request(pause: int, longest: int) -> None:
    found = rendered(drain=Drain(pause=pause, longest_request=longest))
    assert pod(found)["terminationGracePeriodSeconds"] == pause + longest + DRAIN_MARGIN
    assert container(found)["lifecycle"] == {"preStop": {"sleep": {"seconds": pause}}}


def test_an_autoscaler_owns_the_count() -> None:
    found = rendered(autoscale=Autoscale(minimum=3, maximum=9))
    assert "replicas" not in one(found, "Deployment")["spec"]
    assert one(found, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 9


def test_a_single_copy_has_no_budget_that_would_block_its_node() -> None:
    assert "PodDisruptionBudget" not in [manifest["kind"] for manifest in rendered(replicas=1)]


def test_files_are_immutable_and_named_by_content() -> None:
    before, after = rendered(), rendered(config=(ConfigFiles(path="/etc/api", files={"api.yaml": "a: 2\n"}),))
    was, now = one(before, "ConfigMap"), one(after, "ConfigMap")
    assert was["immutable"] and was["metadata"]["name"] != now["metadata"]["name"]
    assert resource_name(was) == resource_name(now) == "dev/api-config"
    assert outlives_release(was) and outlives_release(one(before, "Secret"))
    assert container(before)["volumeMounts"][0] == {"name": "config", "mountPath": "/etc/api", "readOnly": True}
    assert pod(after)["volumes"][0]["configMap"]["name"] == now["metadata"]["name"]


def test_a_changed_secret_changes_the_pods() -> None:
    changed = (SecretFiles(path="/etc/secrets/db", files={"password": Secret("hunter3")}),)
    assert pod(rendered()) != pod(rendered(secrets=changed))


def test_no_secret_is_shown() -> None:
    assert "hunter2" not in str(rendered())
    assert "aHVudGVyMg" not in str(rendered())


def test_what_is_not_opened_is_closed() -> None:
    closed = one(rendered(accepts=(), calls=()), "NetworkPolicy")["spec"]
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert not {"ingress", "egress"} & set(closed)


def test_openings_name_peers_and_ports() -> None:
    policy = one(rendered(), "NetworkPolicy")["spec"]
    gateway, prometheus = policy["ingress"]
    assert gateway["ports"] == [{"port": 8080, "protocol": "TCP"}]
    assert "namespaceSelector" not in gateway["from"][0]
    assert prometheus["from"][0]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "dev-monitoring"
    }
    dns, postgres, outside = policy["egress"]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert postgres["to"][0]["podSelector"]["matchLabels"]["app.kubernetes.io/name"] == "postgres"
    assert "10.0.0.0/8" in outside["to"][0]["ipBlock"]["except"]


def test_who_calls_the_api_server_needs_a_token() -> None:
    calls = (Calls(target=ApiServer()),)
    with pytest.raises(ValueError, match="no api_token"):
        rendered(calls=calls)
    opened = one(rendered(calls=calls, api_token=True), "NetworkPolicy")["spec"]["egress"][1]
    assert [port["port"] for port in opened["ports"]] == [443, 6443]


def test_rights_are_the_workloads_own() -> None:
    found = rendered(rules=(Rule(resources=("pods",)), Rule(resources=("nodes",), cluster=True)), api_token=True)
    assert one(found, "Role")["metadata"]["namespace"] == "dev"
    assert one(found, "ClusterRole")["metadata"]["name"] == "turnout-dev-api-a"
    assert one(found, "ClusterRoleBinding")["subjects"][0]["name"] == one(found, "ServiceAccount")["metadata"]["name"]


def test_reading_the_host_is_a_written_exception() -> None:
    host = HostAccess(
        reason="reads pod logs", paths=(HostPath(name="logs", host="/var/log/pods", path="/logs"),), user=0
    )
    daemon = one(manifests(service(runs="every-node", host=host, tracked=False), PLACEMENT), "DaemonSet")
    template = daemon["spec"]["template"]
    assert template["metadata"]["annotations"]["turnout.dev/host-access"] == "reads pod logs"
    assert template["spec"]["securityContext"]["runAsNonRoot"] is False
    assert {"name": "logs", "mountPath": "/logs", "readOnly": True} in template["spec"]["containers"][0]["volumeMounts"]


def test_the_callers_own_node_answers_for_what_runs_on_every_node() -> None:
    everywhere = one(rendered(runs="every-node", tracked=False), "Service")["spec"]
    assert everywhere["internalTrafficPolicy"] == "Local"
    assert "internalTrafficPolicy" not in one(rendered(), "Service")["spec"]


def test_a_stateful_workload_claims_its_storage() -> None:
    found = rendered(runs="stateful", tracked=False, storage=(Storage(name="data", path="/data", size=2048),))
    [claim] = one(found, "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["resources"] == {"requests": {"storage": "2Gi"}}


def test_a_job_is_made_anew_when_it_changes() -> None:
    job = {"runs": "once", "tracked": False, "name": "migrate", "ports": (), "accepts": ()}
    first, second = (one(rendered(**job, image=f"example/api:{n}"), "Job") for n in (1, 2))
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert resource_name(first) == resource_name(second) == "dev/migrate"
    assert first["spec"]["template"]["spec"]["restartPolicy"] == "Never"


def test_a_scheduled_job_keeps_its_time_zone() -> None:
    job = {"runs": "scheduled", "tracked": False, "ports": (), "accepts": ()}
    made = one(rendered(**job, schedule=Schedule(cron="0 3 * * *")), "CronJob")
    assert (made["spec"]["schedule"], made["spec"]["timeZone"]) == ("0 3 * * *", "Etc/UTC")
    with pytest.raises(ValueError, match="runs on a schedule but has none"):
        rendered(**job)


def test_prods_copies_keep_their_distance() -> None:
    found = pod(rendered(spread=Spread(required=True)))
    assert found["topologySpreadConstraints"][0]["whenUnsatisfiable"] == "DoNotSchedule"
    assert "podAntiAffinity" in found["affinity"]


@pytest.mark.parametrize(("millicores", "text"), [(50, "50m"), (1000, "1"), (1500, "1500m"), (2000, "2")])
def test_cpu_is_spelled_as_the_server_does(millicores: int, text: str) -> None:
    assert cpu(millicores) == text


@pytest.mark.parametrize(("size", "text"), [(64, "64Mi"), (1024, "1Gi"), (1536, "1536Mi")])
def test_memory_is_spelled_as_the_server_does(size: int, text: str) -> None:
    assert mebibytes(size) == text


def test_cpu_is_not_limited_unless_asked_for() -> None:
    assert "cpu" not in container(rendered())["resources"]["limits"]
    limited = rendered(resources=Resources(cpu=100, memory=64, cpu_limit=2000))
    assert container(limited)["resources"]["limits"]["cpu"] == "2"


def test_the_order_of_variables_does_not_matter() -> None:
    assert rendered(env={"A": "1", "B": "2"}) == rendered(env={"B": "2", "A": "1"})


def test_names_of_volumes_are_told_apart() -> None:
    names = [volume["name"] for volume in pod(rendered())["volumes"]]
    assert len(names) == len(set(names))
