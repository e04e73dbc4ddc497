"""audit verify: is the trail as it was written, and what do its anchors vouch for?"""

import sys
from argparse import ArgumentParser, Namespace
from datetime import datetime

from data_access import trail
from data_access.administration import administration
from data_access.commands import Command
from data_access.settings import Refusal, Settings
from domain.clock import BEIJING

_BAR = 40  # characters


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=["verify"], help="check every entry and the anchors")


def _audit(arguments: Namespace, settings: Settings) -> int:
    with administration(settings) as connection:
        result = trail.verify(connection, settings.data_dir, _show_progress)
    print(_summary(result))
    if result.is_whole:
        return 0
    print("\n".join(trail.describe(finding) for finding in result.findings))
    first = trail.describe(result.findings[0])
    raise Refusal(f"The trail is not as it was written ({result.found} findings). {first}")


def _summary(result: trail.VerificationResult) -> str:
    entries = f"{result.entries} entries, {result.anchors} anchors"
    if result.last_anchored_at:
        entries += f", the last of {_beijing(datetime.fromisoformat(result.last_anchored_at))}"
    if not result.not_anchored:
        return f"{entries}; every entry is anchored."
    since = result.oldest_not_anchored_at
    oldest = f", the oldest of {_beijing(since)}" if since else ""
    return f"{entries}; not yet anchored: {result.not_anchored} entries{oldest}."


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).isoformat(" ", "seconds")


def _show_progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        filled = _BAR * done // max(total, 1)
        end = "\n" if done == total else ""
        bar = "#" * filled + "." * (_BAR - filled)
        print(f"\r[{bar}] {done} of {total}", end=end, file=sys.stderr, flush=True)


COMMANDS = {"audit": Command(_audit, _add_arguments)}
