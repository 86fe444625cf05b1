"""A stage of the hosts, done inside the lab's virtual machines."""

from dataclasses import replace

from kubert_tui.stages.model import Stage, Where


def in_guests(stage: Stage, *, title: str, what: str) -> Stage:
    """Return the same stage, its id `guest-ID`, for the machines; `what` opens its guide.

    Facts, checks, change and restarts are those of the hosts: a machine is reached as root with
    the lab's key, through the host that runs it.
    """
    guide = replace(
        stage.guide,
        what=f"{what}\n\nWhat is done is what the stage “{stage.title}” does to a host:\n\n"
        f"{stage.guide.what}",
    )
    return replace(stage, id=f"guest-{stage.id}", title=title, guide=guide, where=Where.GUESTS)
