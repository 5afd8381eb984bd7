"""A computer that dies while it deploys."""

import killed_deployment

KILLS = 50


def test_after_a_kill_at_any_moment_the_next_deployment_succeeds_and_the_boards_own_files_are_as_they_were() -> None:
    outcome = killed_deployment.run(KILLS, seed=0)
    assert outcome.wrong == []
    assert len(outcome.moments_s) == KILLS
    assert KILLS // 4 < outcome.unfinished < KILLS, "the moments are not spread over the deployment"
