"""Whether the roles that environments name as callers exist in their account."""

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.operate.caller_roles import fix, missing_roles
from mistral7b.promotion.check.bootstrap import Place, denied
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.finding import ASK_AGAIN, Finding, Status
from mistral7b.promotion.promotion import Promotion


def check_callers(cloud: Cloud, place: Place, promotion: Promotion) -> Finding:
    """One finding on the callers of the place's environments."""
    roles = place.callers(promotion)

    def finding(status: Status, detail: str, fix: str = "") -> Finding:
        return Finding("callers", place.used_by, place.account, place.region, status, detail, fix)

    try:
        missing = missing_roles(cloud.client("iam", place.region, place.look(cloud)), roles)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and denied(error):
            return finding("later", "not looked at: the account has to be bootstrapped first")
        return finding("refused", f"AWS could not be asked: {error}", ASK_AGAIN)
    if missing:
        reason = f"no such role in account {place.account}: {', '.join(missing)}"
        return finding("refused", reason, fix(missing, f"{promotion.file.parent}/"))
    return finding("fine", f"every role exists: {', '.join(roles)}")
