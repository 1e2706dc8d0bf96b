"""`/policy`: the rules that hold for every company of the firm, as far as it set nothing itself."""

from fastapi import APIRouter
from runway_core.domain.policy import DEFAULT_POLICY, find_own
from runway_core.runway import Runway
from runway_core.services.policies import change_policy
from starlette.requests import Request
from starlette.responses import Response

from runway_app_http.access import RunwayOfApp
from runway_app_http.api.history import HistoryEntry
from runway_app_http.ui.company import say_act
from runway_app_http.ui.figures import say_moment
from runway_app_http.ui.form_values import REFUSALS, read_actor, read_version
from runway_app_http.ui.forms import Said, go_and_say, keep_token, read_boxes, token_of, what_was_said
from runway_app_http.ui.policy import MOST_FIELDS, PolicyAct, lay_out_fields, lay_out_rules, lay_out_versions, read_act
from runway_app_http.ui.policy_fields import read_fields
from runway_app_http.ui.rendering import render

router = APIRouter()


@router.get("/policy")
async def show_firm_policy(request: Request, runway: RunwayOfApp) -> Response:
    """The firm's policy."""
    return await firm_policy_page(request, runway)


@router.post("/policy")
async def post_firm_policy(request: Request, runway: RunwayOfApp) -> Response:
    """Keep settings as a new version, or go back to an earlier one."""
    boxes = await read_boxes(request, at_most=MOST_FIELDS)
    fields = {name: values[-1] for name, values in boxes.items()}
    before = await runway.policies.read_firm()
    actor, version = read_actor(fields), read_version(fields)
    try:
        if read_act(PolicyAct, fields) is PolicyAct.REVERT:
            to = read_version({"version": fields.get("to", "")}) or 0
            after = await runway.policies.revert_firm(to, actor=actor, version=version)
        else:
            settings = read_fields(boxes, is_firm=True)
            reset = boxes.get("follow", ())
            after = await runway.policies.change_firm(settings, reset=reset, actor=actor, version=version)
    except REFUSALS as refused:
        return await firm_policy_page(request, runway, refused=str(refused))
    return go_and_say(request, "/policy", Said("policysame" if before.version == after.version else "policyset"))


async def firm_policy_page(request: Request, runway: Runway, *, refused: str = "") -> Response:
    """Lay the page out; `refused` says why the act before was not done."""
    policy = await runway.policies.read_firm()
    history = [HistoryEntry.of(entry) for entry in await runway.policies.firm_history()]
    shown = change_policy(policy, {}).model_copy(update={"own": find_own(policy)})
    token = token_of(request)
    said = what_was_said(request)
    page = render(
        "firm_policy.html",
        status=422 if refused else 200,
        policy=policy,
        is_order_own="rules" in find_own(policy),
        rules=lay_out_rules(shown, DEFAULT_POLICY, is_firm=True, now=None, then=None),
        others=lay_out_fields(shown, DEFAULT_POLICY, rule=None, is_firm=True),
        versions=lay_out_versions(history, policy.version),
        token=token,
        said="" if said is None else say_act(said.act),
        read_at=say_moment(runway.scope.clock.now()),
        refused=refused,
    )
    return keep_token(request, page, token)
