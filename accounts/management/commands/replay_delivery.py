"""Put a delivery that the relay gave up back on its way; mend what stopped it first."""

from accounts.act_commands import PageCommand
from accounts.admin.dead_letters import Replay


class Command(PageCommand):
    help = __doc__
    page = Replay
    row = ("delivery", "dlv")
