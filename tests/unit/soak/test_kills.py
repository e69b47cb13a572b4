"""The choice of kills: from a seed, balanced, over every operation, victim and phase."""

from __future__ import annotations

from collections import Counter

from tests.soak.desired import Shape
from tests.soak.kills import Chooser, Cycle, Kill, Measured, Next, Operation, Phase, Victim, changed, possible

MEASURED = Measured(seconds=2.0, writes=10, files=100)


def cycles(seed: str, number: int) -> list[Cycle]:
    chooser, shape, found = Chooser(seed), Shape(deployed=False), []
    for _ in range(number):
        found.append(chooser.choose(shape))
        shape = found[-1].goal
    return found


def test_the_same_seed_chooses_the_same_kills() -> None:
    assert cycles("a", 50) == cycles("a", 50)
    assert cycles("a", 50) != cycles("b", 50)


def test_every_operation_victim_and_phase_gets_its_share() -> None:
    found = cycles("a", 200)
    operations = Counter(cycle.operation for cycle in found)
    assert min(operations[each] for each in Operation) >= 200 / len(Operation) / 2, operations
    for counts, kinds in (
        (Counter(cycle.kill.victim for cycle in found), Victim),
        (Counter(cycle.kill.phase for cycle in found), Phase),
    ):
        assert set(counts) == set(kinds)
        assert max(counts.values()) - min(counts.values()) <= 2, counts
    assert {cycle.kill.next for cycle in found} == set(Next)
    assert {bool(cycle.kill.twice) for cycle in found} == {cycle.kill.at_once for cycle in found} == {True, False}


def test_only_what_can_be_done_is_chosen() -> None:
    assert possible(Shape(deployed=False)) == [Operation.CREATE]
    assert Operation.DELETE not in possible(Shape())
    assert Operation.CREATE not in possible(Shape(extras=True))


def test_an_operation_changes_what_it_is_named_after() -> None:
    shape = Shape(revision=1, content=1, extras=True)
    assert changed(Shape(deployed=False), Operation.CREATE) == Shape()
    assert changed(Shape(), Operation.CREATE) == Shape(extras=True)
    assert changed(shape, Operation.UPDATE) == Shape(2, 1, extras=True)
    assert changed(shape, Operation.REPLACE) == Shape(1, 2, extras=True)
    assert changed(shape, Operation.DELETE) == Shape(1, 1)
    assert changed(shape, Operation.MIXED) == Shape(2, 2)
    assert changed(shape, Operation.DESTROY) == Shape(1, 1, deployed=False)


def test_a_moment_is_a_number_of_an_event_within_the_operation() -> None:
    first, last = Kill(Victim.ENGINE, Phase.WRITE, 0.0), Kill(Victim.ENGINE, Phase.FILE, 0.999)
    assert (first.count(MEASURED), last.count(MEASURED)) == (1, 100)
    assert Kill(Victim.ENGINE, Phase.ANSWER, 0.5).count(Measured(1, 0, 0)) == 1


def test_the_goal_is_what_was_asked_for_or_what_was_before() -> None:
    before, after = Shape(), Shape(revision=1)
    again, back = (Kill(Victim.ENGINE, Phase.TIME, 0.5, next=each) for each in (Next.AGAIN, Next.BACK))
    assert Cycle(Operation.UPDATE, before, after, again).goal == after
    assert Cycle(Operation.UPDATE, before, after, back).goal == before
