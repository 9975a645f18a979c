"""An allocation as somebody asks which policies hold for it: those of its project, and no value of its own."""

from dataclasses import replace

from accounts.policy_scopes import Subject
from accounts.policy_subjects import project_subject
from quotas.models import Allocation


def allocation_subject(key: int) -> Subject | None:
    allocation = Allocation.objects.select_related("project__organization").filter(pk=key).first()
    if allocation is None:
        return None
    project = project_subject(allocation.project)
    return replace(
        project, word="allocation", public_id=allocation.public_id, name=f"{allocation} of {project}", own=None
    )
