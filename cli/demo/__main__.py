"""`python -m cli.demo`: from nothing to an environment that is rolled out and back under load, measured."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from cli import paths
from cli.demo import cluster as clusters
from cli.demo import facts as results
from cli.demo.cluster import Cluster
from cli.demo.facts import ENOUGH_REQUESTS, Facts
from cli.demo.project import ENVIRONMENT, NEW, OLD, SANDBOX, Project
from cli.demo.terminal import Ran, Terminal
from cli.demo.traffic import Traffic
from cli.engine import binary
from cli.errors import TurnoutError
from cli.load.tally import only_since
from cli.progress import Progress, for_terminal
from cli.sandbox import cluster as sandboxes
from cli.sandbox import images

COMMAND = str(Path(sys.executable).parent / "turnout")


def _fitting_engine() -> dict[str, str]:
    """A pulumi that is too old stands in nobody's way of trying it out."""
    installed = binary.installed()
    return {} if installed is None or binary.fits(installed.version) else {binary.OWN: "own"}


class Demo:
    """The steps, in the order in which they happen."""

    def __init__(self, checkout: Path, progress: Progress) -> None:
        self.checkout = checkout
        self.project = Project(paths.work_dir(checkout) / "demo")
        self.progress = progress
        path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
        self.terminal = Terminal(checkout, {"PATH": path, **_fitting_engine()})
        self.facts = Facts()

    def run(self) -> None:
        """Everything. Raises TurnoutError where something does not hold."""
        began = time.monotonic()
        built = self.build()
        cluster = self.start_sandbox(built)
        self.deploy(cluster)
        self.look_around()
        if self.facts.pods == "real":
            self.roll_under_load(cluster)
        else:
            self.roll_without_load(cluster)
        self.apply_again()
        if self.facts.pods == "real":
            self.take_the_protection_out(cluster)
        self.facts.total_seconds = time.monotonic() - began

    def build(self) -> list[images.Image]:
        self.terminal.step("Build what this machine lacks: Kubernetes, the engine, container images")
        built, self.facts.build_seconds = clusters.build_everything(self.checkout, self.progress)
        return built

    def start_sandbox(self, built: list[images.Image]) -> Cluster:
        self.terminal.step("Start a real Kubernetes on this machine")
        self.project.copy_from(self.checkout)
        name = SANDBOX
        self.terminal.run("turnout", "sandbox", "up", name)
        cluster = clusters.connect(self.terminal, name, self.progress)
        if not clusters.belongs(self.project, cluster):
            self._start_over(name)
        self.facts.pods = str(json.loads(self.terminal.ask("turnout", "sandbox", "up", name, "--json").output)["pods"])
        sandboxes.load_images(name, built, self.progress)
        clusters.remember(self.project, cluster)
        return cluster

    def _start_over(self, name: str) -> None:
        self.terminal.say("this sandbox and what is remembered of the last demo do not belong together: starting over")
        self.project.forget()
        self.project.copy_from(self.checkout)
        self.terminal.run("turnout", "sandbox", "down", name)
        self.terminal.run("turnout", "sandbox", "up", name)

    def deploy(self, cluster: Cluster) -> None:
        self.terminal.step("Deploy the dev environment: the app, its databases, its monitoring")
        cluster.disown()
        self.project.release(OLD)
        self.turnout("init", ENVIRONMENT)
        self.facts.up_seconds = self.turnout("up", ENVIRONMENT, "--yes").seconds
        clusters.remember(self.project, cluster)

    def look_around(self) -> None:
        self.terminal.step("Look at it")
        self.turnout("status", ENVIRONMENT)
        workloads = self.answer("status", ENVIRONMENT)["workloads"]
        self.facts.services = sorted(one["name"] for one in workloads if one["healthy"])
        self.facts.unhealthy = {one["name"]: str(one["reason"]) for one in workloads if not one["healthy"]}

        self.terminal.step("Preview with nothing changed")
        self.facts.preview_seconds = self.turnout("preview", ENVIRONMENT, "--exit-code").seconds
        [plan] = self.answer("preview", ENVIRONMENT)["environments"]
        self.facts.resources = plan["resources"]
        self.facts.engine, self.facts.provider = plan["engine"], plan["provider"]

    def roll_under_load(self, cluster: Cluster) -> None:
        self.terminal.step("Send requests, on schedule whatever the answers, until the rollback is over")
        traffic = Traffic(cluster.service(), self.project.folder / "load.json")
        try:
            traffic.start()
            back = self.roll()
            undo, until = self.undo_by_kubectl(cluster)
            self.terminal.step("Stop the requests, compare with what the servers counted")
            counted, self.facts.served_by_servers = traffic.stop(at_least=ENOUGH_REQUESTS)
        finally:
            traffic.abandon()
        self.facts.rollback_seconds = _until_old(counted, back, until)
        self.facts.kubectl_undo_seconds = _until_old(counted, undo, float("inf"))
        self.facts.requests, self.facts.failed = counted["requests"], counted["failed"]
        self.facts.latency_ms, self.facts.late = counted["latency_ms"], counted["late"]
        self.terminal.say(f"{counted['requests']} requests, outcomes: {counted['outcomes']}")

    def roll_without_load(self, cluster: Cluster) -> None:
        self.roll()
        undo, _ = self.undo_by_kubectl(cluster)
        self.facts.kubectl_undo_seconds = undo.seconds

    def roll(self) -> Ran:
        self.terminal.step(f"Change the app's version to {NEW}, and see what that would do")
        self.project.release(NEW)
        self.turnout("preview", ENVIRONMENT)

        self.terminal.step("Roll it out")
        self.facts.rollout_seconds = self.turnout("rollout", "start", ENVIRONMENT, "--yes", "--reason", "demo").seconds

        self.terminal.step("Roll it back")
        back = self.turnout("rollback", ENVIRONMENT, "--yes", "--reason", "demo")
        self.facts.rollback_seconds = self.facts.rollback_command_seconds = back.seconds
        return back

    def undo_by_kubectl(self, cluster: Cluster) -> tuple[Ran, float]:
        """The same rollback by kubectl, and when the newer release was brought back for it."""
        self.terminal.step(f"{NEW} is pinned now: nobody brings it back, kubectl neither, until the pin is lifted")
        self.turnout("unpin", ENVIRONMENT, "--reason", "demo")

        self.terminal.step("The same rollback by kubectl: bring the newer release back first, then undo it")
        again = cluster.undo()
        undo = cluster.undo()
        cluster.disown()
        return undo, again.began

    def apply_again(self) -> None:
        self.terminal.step(f"Put {OLD} back into the settings: nothing is left to change")
        self.project.release(OLD)
        outcome = self.answer("up", ENVIRONMENT, "--yes")
        self.facts.second_up_changes = len(outcome["changes"])
        self.terminal.say(f"turnout up {ENVIRONMENT}: {len(outcome['changes'])} changes")

    def take_the_protection_out(self, cluster: Cluster) -> None:
        self.terminal.step("The counter-test: without preStop and drain the same must lose requests")
        self.project.release(OLD, protected=False)
        self.turnout("up", ENVIRONMENT, "--yes", "--reason", "counter-test")
        self.project.release(OLD)
        traffic = Traffic(cluster.service(), self.project.folder / "load-unprotected.json")
        try:
            traffic.start()
            self.turnout("rollout", "start", ENVIRONMENT, "--yes", "--reason", "after the counter-test")
            counted, _ = traffic.stop()
        finally:
            traffic.abandon()
        self.facts.unprotected_requests, self.facts.unprotected_failed = counted["requests"], counted["failed"]
        self.terminal.say(f"{counted['requests']} requests, outcomes: {counted['outcomes']}")

    def turnout(self, *words: str) -> Ran:
        """A command in the demo's folder, shown."""
        return self.terminal.run("turnout", "-C", str(self._folder()), *words)

    def answer(self, *words: str) -> Any:
        """What a command says under --json, not shown."""
        return json.loads(self.terminal.ask("turnout", "-C", str(self._folder()), *words, "--json").output)

    def _folder(self) -> Path:
        return self.project.folder.relative_to(self.checkout)


