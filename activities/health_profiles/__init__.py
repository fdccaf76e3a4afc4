"""The profiles of health scores on file, for segments and stages of life: read when a process starts, checked before anybody is scored."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from domain.kernel.refusals import MendableError, Refusal
from domain.success.score_profiles import LifeStage, ScoreProfile

FOLDER = Path(__file__).parent


class ScoreProfileError(MendableError, ValueError):
    """A profile's file is wrong; the message names the file, the field and what would be right."""


@cache
def read_score_profiles(folder: Path = FOLDER) -> tuple[ScoreProfile, ...]:
    """Every `*.yaml` in `folder`. Raises ScoreProfileError for one that cannot be used, or if some customers would have none."""
    found = tuple(_read(path) for path in sorted(folder.glob("*.yaml")))
    for stage in LifeStage:
        if not any(not one.segments and one.fits("", stage) is not None for one in found):
            says = f"{folder} has no profile for every segment in the stage {stage.value!r}; put one there without `segments`"
            raise ScoreProfileError(says)
    return found


def _read(path: Path) -> ScoreProfile:
    try:
        profile = ScoreProfile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ScoreProfileError(f"{path.name} is no YAML: {error}") from error
    except ValidationError as error:
        raise ScoreProfileError(str(Refusal.from_validation("InvalidProfile", path.name, error))) from error
    if profile.profile != path.stem:
        raise ScoreProfileError(f"{path.name} is of profile {profile.profile!r}; name the file {profile.profile}.yaml")
    return profile
