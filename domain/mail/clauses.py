"""Clauses: a reply as the short pieces that it is made of, with what is only polite told from what says something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass

from domain.mail.quoting import without_signature

_TEXT_LIMIT = 4000
"""Characters of a reply that are read for what it asks: who writes more wants to be read by a person."""
_STRAIGHT = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "´": "'", "`": "'", "–": "-", "—": "-", "－": "-", "‐": "-", "ー": "ー"}
)
_SPACES = re.compile(r"[ \t　]+")
_ENDS = re.compile(r"(?<=[.!])\s+|(?<=\?)\s*|[。！;；\n]+|(?<=[a-z])\s+-\s+|\s-{2,}\s")
_COMMAS = re.compile(r"\s*[,、，]\s*|\s*:\s+(?=[a-z])")
_TRIMMED = " .!,、。！:：;-*•\"'()（）「」☺🙂😊👍🙏"
_SMILES = re.compile(r"[:;]-?[)(DP]+(?=\s|$)")

_POLITE = re.compile(
    "|".join(
        (
            # greetings
            r"(hi|hello|hey|dear|good (morning|afternoon|evening|day)|greetings|hallo|guten tag|bonjour|hola)( (there"
            r"|all|team|everyone))?( [\w.' -]{1,40})?",
            r"(mr|mrs|ms|dr)\.? \w+",
            r"(i |we )?hope (you are|you're|this (mail|email|message) finds you|all is) .{0,40}",
            # thanks
            r"(ok |okay )?(many |warm )?(thanks|thank you|thx|ty|cheers|danke|vielen dank|merci|gracias)( (a lot"
            r"|so much|very much|again|in advance|all|team|for (your|the|this|that|sending|getting|coming|reaching|all"
            r"|everything|asking)"
            r"((?! (we|i|please|yes|no|and we|and i)\b)[^?]){0,80}))*( [a-z]{2,15})?",
            r"(much |very much )?appreciated",
            r"(it was |it's )?(great|good|nice) (talking|speaking|hearing|to hear|working|to talk|meeting)[^?]{0,40}",
            # closings
            r"(with )?(best|kind|kindest|warm|warmest|many|very best)? ?(regards|wishes|greetings)( from .{1,30})?",
            r"(yours )?(sincerely|faithfully|truly)( yours)?|best|br|kr|rgds|mit freundlichen grüßen|viele grüße|cordialement|saludos",
            r"(have|wishing you) (a|an) .{1,30}",
            r"sent from (my|outlook|mobile)[^?]{0,30}",
            r"(we |i )?(am |are )?(really )?looking forward to [^?]{0,60}|look forward to [^?]{0,60}|talk soon|speak soon|see you( soon)?",
            # Japanese
            r"(いつも|平素(より|は)?|大変)?(大変|格別の)?(お世話に(なって(おり|い)ます|なります|なっております)"
            r"|お世話様です|お疲れ様(です|でございます)|ご高配を賜り.*)",
            r"[^?]{0,40}(ありがとう(ございます|ございました)?|有難うございます|感謝(いた)?します|拝受(いた)?しました"
            r"|拝見(いた)?しました|(メール|ご連絡).{0,6}受け取りました)",
            r"(以上|取り急ぎ.{0,20}|まずは.{0,12}(お礼|ご連絡|ご返信|ご報告)(まで|申し上げます)?|ご返信まで"
            r"|失礼(いた)?します|敬具|拝啓|草々)",
            r"(どうぞ|何卒|今後とも|引き続き|以上)?(宜しく|よろしく)(どうぞ)?(お願い(いた|申し上げ|致)?(します|致します)|頼みます)?",
            r"(引き続き|今後とも)[^?]{0,30}",
            r"[^\s?]{1,20}(様|御中|さん|殿)|(ご)?担当(者)?(様|の方)",
            r"(?!.*(更新|解約|継続|検討|見送|契約|予定|方向|希望|条件|不要|必要))[^?\s]{1,25}(の|、"
            r"| )[^?\sをがはにでしたくないつてる]{1,8}(です|でございます|と申します)",
            r"(ご)?返信が遅(くなり|れ)(、)?(申し訳(ありません|ございません|ございませんでした)|失礼(いた)?しました"
            r"|すみません(でした)?)|(大変)?申し訳(ありません|ございません)",
        )
    )
)
_CLOSES = re.compile(
    r"(with )?(best|kind|kindest|warm|warmest|many|very best)? ?(regards|wishes|greetings)( from .{1,30})?"
    r"|(yours )?(sincerely|faithfully|truly)|br|kr|rgds"
    r"|mit freundlichen grüßen|viele grüße|(どうぞ|何卒|以上)?(宜しく|よろしく)(どうぞ)?お願い(いた|申し上げ|致)?(します|致します)"
)
_POSTSCRIPT = re.compile(r"p\.?\s?s\b|追伸")


# What is polite by its form and yet says something.
_MATTERS = re.compile(
    r"\b(but|however|if|unless|only|except|instead|although|though|discount|cheaper|lower|declin\w*|reject\w*"
    r"|cancel\w*|terminat\w*|not|accept|accepted)\b|n't\b"
    r"|解約|見送|断り|辞退|検討|値引|条件|ただし|但し|不要|ですが|ますが"
)


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence in lower case, without punctuation. `asks` is true for a question."""

    text: str
    asks: bool = False


