"""Clauses: a reply as the short pieces that it is made of, with what is only polite told from what says something."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from domain.mail.quoting import without_signature

_TEXT_LIMIT = 4000
"""Characters of a reply that are read for what it asks: who writes more wants to be read by a person."""
_STRAIGHT = str.maketrans(
    {
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "´": "'",
        "`": "'",
        "–": "-",
        "—": "-",
        "－": "-",
        "‐": "-",
        "−": "-",
        "ー": "ー",
    }
)
_SPACES = re.compile(r"[ \t　]+")
_ENDS = re.compile(
    r"(?<=[.!])\s+|(?<=[\u3040-\u9fff])!+(?=[\u3040-\u9fff])|(?<=\?)\s*|[。！;；\n]+|\s[:;]-?[)(DP]+(?=\s)|(?<=[a-z])\s+-\s+|\s-{2,}\s"
)
_COMMAS = re.compile(r"\s*[,、，]\s*|\s*:\s+(?=[a-z])")
_HAS_COMMA = re.compile(r"[,、，]")
_TRIMMED = " .!,、。！:：;→-*•\"'()（）「」☺🙂😊👍🙏"
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
            r"(ok |okay )?(many |warm )?(thanks|thank you|thx|ty|cheers|danke|vielen dank|merci|gracias)"
            r"( (a lot|so much|very much|again|in advance|all|team|for ((?!\b(we|i|please|yes|no)\b)[^?,]){1,80}))*( [a-z]{2,15})?",
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
            r"(?!.*(更新|解約|継続|検討|見送|契約|予定|方向|希望|条件|不要|必要|点))[^?\s]{1,25}(の|、"
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
    r"|解約|利用|継続|更新|見送|断り|辞退|検討|値引|条件|ただし|但し|不要|ですが|ますが"
)


Says = Callable[[str], object]


@dataclass(frozen=True)
class Clause:
    """A piece of a sentence in lower case, without punctuation. `asks` is true for a question."""

    text: str
    asks: bool = False


def normal(text: str) -> str:
    """`text` in one spelling: half-width, straight quotes, lower case, single spaces."""
    flat = unicodedata.normalize("NFKC", text[:_TEXT_LIMIT]).translate(_STRAIGHT).lower()
    return "\n".join(_SPACES.sub(" ", line).strip() for line in flat.split("\n"))


def body_of(text: str, sender_name: str, says: Says) -> str:
    """A reply in one spelling without what stands under it: closing, name, company, numbers, notes of programs.

    `says` tells whether a line in that spelling says something: then it is no name.
    """
    lines = _without_programs(without_signature(text).split("\n"))
    lines = _above_closing(_without_salutation(lines, says), says)
    return normal("\n".join(_above_names(lines, normal(sender_name), says)))


def sentences(body: str) -> list[list[Clause]]:
    """The sentences of a reply's body, each as its clauses, without greetings and thanks."""
    found = []
    for sentence in _ENDS.split(body):
        if not sentence or not sentence.strip():
            continue
        asks = sentence.rstrip(" )\"'」").endswith("?")
        bare = _SMILES.sub("", sentence).strip(_TRIMMED + "?")
        if not bare or (not asks and not _HAS_COMMA.search(bare) and _is_polite(bare)):
            continue
        pieces = [piece.strip(_TRIMMED + "?") for piece in _COMMAS.split(bare)]
        said = [Clause(piece, asks) for piece in pieces if piece and (asks or not _is_polite(piece))]
        if said:
            found.append(said)
    return found


def _is_polite(said: str) -> bool:
    return bool(_POLITE.fullmatch(said)) and not _MATTERS.search(said)


_NOTES = re.compile(
    r"\s*(sent from (my|outlook|mobile|yahoo|proton)|get outlook for|envoyé de mon|von meinem .{1,20} gesendet"
    r"|(iphone|ipad|android|スマートフォン|携帯).{0,12}から送信).{0,60}",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"(?:(?:dr|mr|mrs|ms|prof)\.? )?[A-Z][\w.'’-]*(?:[ -](?:[A-Z][\w.'’-]*|van|von|de|di|of|and|&)){0,5}"
    r"|(?:[\u30a0-\u30ff\u4e00-\u9fffヶ々]{1,16}[ 　・]?){1,4}",
    re.IGNORECASE,
)
_CAPITALS = re.compile(r"[A-Z]|[\u30a0-\u30ff\u4e00-\u9fff]")
_UNDER = re.compile(
    r"(tel|phone|fax|mobile|mob|t|m|f|電話|携帯)\s?[.:：]?\s*[+(]?\d|\+?\d[\d ()/.-]{6,}|[\w.+-]+@[\w-]+\.\w"
    r"|https?://|www\.|\b(gmbh|ltd|inc|llc|ab|ag|corp|plc|co\.|pvt|kk|k\.k\.|bv|sas|srl|oy)\b|株式会社|有限会社"
    r"|合同会社|[|·]"
    r"|^(head|director|manager|office|procurement|purchasing|it|sales|ceo|cto|cfo|coo|owner|team)\b"
    r"|部(長|門)?$|課(長)?$|confidential|registered|amtsgericht|geschäftsführer|hrb|regulated",
    re.IGNORECASE,
)


