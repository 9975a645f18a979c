"""What a catalog says: plans, add-ons, and the operator's sections, as frozen values.

Field names are the document's, so the path of a fault is a path of the file. Keys that are not known here are kept as
they are and written again; `document.unknown_keys` names them.
"""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from accounts.currencies import MAXIMUM_MINOR, exponent
from accounts.errors import DomainError
from quotas.catalog.fields import (
    Bytes,
    Code,
    Cores,
    Flag,
    Name,
    Number,
    Ratio,
    SomeBytes,
    SomeCores,
    Text,
    Whole,
)
from quotas.quota_arithmetic import Allowance, Resources

Interval = Literal["month", "quarter", "year", "week", "day"]
SHIPPED_INTERVAL: Interval = "month"


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", populate_by_name=True)


class Price(Part):
    """An amount in major units of a currency for one interval."""

    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    amount: Number
    interval: Interval = SHIPPED_INTERVAL

    @model_validator(mode="after")
    def in_minor_units(self) -> "Price":
        try:
            minor = self.amount.scaleb(exponent(self.currency))
        except DomainError as error:
            raise ValueError(error.detail) from None
        if minor != minor.to_integral_value() or minor > MAXIMUM_MINOR:
            raise ValueError(f"the amount has more decimals than {self.currency}, or is above 10^15 minor units")
        return self

    @property
    def amount_minor(self) -> int:
        """Minor units of `currency`."""
        return int(self.amount.scaleb(exponent(self.currency)))


class Sold(Part):
    """What plans and add-ons have in common. `price` and `currency` are the first price, `prices` the others."""

    display_name: Name = Field(alias="displayName")
    description: Text = ""
    price: Number
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    prices: tuple[Price, ...] = Field(default=(), max_length=50)
    self_service: Flag = Field(default=True, alias="selfService")

    @model_validator(mode="after")
    def prices_differ(self) -> "Sold":
        kept = [(price.currency, price.interval) for price in self.all_prices()]
        if len(kept) != len(set(kept)):
            raise ValueError("two prices of one currency and interval")
        return self

    def all_prices(self) -> tuple[Price, ...]:
        """The first price is for a month."""
        return (Price(currency=self.currency, amount=self.price), *self.prices)


class Requests(Part):
    cpu: SomeCores
    memory: SomeBytes
    storage: Bytes


class LimitRange(Part):
    """Defaults and bounds of one container, pod and volume claim."""

    default_cpu: Cores = Field(alias="defaultCPU")
    default_memory: Bytes = Field(alias="defaultMemory")
    default_request_cpu: Cores = Field(alias="defaultRequestCPU")
    default_request_memory: Bytes = Field(alias="defaultRequestMem")
    max_cpu: Cores = Field(alias="maxCPU")
    max_memory: Bytes = Field(alias="maxMemory")
    min_cpu: Cores = Field(alias="minCPU")
    min_memory: Bytes = Field(alias="minMemory")
    max_pod_cpu: Cores = Field(alias="maxPodCPU")
    max_pod_memory: Bytes = Field(alias="maxPodMemory")
    max_volume: Bytes = Field(alias="maxPVCStorage")
    min_volume: Bytes = Field(alias="minPVCStorage")

    @model_validator(mode="after")
    def bounds_are_in_order(self) -> "LimitRange":
        """The API server refuses a LimitRange whose default lies outside its bounds."""
        for word, low, middle, high in (
            ("CPU", self.min_cpu, self.default_cpu, self.max_cpu),
            ("memory", self.min_memory, self.default_memory, self.max_memory),
            ("CPU request", self.min_cpu, self.default_request_cpu, self.default_cpu),
            ("memory request", self.min_memory, self.default_request_memory, self.default_memory),
            ("volume", self.min_volume, self.min_volume, self.max_volume),
        ):
            if not low <= middle <= high:
                raise ValueError(f"the {word} default must lie between its minimum and its maximum")
        return self


class Plan(Sold):
    recommended: Flag = False
    features: tuple[Text, ...] = Field(default=(), max_length=50)
    object_storage: Number = Field(default=Decimal(0), alias="objectStorage")  # GB
    ipv4: Whole | None = None  # shown only; what is enforced is eipQuota
    requests: Requests
    pods: Whole
    load_balancers: Whole = Field(alias="servicesLB")
    burst_ratio: Ratio = Field(alias="burstRatio")
    limit_range: LimitRange = Field(alias="limitRange")
    trial_days: Annotated[Whole, Field(le=365)] = Field(default=0, alias="trialDays")

    def allowance(self, external_ips: int | None) -> Allowance:
        resources = Resources(self.requests.cpu, self.requests.memory, self.requests.storage)
        return Allowance(resources, self.pods, self.load_balancers, self.burst_ratio, self.object_storage, external_ips)


class AddOn(Sold):
    """`disabled` is the kill switch: hidden, and grants nothing."""

    cpu: Cores = Decimal(0)
    memory: Bytes = Decimal(0)
    storage: Bytes = Decimal(0)
    disabled: Flag = False

    def grant(self) -> Resources:
        return Resources(self.cpu, self.memory, self.storage)


class SuspendedPlan(Part):
    cpu: Cores
    memory: Bytes
    storage: Bytes = Decimal(0)
    pods: Whole
    load_balancers: Whole = Field(alias="servicesLB")

    def allowance(self) -> Allowance:
        return Allowance(Resources(self.cpu, self.memory, self.storage), self.pods, self.load_balancers)


class SystemOverhead(Part):
    cpu: Cores = Field(alias="cpuPerProject")
    memory: Bytes = Field(alias="memPerProject")


class Catalog(Part):
    """Order is the order in which plans and add-ons are shown."""

    plans: dict[Code, Plan] = Field(min_length=1, max_length=500)
    suspended: SuspendedPlan = Field(alias="suspendedPlan")
    overhead: SystemOverhead = Field(alias="systemOverhead")
    addons: dict[Code, AddOn] = Field(default={}, max_length=500)
    eip_quota: dict[str, Whole] = Field(alias="eipQuota", max_length=500)

    def as_document(self) -> dict[str, Any]:
        """The document in its one canonical form: what is left out is what has its default."""
        return self.model_dump(by_alias=True, exclude_defaults=True)
