"""An act through its page, as staff do it: form, preview, button."""

import re
from html import unescape
from typing import Any

from django.test import Client


def act(client: Client, page: str, form: dict[str, str]) -> Any:
    """What is shown at the end: the refusal of the preview, or the page that the act led to."""
    preview = client.post(page, form)
    if preview.status_code != 200:
        return preview
    sent = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', preview.content.decode())
    return client.post(page, {name: unescape(value) for name, value in sent}, follow=True)
