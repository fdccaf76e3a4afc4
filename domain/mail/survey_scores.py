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
    "ゼロ": 0,
    **{
        word: number
        for number, word in enumerate(
            ["null", "eins", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"]
        )
    },
}
_WORD = "|".join(sorted(map(re.escape, _WORDS), key=len, reverse=True))
_N = rf"(?:\d{{1,3}}|{_WORD})"

# What a sentence may hold beside the number and still say nothing else.
_BEFORE = (
    r"(?:(?:ok|okay|well|so|hi|hello|an?|it'?s|it is|that'?s|clearly|definitely|i'd|i would|i|we'd|we would|we"
    r"|would|will|'ll|give|gave|say|rate|rated|you"
    r"|it|this|the|your|service|support|that|go|with|as|for|to|at|my|our|score|rating|answer|vote|number|is|be"
    r"|was|solid|clear|strong|full|probably"
    r"|overall|experience|today|again|also|点数|評価|スコア|満足度|回答|今回|文句なし|ずばり|もちろん|星|の|は"
    r"|が|、|:|=|-|・|#)[ :=,-]*){0,12}"
)
_OF_HIGHEST = rf"(?:(?P<jhigh>\d{{1,2}}|{_WORD}) ?点(?:満点)?(?:中|のうち|の|で)(?:の)?、? ?)?"
_SCALE = rf"(?: ?(?:/|out of|of|von|sur)(?: a)?(?: possible)? ?(?P<high>{_N}))?"
_UNIT = (
    r"(?: ?(?:points?|pts?|stars?|punkte?|点|てん|つ星|つ))?(?:とさせていただきます|でお願い(?:いた)?します"
    r"|をつけ(?:ます|させていただきます)|くらいです|です|だと思います)?"
)
_AFTER = (
    r"(?:[ .,!。、！)\]*~:;☺🙂😊👍-]|thanks|thank you|please|from (?:me|us)|this time|this year|overall"
    r"|in total|today|for (?:you|this|it|the service|your service)"
    r"|i'?d say|i guess|all in all)*"
)
_ALONE = re.compile(rf"{_BEFORE}{_OF_HIGHEST}(?P<n>{_N}){_SCALE}{_UNIT}{_AFTER}")
# A number and then words about it: "9, because ...", "4 - the printer ...", "8. Great help!"
_THEN_WORDS = re.compile(
    rf"{_BEFORE}(?P<n>\d{{1,3}}|(?:{_WORD})(?![a-z]))(?: ?(?:/|out of|of) ?(?P<high>{_N})(?![a-z]))?(?: ?(?:points?|stars?|点))?"
    r"(?:\s*[,;:!()。、！]|\.(?!\d)|\s+-+\s|\s*\n|\s+(?:because|since|as|but|for|thanks|cause|due to|from"
    r"|this time|overall)\b|(?:です|でした)?[。、！])"
)
_HIGHEST = re.compile(
    r"(?:満点(?:です|をつけます)?|full (?:marks|score|points)|top (?:marks|score)|the maximum|maximum)[.!。！ ]*"
)
_STARS = re.compile(r"(?P<full>[★⭐]{1,10})(?P<empty>☆{0,10})(?: ?(?P<number>\d{1,2}))?")

