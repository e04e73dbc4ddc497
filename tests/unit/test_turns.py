"""Few at once, the others in the order in which they came."""

import asyncio

from components.routes.turns import Turns


def test_no_more_at_once_than_said_and_each_in_his_turn():
    turns, inside, most, ended = Turns(2), set[int](), list[int](), list[int]()

    async def act(number: int, over: asyncio.Event) -> None:
        async with turns:
            inside.add(number)
            most.append(len(inside))
            await over.wait()
            inside.remove(number)
            ended.append(number)

    async def run() -> None:
        over = [asyncio.Event() for _ in range(5)]
        acts = [asyncio.create_task(act(number, each)) for number, each in enumerate(over)]
        await asyncio.sleep(0)
        for each in over:
            each.set()
        await asyncio.gather(*acts)

    asyncio.run(run())
    asyncio.run(run())  # another loop has turns of its own
    assert max(most) == 2
    assert ended == [0, 1, 2, 3, 4] * 2


def test_who_fails_leaves_his_turn_to_the_next():
    turns = Turns(1)

    async def run() -> str:
        try:
            async with turns:
                raise ValueError
        except ValueError:
            async with asyncio.timeout(1), turns:
                return "served"

    assert asyncio.run(run()) == "served"
