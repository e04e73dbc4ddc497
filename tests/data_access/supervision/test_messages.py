"""Messages are read by each of their readers alone."""

from data_access import inbox
from data_access.database import transaction
from domain.access import Actor
from tests.supervision import ANYI, remind, unread


def test_reading_a_message_counts_for_its_reader_alone(people, owner):
    successor_id = owner.execute(
        "INSERT INTO account (username, display_name, password_hash)"
        " VALUES ('successor', '继任', '!') RETURNING user_id"
    ).fetchone()[0]
    successor = Actor(successor_id, "继任", people.county.grants)
    remind(people.leader, ANYI)
    assert (unread(people.county), unread(successor), unread(people.neighbour)) == (1, 1, 0)
    for _ in range(2):
        with transaction(people.county, action="inbox.read") as connection:
            [message] = inbox.list_messages(connection)
            inbox.mark_read(connection, people.county, [message.inbox_message_id])
    assert (unread(people.county), unread(successor)) == (0, 1)


def test_message_of_another_unit_cannot_be_marked(people, owner):
    remind(people.leader, ANYI)
    with transaction(people.county, read_only=True) as connection:
        [message] = inbox.list_messages(connection)
    with transaction(people.neighbour) as connection:
        inbox.mark_read(connection, people.neighbour, [message.inbox_message_id])
    assert owner.execute("SELECT count(*) FROM inbox_reading").fetchone() == (0,)
