"""Scores: the number by which a reply answers a survey, if it names just one and means it."""

from __future__ import annotations

import re

from domain.mail.clauses import Clause

_WORDS = {
    **{
        word: number
        for number, word in enumerate(
            ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        )
    },
    **{word: number for number, word in enumerate(["〇", "一", "二", "三", "四", "五", "六", "七", "八", "九", "十"])},
    **{
        word: number
        for number, word in enumerate(
            ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]
        )
    },
}
_WORD = "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
_ASCII_WORD = "|".join(word for word in _WORDS if word.isascii())
_N = rf"(?:\d{{1,3}}|{_WORD})"
_SCALE = rf"(?: ?(?:/|out of|of|von|sur)(?: a)?(?: possible)? ?(?P<high>{_N}))?"
_POINTS = (
    r"(?: ?(?:points?|pts?|stars?|punkte?|点(?:です|でお願いします|をつけます|くらい)?|てん|つ星|です|でお願いします))?"
)
_LEAD = (
    r"(?:(?:ok|well|so|hi|hello|a|an|it's|its|it is|that's|clearly|definitely|i'd|i would|i|we'd|we would|we"
    r"|would|will|'ll|give|gave|say|rate|rated|you|it|this|the|service|that|go|with|as|for|for a|to|at|my|our"
    r"|your|score"
    r"|rating|answer|vote|number|is|be|was|solid|clear|strong|full|probably|support|overall|experience|点数"
    r"|評価|スコア|満足度|回答|は|が|、|:|=|-|・|#)[ :=-]*){0,10}"
)
# The number alone, with its scale or unit, or in a sentence that says nothing else.
_BARE = re.compile(
    rf"{_LEAD}(?:(?P<jhigh>\d{{1,2}}|{_WORD}) ?点(?:満点)?(?:中"
    rf"|のうち)(?:の)?、? ?)?(?P<n>{_N}){_SCALE}{_POINTS}(?:[ .!。！)\]*~:;☺🙂😊👍-]|thanks|thank you|please"
    rf"|please!|すね|かな)*"
)
_FULL = re.compile(
    r"(?:満点(?:です|をつけます)?|full (?:marks|score|points)|top (?:marks|score)|the maximum|maximum)[.!。！ ]*"
)
_STARS = re.compile(r"(?P<full>[★⭐]{1,10})(?P<empty>[☆]{0,10})")
# A number and then words about it: "9, because ...", "4 - the printer ...", "8. Great help!"
_BEGINS = re.compile(
    rf"{_LEAD}(?P<n>\d{{1,3}}|{_ASCII_WORD})(?: ?(?:/|out of|of) ?(?P<high>\d{{1,3}}))?(?: ?(?:points?|stars?"
    rf"|点))?(?:\s*[,;:!()。、！]|\.(?!\d)|\s+-+\s|\s*\n|\s+(?:because|since|as|but|for|thanks|cause|due to"
    rf"|from)\b|(?:です|でした)?[。、！])"
)
_VAGUE_NUMBER = re.compile(
    r"(?:(?:about|around|roughly|maybe|perhaps|approximately|between|some|circa|ca|from|in|low|high|a|約"
    r"|だいたい|たぶん)[. ]*)*\d{1,3}(?:[.,]\d+)?(?:[ ?+?%-]|ish|or|to|and|either|something|くらい|ぐらい|から"
    r"|か|～|~|\d{1,3})*[.!。]*"
)
_OTHER_NUMBER = re.compile(r"\d+([.,]\d+)?")
_ANOTHER_SCORE = re.compile(
    r"(?:/|out of|rather|more like|maybe|or|would be|could be|instead|next time|if [^.]{0,60}|make it|actually"
    r"|不|なら|たら)[^.\n]{0,20}\b\d{1,2}\b|\b\d{1,2}\b ?(?:/|点)",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"\b(if|unless|provided|only when|as soon as)\b|なら|たら|場合")
_ABOUT = re.compile(
    r"\b(score|rate|rating|points?|stars?|satisf\w+|dissatisf\w+|unhappy|happy|recommend\w*|excellent|great"
    r"|good|poor|bad|terrible|awful|perfect|disappoint\w+|average|well done)\b|点|評価|満足|不満|最高|最悪|良い"
    r"|良かった|よかった|悪い|ひどい|残念|すばらしい|素晴らしい"
)


_RANGE = re.compile(r"(?<!\d)\d{1,2} ?(?:-|to|or|~|～|か|から) ?\d{1,2}(?!\d)|gave (?:you )?(?:an? )?\d")
_BAD = re.compile(
    r"\b(fail\w*|delet\w*|broke\w*|broken|never|worst|bad|wrong|twice|nobody|nothing|useless|awful|terrible"
    r"|bravo|disaster|lost)\b|最悪|ひどい|遅|壊|失敗|二度"
)
_SHORT = 60


def score_in(text: str, clauses: list[Clause], low: int, high: int) -> tuple[int | None, bool]:
    """The score in a reply of these clauses, and whether the reply is about one at all without naming it clearly.

    Returns `(score, False)`, `(None, True)` if a person has to read it, `(None, False)` if it is about something else.
    """
    said = text.strip()
    if not said:
        return None, False
    if _FULL.fullmatch(said):
        return high, False
    if stars := _STARS.search(said):
        return _from_stars(stars, low, high)
    if len(said) <= _SHORT and _RANGE.search(said):
        return None, True
    first = said.split("\n", 1)[0].strip()
    without_courtesy = " ".join(clause.text for clause in clauses if not clause.asks)
    whole = (said.replace("\n", " "), without_courtesy, *(clause.text for clause in clauses[:1]))
    if found := next((found for one in whole[:2] if (found := _BARE.fullmatch(one))), None):
        return _checked(found, "", low, high)
    if (found := _BARE.fullmatch(first)) or (clauses and (found := _BARE.fullmatch(clauses[0].text))):
        return _checked(found, " ".join([said[len(first) :], *(clause.text for clause in clauses[1:])]), low, high)
    if found := _BEGINS.match(said + "\n"):
        return _checked(found, said[found.end() :], low, high)
    return None, bool(_ABOUT.search(said) or _VAGUE_NUMBER.fullmatch(said))


def _checked(found: re.Match[str], rest: str, low: int, high: int) -> tuple[int | None, bool]:
    number = _value(found["n"])
    groups = found.groupdict()
    scale = [_value(named) for named in (groups.get("high"), groups.get("jhigh")) if named]
    ironic = number * 10 >= high * 9 and _BAD.search(rest)
    another = ironic or _ANOTHER_SCORE.search(rest) or (_CONDITION.search(rest) and _OTHER_NUMBER.search(rest))
    if any(one != high for one in scale) or not low <= number <= high or another:
        return None, True
    return number, False


def _from_stars(found: re.Match[str], low: int, high: int) -> tuple[int | None, bool]:
    full, empty = len(found["full"]), len(found["empty"])
    fits = low <= full <= high and (full + empty == high or not empty)
    return (full, False) if fits else (None, True)


def _value(said: str) -> int:
    return int(said) if said.isdigit() else _WORDS[said]
