"""This room's addresses under /api/v1/."""

from django.urls import path

from quotas.api.allocation_acts import Activate, CompleteRelease, Release, ResizeOne
from quotas.api.allocations import Allocations, OneAllocation
from quotas.api.catalogs import Catalogs, DiscardCatalog, OneCatalog, PublishCatalog
from quotas.api.commitments import Commitments, Draws, OneCommitment
from quotas.api.discounts import Discounts, OneDiscount, Withdraw
from quotas.api.entitlements import EntitlementOfAccount, Entitlements
from quotas.api.external_ips import ExternalIps, OneExternalIp
from quotas.api.limits import Limits
from quotas.api.meters import Advance, Dimensions, Meters, OneMeter
from quotas.api.offers import Offers, OneOffer, PublishOffer, Rename
from quotas.api.plans import AddOns, OneAddOn, OnePlan, PlanQuota, Plans
from quotas.api.price_quotes import PriceCalculations, PriceQuotes
from quotas.api.prices import OnePrice, Prices
from quotas.api.project_quotas import ProjectQuota
from quotas.api.quota_checks import QuotaChecks
from quotas.api.segments import OneSegment, Placement, Segments
from quotas.api.skus import OneSku, Rates, Skus
from quotas.api.subscription_moves import SUMMARIES, view_of
from quotas.api.subscriptions import OneSubscription, Subscriptions
from quotas.api.usage import Usage
from quotas.api.usage_reports import UsageReports

urlpatterns = [
    path("skus", Skus.as_view()),
    path("skus/<str:sku>", OneSku.as_view()),
    path("skus/<str:sku>/rates", Rates.as_view()),
    path("allocations", Allocations.as_view()),
    path("allocations/<str:allocation>", OneAllocation.as_view()),
    path("allocations/<str:allocation>/activate", Activate.as_view()),
    path("allocations/<str:allocation>/resize", ResizeOne.as_view()),
    path("allocations/<str:allocation>/release", Release.as_view()),
    path("allocations/<str:allocation>/complete-release", CompleteRelease.as_view()),
    path("limits", Limits.as_view()),
    path("organizations/<str:organization>/usage", Usage.as_view()),
    path("projects/<str:project>/quota", ProjectQuota.as_view()),
    path("quota-checks", QuotaChecks.as_view()),
    path("usage-reports", UsageReports.as_view()),
    path("external-ips", ExternalIps.as_view()),
    path("external-ips/<str:external_ip>", OneExternalIp.as_view()),
    path("plans", Plans.as_view()),
    path("plans/<str:plan>", OnePlan.as_view()),
    path("plans/<str:plan>/quota", PlanQuota.as_view()),
    path("addons", AddOns.as_view()),
    path("addons/<str:addon>", OneAddOn.as_view()),
    path("catalogs", Catalogs.as_view()),
    path("catalogs/<str:catalog>", OneCatalog.as_view()),
    path("catalogs/<str:catalog>/publish", PublishCatalog.as_view()),
    path("catalogs/<str:catalog>/discard", DiscardCatalog.as_view()),
    path("subscriptions", Subscriptions.as_view()),
    path("subscriptions/<str:subscription>", OneSubscription.as_view()),
    *(path(f"subscriptions/<str:subscription>/{name}", view_of(name).as_view()) for name in SUMMARIES),
    path("price-quotes", PriceQuotes.as_view()),
    path("price-calculations", PriceCalculations.as_view()),
    path("meters", Meters.as_view()),
    path("meters/<str:meter>", OneMeter.as_view()),
    path("meters/<str:meter>/dimensions", Dimensions.as_view()),
    path("meters/<str:meter>/advance", Advance.as_view()),
    path("prices", Prices.as_view()),
    path("prices/<str:price>", OnePrice.as_view()),
    path("offers", Offers.as_view()),
    path("offers/<str:offer>", OneOffer.as_view()),
    path("offers/<str:offer>/publish", PublishOffer.as_view()),
    path("offers/<str:offer>/rename", Rename.as_view()),
    path("segments", Segments.as_view()),
    path("segments/<str:segment>", OneSegment.as_view()),
    path("billing-accounts/<str:account>/segment", Placement.as_view()),
    path("entitlements", Entitlements.as_view()),
    path("discounts", Discounts.as_view()),
    path("discounts/<str:discount>", OneDiscount.as_view()),
    path("discounts/<str:discount>/withdraw", Withdraw.as_view()),
    path("commitments", Commitments.as_view()),
    path("commitments/<str:commitment>", OneCommitment.as_view()),
    path("commitments/<str:commitment>/draws", Draws.as_view()),
    path("billing-accounts/<str:account>/entitlement", EntitlementOfAccount.as_view()),
]
