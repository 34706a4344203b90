"""Signals and pipes, each once; of trainings one."""

from tests.resilience import interrupting


def test_readers_that_leave_and_streams_that_are_closed_cost_no_traceback(workshop):
    pipes, streams, trainings = interrupting.run(workshop, times=1, trainings=0)
    assert (pipes.lost, streams.lost) == ([], [])
    assert (pipes.tried, streams.tried, trainings.tried) == (
        len(interrupting.PIPES),
        len(interrupting.CLOSED),
        0,
    )


def test_ctrl_c_saves_and_the_same_command_goes_on(workshop):
    assert interrupting.interrupted(workshop, 0) == ""