_RANGE = re.compile(
    r"(?<!\d)\d{1,2} ?(?:-|to|or|~|～|〜|か|から) ?\d{1,2}(?!\d)|\bbetween (?:an? )?\d{1,2} and (?:an? )?\d{1,2}\b"
    r"|\bgave (?:you )?(?:an? )?\d"
)
_VAGUE = re.compile(
    r"(?:(?:about|around|roughly|maybe|perhaps|approximately|some|circa|ca|from|in|low|high|a|約|だいたい|たぶん)[. ]*)*"
    r"\d{1,3}(?:[.,]\d+)?(?:[ ?+%-]|ish|or|to|and|either|something|くらい|ぐらい|から|か|～|~|\d{1,3})*[.!。]*"
)
_ANOTHER = re.compile(
    r"(?:/|\b(?:out of|rather|more like|maybe|or|would be|could be|instead|next time|if [^.]{0,60}|make it|actually)\b"
    r"|不|なら|たら)[^.\n]{0,20}\b\d{1,2}\b"
    r"|\b\d{1,2} ?/ ?\d|\d{1,2} ?点"
)
_CONDITION = re.compile(r"\b(?:if|unless|provided|only when|as soon as)\b|なら|たら|場合")
_NUMBER = re.compile(r"\d+")
# A sign makes another number of it, or a thumb: "-1", "+1", "minus two", "マイナス1"; and so does a fraction: "4,5".
_SIGNED = re.compile(
    rf"^[-+] ?\d|(?<![a-z0-9)])-\d|(?<![a-z0-9)])\+\d{{1,2}}(?![\d ().-]*\d)|[▲△]\s?\d"
    rf"|(?<![a-z])(?:minus|plus|negative|below|less than) {_N}(?![a-z])|(?:マイナス|プラス) ?{_N}|(?<![\d.,])\d{{1,2}},\d(?!\d)",
    re.MULTILINE,
)
_BAD = re.compile(
    r"\b(?:fail\w*|delet\w*|broke\w*|broken|never|worst|bad|wrong|useless|awful|terrible"
    r"|bravo|disaster|lost)\b|最悪|ひどい|壊|失敗|二度"
)
_ABOUT = re.compile(
    r"\b(?:score|rate|rating|points?|stars?|satisf\w+|dissatisf\w+|unhappy|happy|recommend\w*|excellent|great"
    r"|good|poor|bad|terrible|awful|perfect"
    r"|disappoint\w+|average|well done)\b|点|評価|満足|不満|最高|最悪|良い|良かった|よかった|悪い|ひどい|残念|すばらしい|素晴らしい"
)
_SHORT = 60


_EARLIER = re.compile(
    r"\b(?:last (?:year|time|quarter|survey)|previous\w*|before|first|earlier|used to|was going to"
    r"|were going to|wanted to (?:put|give|say)|would have|nearly|almost"
    r"|colleague|my (?:boss|wife|husband|team)|anything above|otherwise)\b|去年|昨年|前回|以前|最初|当初|先月は"
    r"|部下|同僚|しようと思|と言いたい|つもりでした|番号|エラー|コード|型番|内線|電話|\b(?:tel|ext|code|error"
    r"|ticket|floor|room)\b"
)
_THING = (
    r"(?! ?(?:%|/ ?\d|[a-z]+(?<!points)(?<!stars)(?<!thanks)(?<!this)(?<!is)(?<!as)(?<!us)s\b|years?|months?"
    r"|days?|of (?:you|our|the|your|my)))"
)
_NAMED = re.compile(
    rf"(?:\b(?:put|mark|rate|rated|score|give|giving|given|award|call it|makes?|say|grant|settled on|go with|deserves?"
    rf"|gets?|earns?|comes to|it is|it's|that's|that is|be|stands at|down for"
    rf"|down as|think|answer|rating|vote|recommending you|than|only)\b|:)(?:,? (?:you|it|us|me|them|this|that"
    rf"|your \w+|the|\w+ points|my|only|just|down|as|for|on|at|to|an?|clear|solid|fair"
    rf"|weak|strong|full|big|honest|good|straight|easy|is|with))* (?P<n>\d{{1,2}}|{_WORD})(?![\w-]){_THING}"
    rf"|(?:^|[ ,])(?P<m>\d{{1,2}}|{_WORD}) (?:it is|from (?:me|us)|is fair)\b|\ban? (?P<o>\d{{1,2}}|{_WORD})(?=$| from| is| because| for)"
)
_NAMED_JA = re.compile(
    rf"(?<![\d.a-z-])(?:[「『]?)(?P<n>\d{{1,2}}|{_WORD})(?:[」』]?)(?: ?点)?(?:[」』]?)(?:です|かな|でお願い"
    rf"|(?:くらい|ぐらい)(?:です|でしょう|かな)|に(?:します|しました|しときます|いたします|させて)|とさせて"
    rf"|とします|と回答|と申|を?お?(?:つけ|付け)"
    rf"|を?差し上げ|を?進呈"
    r"|といったところ|が妥当|な$|だ(?:$|と思)|でした$|や(?:な|ね)?$)"
    rf"|(?<=[は:の])(?P<q>\d{{1,2}}|{_WORD})$"
)
_OF_POINTS = re.compile(r"(\d{1,2}|[五七十]) ?(?:点満点|段階)(?:評価)?(?:で(?:は)?|の|中|のうち|なら)?")
_OUT_OF = re.compile(rf" ?(?:/|\bout of|\bof) ?(\d{{1,2}}|{_WORD})(?!\w)")
_ASIDE = re.compile(r"(?:つける|付ける|評価する|言う|する)(?:の)?なら")
_TOP = re.compile(r"\b(?:full marks|top marks|top score|the maximum|maximum score)\b|満点|最高点")


