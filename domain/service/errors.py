"""What can be wrong with a request to the service rules: named errors, each with a code and a sentence of advice."""

from __future__ import annotations

from collections.abc import Mapping

from domain.kernel.business_errors import ServiceRuleError


class TransitionNotAllowedError(ServiceRuleError):
    """A case may not change in that way; `allowed` lists what it may become."""

    code = "transition_not_allowed"

    def __init__(self, message: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.allowed = allowed

    @property
    def wrong(self) -> Mapping[str, str]:
        return {"status": f"allowed: {', '.join(self.allowed) or 'nothing else'}"}


class StaleCaseError(ServiceRuleError):
    """Somebody else changed the case in between."""

    code = "stale_case"


class MergeRefusedError(ServiceRuleError):
    """Two cases that cannot be merged."""

    code = "merge_refused"
