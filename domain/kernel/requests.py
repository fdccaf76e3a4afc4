"""What all requests share: who asks, what makes a repetition harmless, and how one is read from its document."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import StringConstraints, ValidationError

from domain.kernel.base import Received
from domain.kernel.fingerprints import Asked, asked_by
from domain.kernel.refusals import INVALID_REQUEST, Refusal

_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=_PRINTABLE)]
Remark = Annotated[str, StringConstraints(max_length=2000, pattern=_PRINTABLE)]


class CustomerDecision(StrEnum):
    """A customer's answer to a quote or an offer."""

    ACCEPT = "accept"
    DECLINE = "decline"


class Request(Received):
    """Common to all: `request_id` makes a repetition harmless (default: the update's id); `by` is an opaque id of who asks."""

    request_id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,120}$")] | None = None
    by: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,64}$")] = "operator"

    def asked(self, request_id: str) -> Asked:
        """What it asks under its id, so that a repetition is told from another request."""
        return asked_by(self, request_id)

    def others(self) -> tuple[str, ...]:
        """Accounts that it concerns beside the one that is asked."""
        return ()


_Request = TypeVar("_Request", bound=Received)


def read_document(model: type[_Request], document: Any, refused_as: str, says: str) -> _Request:
    """A document as its model. Raises `Refusal` of the type `refused_as` that names each field that is wrong."""
    if refused := Refusal.of_characters(refused_as, says, document):
        raise refused
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation(refused_as, says, error) from None


def read_request(model: type[_Request], document: Any) -> _Request:
    """The request in a JSON document. Raises `Refusal` (InvalidRequest) that names each field that is wrong."""
    return read_document(model, document, INVALID_REQUEST, "the request cannot be read")