_FOOTER = re.compile(
    r"\s*((this|the) (e-?mail|message|communication)\b.{0,60}\b(is|are|may|contains?)\b.*"
    r"|if you are not the (intended|named).*|(confidentiality|disclaimer|legal) ?(notice|note)?\b.*"
    r"|please consider the environment.*|authori[sz]ed and regulated.*|diese e-?mail (ist|kann|enthält).*"
    r"|この(電子)?メール.*(機密|宛先).*|[_=*-]{8,})",
    re.IGNORECASE,
)
_SALUTATION = re.compile(
    r"((good )?(morning|afternoon|evening|day)|to whom it may concern|chris|dear .{1,40}|hi .{1,40}"
    r"|hello.{0,40})",
    re.IGNORECASE,
)


def _without_programs(lines: list[str]) -> list[str]:
    """The lines that a person wrote: without notes of programs, up to the footer of a company."""
    footer = next((number for number, line in enumerate(lines) if number and _FOOTER.fullmatch(line)), len(lines))
    return [line for line in lines[:footer] if not _NOTES.fullmatch(line)]


def _without_salutation(lines: list[str], says: Says) -> list[str]:
    """The lines below the salutation: a first line that greets, or a name with a comma."""
    first = next((number for number, line in enumerate(lines) if line.strip()), None)
    if first is None or not any(line.strip() for line in lines[first + 1 :]):
        return lines
    line = lines[first].strip()
    greets = _SALUTATION.fullmatch(line.rstrip(",.!:、")) or (line.endswith((",", "、")) and len(line.split()) <= 3)
    return lines[first + 1 :] if greets and not says(normal(line)) else lines


def _above_closing(lines: list[str], says: Says) -> list[str]:
    """The lines above the closing; what follows it is a signature, but for a postscript."""
    kept: list[str] = []
    closed = False
    for line in lines:
        bare = normal(line).strip(_TRIMMED)
        if _POSTSCRIPT.match(bare):
            closed = False
        if closed:
            continue
        if bare and kept and all(_CLOSES.fullmatch(one.strip()) for one in bare.split("/")):
            closed = True
            continue
        if bare and any(one.strip() for one in kept) and _THANKS.fullmatch(bare) and not says(bare):
            rest = [one for one in lines[lines.index(line) + 1 :] if one.strip()]
            closed = bool(rest) and len(rest) <= 8 and all(_is_under(one, says) for one in rest[:2])
        kept.append(line)
    return kept


def _above_names(lines: list[str], name: str, says: Says) -> list[str]:
    """The lines above the last ones that are names, companies, titles and numbers."""
    kept = list(lines)
    while kept and (not kept[-1].strip() or _is_under(kept[-1], says) or _is_named(kept[-1], name)):
        last = kept.pop()
        if not any(line.strip() for line in kept):
            return [last] if last.strip() else lines
    return kept


def _is_under(line: str, says: Says) -> bool:
    """True for a line of a signature: a name, or what else stands there."""
    bare = line.strip(_TRIMMED)
    if says(normal(bare)) or len(bare) > 90 or bare.endswith(("?", "？")):
        return False
    words = len(bare.split())
    if _UNDER.search(bare):
        return not _SENTENCE.search(normal(bare))
    return bool(_NAME.fullmatch(bare)) and bool(_CAPITALS.match(bare)) and words <= 5


_SENTENCE = re.compile(
    r"\b(please|we|i|you|is|are|was|will|can|have|has|the order|send)\b|(です|ます|ください|下さい)$"
)
_THANKS = re.compile(
    r"(many |warm )?(thanks|thank you|thx|cheers|ありがとうございます)( (a lot|so much|very much|again"
    r"|in advance|all)| for [\w' ]{1,40})*( and all the best)?"
)


def _is_named(line: str, name: str) -> bool:
    """True for a line made of the writer's names and a word or two more."""
    words = re.split(r"[\s/|·,]+", normal(line).strip(_TRIMMED))
    return bool(name) and len(words) <= 5 and any(word in words for word in name.split())
