"""user: the accounts, for the administrator of the machine; the trail records each change."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from datetime import date

from sqlalchemy import Connection

from data_access import accounts
from data_access.administration import administration
from data_access.commands import Command
from data_access.settings import Refusal, Settings
from domain.access import Role


def _add_arguments(parser: ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, (_, summary) in _VERBS.items():
        verb_parser = verbs.add_parser(verb, help=summary, description=summary)
        verb_parser.add_argument("--data-dir", default=parser.get_default("data_dir"))
        if verb != "list":
            verb_parser.add_argument("username")
        if verb == "add":
            verb_parser.add_argument("--name", help="the person's name, else the username")
            verb_parser.add_argument("--organisation", default="")
            verb_parser.add_argument("--phone")
        if verb in ("add", "grant"):
            _add_grant_arguments(verb_parser)


def _add_grant_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--role", type=Role, choices=list(Role), required=True, metavar="ROLE")
    parser.add_argument("--division", metavar="CODE", help="division code, else the whole province")
    parser.add_argument("--subject", help="one form or department, else all")
    parser.add_argument("--from", dest="valid_from", type=date.fromisoformat, metavar="DAY")
    parser.add_argument("--to", dest="valid_to", type=date.fromisoformat, metavar="DAY")


def _execute(arguments: Namespace, settings: Settings) -> int:
    work, _ = _VERBS[arguments.verb]
    with administration(settings, action=f"account.{arguments.verb}") as connection:
        sentences = work(connection, arguments)
    print("\n".join(sentences))
    return 0


def _add(connection: Connection, arguments: Namespace) -> list[str]:
    account = accounts.create_account(
        connection,
        username=arguments.username,
        display_name=arguments.name or arguments.username,
        organisation=arguments.organisation,
        phone=arguments.phone,
    )
    _give(connection, account.user_id, arguments)
    return [f"{account.username} may sign in once with {account.password} and must change it then."]


def _list(connection: Connection, arguments: Namespace) -> list[str]:
    return [
        "\t".join(
            [
                account.username,
                account.display_name,
                _state(account),
                " ".join(f"{each.role}@{each.division_code}" for each in account.grants),
            ]
        )
        for account in accounts.list_accounts(connection)
    ]


def _state(account: accounts.AccountRow) -> str:
    if account.disabled_at:
        return "disabled"
    return f"locked until {account.locked_until:%H:%M}" if account.locked_until else "open"


def _unlock(connection: Connection, arguments: Namespace) -> list[str]:
    accounts.unlock(connection, _user_id(connection, arguments))
    return [f"{arguments.username} may sign in again."]


def _reset(connection: Connection, arguments: Namespace) -> list[str]:
    password = accounts.reset_password(connection, _user_id(connection, arguments))
    return [f"{arguments.username} may sign in once with {password} and must change it then."]


def _disable(connection: Connection, arguments: Namespace) -> list[str]:
    accounts.disable(connection, _user_id(connection, arguments))
    return [f"{arguments.username} is signed out everywhere and may not sign in again."]


def _grant(connection: Connection, arguments: Namespace) -> list[str]:
    division = _give(connection, _user_id(connection, arguments), arguments)
    return [f"{arguments.username} is {arguments.role} of {division}."]


def _give(connection: Connection, user_id: int, arguments: Namespace) -> str:
    division: str = arguments.division or _province(connection)
    accounts.grant(
        connection,
        user_id,
        arguments.role,
        division,
        subject=arguments.subject,
        valid_from=arguments.valid_from,
        valid_to=arguments.valid_to,
    )
    return division


def _province(connection: Connection) -> str:
    divisions = accounts.grantable_divisions(connection)
    provinces = [division.code for division in divisions if division.level == "province"]
    if len(provinces) != 1:
        raise Refusal("Say with --division where the role holds.")
    return provinces[0]


def _user_id(connection: Connection, arguments: Namespace) -> int:
    return accounts.find_user_id(connection, arguments.username)


_VERBS: dict[str, tuple[Callable[[Connection, Namespace], list[str]], str]] = {
    "add": (_add, "add an account with one role; prints its first password"),
    "list": (_list, "every account: username, name, state, roles"),
    "unlock": (_unlock, "let a locked account sign in again"),
    "reset": (_reset, "give a new first password and end all sessions"),
    "disable": (_disable, "close an account; its records stay"),
    "grant": (_grant, "give one more role on a division"),
}

COMMANDS = {"user": Command(_execute, _add_arguments)}
