"""A cluster beside the site: the stand-in of its API server holds Acme, the site knows a catalog of test plans."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from accounts import approvals, outbox_relay
from accounts.policy import SET_ACT, set_value
from quotas import limits
from quotas.catalog_import import import_catalog, read
from quotas.kubernetes import rings
from quotas.models import ClusterSync
from quotas.subscriptions import assign_plan
from tests.api_server import ApiServer, Object, api_server
from tests.cast import ACTOR, BEGINNING, NOON, Cast

ORGANIZATIONS = "kube-dc.com/v1/organizations"
QUOTAS = "hnc.x-k8s.io/v1alpha2/hierarchicalresourcequotas"
RANGES = "v1/limitranges"
CONFIG_MAPS = "v1/configmaps"
PROJECT_QUOTAS = "v1/resourcequotas"
DEPLOYMENTS, STATEFUL_SETS, CRON_JOBS = "apps/v1/deployments", "apps/v1/statefulsets", "batch/v1/cronjobs"
LABELS = "billing.kube-dc.com/"
SECOND = timedelta(seconds=1)

PLANS = """
plans:
  test-small:
    displayName: Test Small
    price: 10
    currency: EUR
    objectStorage: 10
    ipv4: 1
    requests: {cpu: "2", memory: 4Gi, storage: 20Gi}
    pods: 50
    servicesLB: 10
    burstRatio: 2.0
    limitRange:
      {defaultCPU: 250m, defaultMemory: 256Mi, defaultRequestCPU: 100m, defaultRequestMem: 128Mi, maxCPU: "2",
       maxMemory: 4Gi, minCPU: 10m, minMemory: 16Mi, maxPodCPU: "2", maxPodMemory: 4Gi, maxPVCStorage: 20Gi,
       minPVCStorage: 1Gi}
  test-large:
    displayName: Test Large
    price: 50
    currency: EUR
    objectStorage: 50
    ipv4: 2
    requests: {cpu: "8", memory: 16Gi, storage: 100Gi}
    pods: 200
    servicesLB: 50
    burstRatio: 1.5
    limitRange:
      {defaultCPU: 500m, defaultMemory: 512Mi, defaultRequestCPU: 250m, defaultRequestMem: 256Mi, maxCPU: "4",
       maxMemory: 8Gi, minCPU: 10m, minMemory: 16Mi, maxPodCPU: "8", maxPodMemory: 16Gi, maxPVCStorage: 100Gi,
       minPVCStorage: 1Gi}
suspendedPlan: {cpu: 500m, memory: 1Gi, pods: 10, servicesLB: 0}
systemOverhead: {cpuPerProject: 100m, memPerProject: 128Mi}
addons:
  test-turbo: {displayName: Test Turbo, price: 10, currency: EUR, cpu: "2", memory: 4Gi, storage: 10Gi}
eipQuota: {test-small: 1, test-large: 2}
"""


@dataclass
class Scene:
    cast: Cast
    server: ApiServer
    kubeconfig: Path
    now: datetime = NOON

    def settle(self, *, reading: bool = True) -> None:
        """Let every ring ring until nothing is left to do; never-ending work would be a loop. Not `reading`: without
        hearing from the cluster, whose news would make a row due at once."""
        for _ in range(10):
            self.now += SECOND
            seen = rings.read_cluster(self.now) if reading else 0
            done = limits.drain(self.now) + outbox_relay.drain(self.now) + self.ring()
            if not seen + done:
                return
        raise AssertionError("the cluster and the site answer each other for ever")

    def ring(self) -> int:
        self.now += SECOND
        return rings.drain(lambda: self.now)

    def assign(self, plan: str, **addons: int) -> None:
        self.now += SECOND
        chosen = {code.replace("_", "-"): count for code, count in addons.items()}
        assign_plan(self.cast.acme, plan, chosen, actor=ACTOR, reason="as agreed", at=self.now)

    def row(self) -> ClusterSync:
        return ClusterSync.objects.get(organization=self.cast.acme)

    @property
    def quota(self) -> Object | None:
        return self.server.found(QUOTAS, "acme", "plan-quota")

    @property
    def hard(self) -> dict[str, str]:
        assert self.quota is not None
        hard: dict[str, str] = self.quota["spec"]["hard"]
        return hard

    @property
    def range(self) -> Object | None:
        return self.server.found(RANGES, "acme", "default-resource-limits")

    @property
    def noted(self) -> dict[str, str]:
        """The annotations of Acme in the cluster, without their prefix."""
        home = self.server.found(ORGANIZATIONS, "acme", "acme")
        assert home is not None
        noted = home["metadata"].get("annotations", {})
        return {key.removeprefix(LABELS): value for key, value in noted.items()}


def publish(text: str = PLANS, *, at: datetime = BEGINNING) -> None:
    import_catalog(
        read(text, source="test", at=at),
        source="test",
        existing="move",
        maker=None,
        actor=ACTOR,
        reason="the test's plans",
        at=at,
    )


def one_person_publishes(cast: Cast) -> None:
    """Dana asks, Erin agrees: from now on a publication needs no second person."""
    proposal = {"key": "approvals.catalog_publication", "value": False, "scope": "global", "scope_id": None}
    asked = approvals.submit(SET_ACT, proposal, maker=cast.dana, reason="the cluster publishes", at=BEGINNING)
    assert asked.request is not None
    approvals.decide(asked.request.pk, approve=True, checker=cast.erin, note="agreed", at=BEGINNING)


def three_projects() -> None:
    """The overhead of the figures that the platform's own tests compare."""
    set_value("quotas.projects_limit", 3, scope="global", scope_id=None, actor=ACTOR, reason="a test", at=BEGINNING)


def workload(name: str, namespace: str = "acme", **spec: Any) -> Object:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec}


def beside_a_cluster(cast: Cast, settings: Any, folder: Path) -> Iterator[Scene]:
    with api_server(folder) as (server, path):
        settings.KUBECONFIG_PATH, settings.BILLING_PROVIDER = path, "none"
        settings.OUTBOX_ROUTES = "billing_site.outbox_routes.WITH_A_CLUSTER"
        server.put(ORGANIZATIONS, {"metadata": {"name": "acme", "namespace": "acme"}, "spec": {"email": "a@acme"}})
        three_projects()
        publish()
        yield Scene(cast, server, path)
