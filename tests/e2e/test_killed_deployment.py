"""A computer that dies while it deploys."""

import killed_deployment

KILLS = 50


def test_after_a_kill_at_any_moment_the_next_deployment_succeeds_and_the_boards_own_files_are_as_they_were() -> None:
    wrong, moments_s = killed_deployment.run(KILLS, seed=0)
    assert wrong == []
    assert len(moments_s) == KILLS
