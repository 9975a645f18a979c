"""The queue of acts that wait for a second person, and the page on which one decides."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts import approvals, one_time_tokens
from accounts.admin.act_pages import sentence
from accounts.admin.filters import choice
from accounts.admin.previews import preview_of
from accounts.admin.staff_admin import StaffAdmin
from accounts.clock import now
from accounts.display import moment, money, public_id, tag
from accounts.errors import DomainError
from accounts.models import ApprovalRequest, ApprovalState, User
from accounts.request_abilities import may

TONES = {"pending": "wait", "approved": "good", "rejected": "bad", "expired": "calm"}


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(StaffAdmin):
    list_display = (
        "summary",
        public_id,
        tag("state", "State", TONES),
        money("amount_minor", "Amount"),
        "maker",
        moment("requested_at", "Asked"),
        moment("expires_at", "Lapses"),
        "checker",
    )
    list_select_related = ("maker", "checker")
    list_filter = (choice("state", "state", lambda: ApprovalState.choices),)
    empty_text = "No approval here."
    empty_hint = "An act above its limit is filed here and waits for a second person."

    def get_urls(self) -> list[URLPattern]:
        decide = self.admin_site.admin_view(self.decide)
        return [path("<int:pk>/decide/", decide, name="accounts_approvalrequest_decide"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The proposal as asked, what it would post now, and the decision."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        asked = self.get_object(request, object_id)
        if asked is None:
            raise Http404
        pending = asked.state == ApprovalState.PENDING
        own = asked.maker_id == request.user.pk
        context = {
            **self.admin_site.each_context(request),
            "title": asked.summary,
            "opts": self.opts,
            "original": asked,
            "asked": asked,
            "tones": TONES,
            "preview": preview_of(asked.act, asked.payload) if pending else None,
            "lapsed": pending and asked.expires_at <= now(),
            "own": own,
            "decides": pending and not own and asked.expires_at > now() and may(request, "approve"),
            "token": one_time_tokens.issue(cast(User, request.user), _purpose(asked.pk)),
        }
        return TemplateResponse(request, "admin/approvals/request.html", context)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve or reject, once; whatever is in the way is said and changes nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not may(request, "approve"):
            raise PermissionDenied
        word = request.POST.get("decision")
        user = cast(User, request.user)
        at = now()
        try:
            if word not in ("approve", "reject"):
                raise DomainError("say whether you approve or reject")
            note = request.POST.get("note", "").replace("\x00", "")
            with transaction.atomic():
                one_time_tokens.spend(request.POST.get("token", ""), user, _purpose(pk), at=at)
                approvals.decide(pk, checker=user, approve=word == "approve", note=note, at=at)
            messages.success(request, "Approved and done." if word == "approve" else "Rejected; nothing was done.")
        except DomainError as error:
            messages.error(request, f"{sentence(error)}. Nothing was written.")
        except OperationalError:
            messages.error(request, "The account is busy; nothing was written. Try again.")
        return HttpResponseRedirect(reverse("admin:accounts_approvalrequest_change", args=[pk]))


def _purpose(key: int) -> str:
    return f"approval.decide:{key}"
