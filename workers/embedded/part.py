"""What the parts of the stack have in common: whatever was started is ended, also when a start fails or is cancelled."""

from types import TracebackType
from typing import Self

from workers.embedded.process import complete


class Part:
    """An async context manager over `_start` and `_stop`; `_stop` ends what there is, however far the start came."""

    async def _start(self) -> None:
        raise NotImplementedError

    async def _stop(self) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await complete(self._stop())
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await complete(self._stop())
