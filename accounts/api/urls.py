"""This room's addresses under /api/v1/."""

from django.urls import path

from accounts.api.caller import Me
from accounts.api.events import Events
from accounts.api.projects import OneProject, Projects

urlpatterns = [
    path("me", Me.as_view()),
    path("events", Events.as_view()),
    path("projects", Projects.as_view()),
    path("projects/<str:project>", OneProject.as_view()),
]