def _named(clauses: list[Clause], low: int, high: int) -> tuple[int | None, bool] | None:
    """The score that single clauses name, if they name just one; null if none does. What was said before and by others does not count."""
    told = [clause.text for clause in clauses if not clause.asks and not _EARLIER.search(clause.text)]
    found: set[int] = set()
    for text in told:
        if any(_value(one[1]) != high for one in _OF_POINTS.finditer(text)):
            return None, True
        if any(_value(one[1]) != high for one in _OUT_OF.finditer(text)):
            return None, True
        plain = _OUT_OF.sub("", _OF_POINTS.sub("", text))
        if first := re.match(rf"({_N}) ?(?:/|out of) ?({_N})(?!\d)", text):
            plain += f" score {first[1]}"
        hits = [hit for pattern in (_NAMED, _NAMED_JA) for hit in pattern.finditer(plain)]
        found |= {_value(next(one for one in hit.groups() if one)) for hit in hits}
        if not hits and _TOP.search(plain):
            found.add(high)
    told_points = {
        _value(one) for text in told for one in re.findall(r"(\d{1,2}|[一二三四五六七八九十]) ?点(?!満点)", text)
    }
    if len(found | told_points) > 1 and told_points:
        return None, True
    if not found:
        return None
    rest = _ASIDE.sub("", _OF_POINTS.sub("", " ".join(told)))
    spoilt = _CONDITION.search(rest) or _RANGE.search(rest) or (max(found) * 10 >= high * 9 and _BAD.search(rest))
    if len(found) > 1 or spoilt or not low <= max(found) <= high:
        return None, True
    return found.pop(), False


def score_in(text: str, clauses: list[Clause], low: int, high: int) -> tuple[int | None, bool]:
    """The score in a reply of these clauses, and whether the reply is about one at all without naming it clearly.

    Returns `(score, False)`, `(None, True)` if a person has to read it, `(None, False)` if it is about something else.
    """
    said = text.strip()
    if not said:
        return None, False
    if _SIGNED.search(said):
        return None, True
    if _HIGHEST.fullmatch(said):
        return high, False
    if stars := _STARS.search(said):
        return _of_stars(stars, low, high)
    if len(said) <= _SHORT and _RANGE.search(said):
        return None, True
    told = [clause.text for clause in clauses if not clause.asks]
    for whole in (said.replace("\n", " "), " ".join(told)):
        if found := _ALONE.fullmatch(whole):
            return _checked(found, "", low, high)
    alone = [(found, number) for number, clause in enumerate(told) if (found := _ALONE.fullmatch(clause))]
    if len({found["n"] for found, _ in alone}) == 1:
        found, number = alone[0]
        return _checked(found, " ".join([*told[:number], *told[number + 1 :]]), low, high)
    if found := _THEN_WORDS.match(said + "\n"):
        return _checked(found, said[found.end() :], low, high)
    if (named := _named(clauses, low, high)) is not None:
        return named
    return None, bool(_ABOUT.search(said) or _VAGUE.fullmatch(said) or _RANGE.search(said))


def _checked(found: re.Match[str], rest: str, low: int, high: int) -> tuple[int | None, bool]:
    """The number, unless it is on another scale or the words beside it take it back."""
    number = _value(found["n"])
    groups = found.groupdict()
    scale = [_value(named) for named in (groups.get("high"), groups.get("jhigh")) if named]
    ironic = number * 10 >= high * 9 and _BAD.search(rest)
    another = ironic or _ANOTHER.search(rest) or (_CONDITION.search(rest) and _NUMBER.search(rest))
    if any(one != high for one in scale) or not low <= number <= high or another:
        return None, True
    return number, False


def _of_stars(found: re.Match[str], low: int, high: int) -> tuple[int | None, bool]:
    full, empty = len(found["full"]), len(found["empty"])
    if full == 1 and found["number"]:
        full = int(found["number"])
    fits = low <= full <= high and (full + empty == high or not empty)
    return (full, False) if fits else (None, True)


def _value(said: str) -> int:
    return int(said) if said.isdigit() else _WORDS[said]
