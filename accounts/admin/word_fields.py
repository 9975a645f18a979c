"""A field that takes several of a few words: boxes to tick on a page, words with spaces or commas in a command."""

from collections.abc import Iterable
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget


class WordsField(forms.MultipleChoiceField):
    def to_python(self, value: Any) -> list[str]:
        return super().to_python(value.replace(",", " ").split() if isinstance(value, str) else value)


def words_field(label: str, words: Iterable[str], *, hint: str = "", **options: Any) -> WordsField:
    listed = [(word, word) for word in words]
    widget = UnfoldAdminCheckboxSelectMultipleWidget()
    return WordsField(label=label, choices=listed, help_text=hint, widget=widget, **options)