def normal(text: str) -> str:
    """`text` in one spelling: half-width, straight quotes, lower case, single spaces."""
    flat = unicodedata.normalize("NFKC", text[:_TEXT_LIMIT]).translate(_STRAIGHT).lower()
    return "\n".join(_SPACES.sub(" ", line).strip() for line in flat.split("\n"))


def clauses(text: str, *, names: Collection[str] = ()) -> list[Clause]:
    """What a reply says, without greetings, thanks and closings, and without `names` in lines under it (in lower case)."""
    lines = _without_names(without_signature(normal(text)).split("\n"), names)
    found = []
    for sentence in _ENDS.split("\n".join(lines)):
        if not sentence or not sentence.strip():
            continue
        asks = sentence.rstrip().endswith("?")
        bare = _SMILES.sub("", sentence).strip(_TRIMMED + "?")
        if not bare or (not asks and "," not in bare and _is_polite(bare)):
            continue
        for piece in _COMMAS.split(bare):
            said = piece.strip(_TRIMMED + "?")
            if said and (asks or not _is_polite(said)):
                found.append(Clause(said, asks))
    return found


def _is_polite(said: str) -> bool:
    return bool(_POLITE.fullmatch(said)) and not _MATTERS.search(said)


def _without_names(lines: list[str], names: Collection[str]) -> list[str]:
    """The lines above the closing, and whatever comes after a postscript; a name alone on a line says nothing."""
    kept: list[str] = []
    closed = False
    for line in lines:
        bare = line.strip(_TRIMMED)
        if not bare:
            continue
        if _POSTSCRIPT.match(bare):
            closed = False
        if closed and len(bare) <= 60:
            continue
        if _CLOSES.fullmatch(bare):
            closed = bool(kept)
            continue
        kept.append(line)
    while len(kept) > 1 and kept[-1].strip(_TRIMMED) in names:
        kept.pop()
    return kept


_NAME = re.compile(r"[A-Z][\w.'-]*(?:[ -][A-Z][\w.'-]*){0,4}|(?:[\u30a0-\u30ff\u4e00-\u9fff々]{1,12}[ 　・]?){1,3}")
_LAST_LINES = 4


def names_under(text: str, sender_name: str, says: re.Pattern[str]) -> set[str]:
    """The last lines of a text that are names, in lower case: capitals or kanji alone, and no word that `says` something."""
    found: set[str] = set()
    known = normal(sender_name)
    for line in reversed(
        [line.strip(_TRIMMED) for line in text.split("\n") if line.strip(_TRIMMED)][1:][-_LAST_LINES:]
    ):
        lower = normal(line)
        is_own = bool(known) and len(line) <= 40 and any(word in lower.split() for word in known.split())
        if (is_own or (len(line) <= 40 and _NAME.fullmatch(line))) and not says.search(lower):
            found.add(lower.strip(_TRIMMED))
            continue
        break
    return found
