"""The version of the API, which its paths begin with."""

from __future__ import annotations

VERSION = "/v1"
