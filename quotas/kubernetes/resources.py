"""The kinds of objects we read and write in a cluster, and where the API server keeps them."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True)
class Resource:
    api_version: str  # "v1", or "group/version"
    kind: str
    plural: str

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """Of one object, of those of a namespace, or of all in the cluster."""
        root = "api" if "/" not in self.api_version else "apis"
        parts = [root, *self.api_version.split("/")]
        parts += ["namespaces", namespace] if namespace else []
        parts += [self.plural, *([name] if name else [])]
        return "".join(f"/{quote(part, safe='')}" for part in parts)


CONFIG_MAPS = Resource("v1", "ConfigMap", "configmaps")
LIMIT_RANGES = Resource("v1", "LimitRange", "limitranges")
RESOURCE_QUOTAS = Resource("v1", "ResourceQuota", "resourcequotas")
HIERARCHICAL_QUOTAS = Resource("hnc.x-k8s.io/v1alpha2", "HierarchicalResourceQuota", "hierarchicalresourcequotas")
ORGANIZATIONS = Resource("kube-dc.com/v1", "Organization", "organizations")
DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments")
STATEFUL_SETS = Resource("apps/v1", "StatefulSet", "statefulsets")
CRON_JOBS = Resource("batch/v1", "CronJob", "cronjobs")
