FROM python:3.13-slim-trixie AS build

ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir "uv>=0.9,<1" && python -m venv --without-pip /opt/perennial

WORKDIR /src
# The dependencies change less often than the code: a layer of their own.
COPY pyproject.toml ./
RUN uv pip install --python /opt/perennial -r pyproject.toml --extra observe

COPY README.md LICENSE ./
COPY domain domain
COPY workflows workflows
COPY activities activities
COPY workers workers
COPY gateway gateway
RUN uv pip install --python /opt/perennial --no-deps .


FROM python:3.13-slim-trixie

RUN useradd --system --uid 10001 --user-group --home-dir /home/perennial --create-home perennial \
    && install --directory --owner=perennial --group=perennial --mode=0700 /kept
COPY --from=build /opt/perennial /opt/perennial
ENV PATH="/opt/perennial/bin:$PATH" PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

WORKDIR /home/perennial
USER 10001:10001
ENTRYPOINT ["perennial"]
CMD ["worker"]
