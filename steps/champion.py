"""Entry point champion: registers winners, and gives the best of them the alias champion."""

from common.champion.verdict import Terms, parse_margin
from common.errors import UserError
from common.store import entry, registry
from common.store.challenge import set_champion
from common.store.conf import load_gates
from steps.command import step_command
from steps.step import step


@step_command("champion")
def champion(name: str, version: str, margin: str, gates: str, ensemble: bool) -> None:
    """Register every search's winner, and let each challenge the champion."""
    registry.check_name(name)
    terms = Terms(parse_margin(margin), load_gates(gates))
    by_hand = version != "auto"
    if by_hand and ensemble:
        raise UserError(f"ensemble=true makes a version, it cannot go with version={version}")
    with step("champion") as run:
        name = entry.name_of(name, run.parameters["candidates"])
        run.tag(model=name)
        if by_hand:
            entry.say(run, set_champion(name, version), name)
        else:
            entry.enter_all(run, run.parameters["candidates"].split(","), name, terms, ensemble)


if __name__ == "__main__":
    champion()
