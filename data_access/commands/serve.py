"""run, dev: serve; worker, migrate: what they start, alone."""

from argparse import ArgumentParser, Namespace
from dataclasses import replace

from data_access import cluster, installation, supervisor
from data_access.commands import Command
from data_access.settings import Settings


def _add_run_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8501, help="where the portal answers")
    parser.add_argument("--address", default="127.0.0.1", help="0.0.0.0 serves the network")
    parser.add_argument("--no-demo", action="store_true", help="a real province: start empty")
    parser.add_argument(
        "--processes",
        type=int,
        default=1,
        metavar="N",
        help="web processes behind a proxy (nginx); they take the ports after --port",
    )
    parser.add_argument("--proxy", action="store_true", help="a proxy before one process too")
    parser.add_argument(
        "--web-only",
        action="store_true",
        help="one more machine of a portal: no worker, no migrations, no backups",
    )


def _options(arguments: Namespace) -> supervisor.RunOptions:
    return supervisor.RunOptions(
        port=arguments.port,
        address=arguments.address,
        web_processes=max(1, arguments.processes),
        with_proxy=arguments.proxy,
        with_demo=not arguments.no_demo,
        web_only=arguments.web_only,
    )


def _run(arguments: Namespace, settings: Settings) -> int:
    supervisor.run(settings, _options(arguments))
    return 0


def _dev(arguments: Namespace, settings: Settings) -> int:
    supervisor.run(settings, replace(_options(arguments), reloading=True))
    return 0


def _worker(arguments: Namespace, settings: Settings) -> int:
    from data_access import worker

    worker.run_worker(settings.data_dir)
    return 0


def _migrate(arguments: Namespace, settings: Settings) -> int:
    with cluster.open_database(settings, create=True) as urls:
        installation.prepare(settings, urls, with_demo=False)
    return 0


COMMANDS = {
    "run": Command(_run, _add_run_arguments),
    "dev": Command(_dev, _add_run_arguments),
    "worker": Command(_worker),
    "migrate": Command(_migrate),
}