def _until_old(counted: dict[str, Any], ran: Ran, before: float) -> float:
    """Seconds until every new connection was answered by the old release."""
    switched = only_since(counted, OLD, after=ran.began, before=before)
    if switched is None:
        raise TurnoutError(f"version {OLD} never came back to answering alone", next=f"turnout status {ENVIRONMENT}")
    return switched - ran.began


def main() -> int:
    """Run the demo; 0 when everything that it is to show held."""
    checkout = paths.project_root()
    demo = Demo(checkout, for_terminal())
    try:
        demo.run()
        demo.facts.write(paths.work_dir(checkout) / "demo.json")
        sys.stdout.write("\n" + "\n".join(results.summary(demo.facts)) + "\n\n" + _farewell(demo) + "\n")
        results.check(demo.facts)
    except TurnoutError as error:
        sys.stderr.write(f"demo: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("demo: interrupted; next: `make demo` goes on, `make down` ends everything\n")
        return 8
    return 0


def _farewell(demo: Demo) -> str:
    folder = demo.project.folder.relative_to(demo.checkout)
    return (
        "The sandbox keeps running. Look around, and end it when you are done:\n"
        f"  .venv/bin/turnout -C {folder} status {ENVIRONMENT}\n"
        f"  .venv/bin/turnout -C {folder} logs {ENVIRONMENT} api\n"
        f"  .venv/bin/turnout -C {folder} history {ENVIRONMENT}\n"
        f"  export KUBECONFIG={paths.sandbox_kubeconfig(SANDBOX)}\n"
        "  make down"
    )


if __name__ == "__main__":
    sys.exit(main())
