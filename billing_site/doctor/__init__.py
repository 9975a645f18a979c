"""What an operator asks first when something is wrong: each check is one line, and says what to do."""

from billing_site.doctor.examination import examine
from billing_site.doctor.findings import Finding, Level

__all__ = ["Finding", "Level", "examine"]
