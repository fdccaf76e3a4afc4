"""Consent: whether a reply clearly accepts or declines what it answers, or asks for a renewal, as a careful clerk would read it.

A yes counts only if nothing beside it could be a condition, another number, a doubt, a question or irony; a no may come
with its reasons. Whatever else bears on the question is for a person.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.mail.clauses import Clause


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# "#" stands for the id of what was asked. Up to so many words may stand between subject and verb.
_WE = r"\b(?:we|i|our (?:team|company|board|management|side))(?:'d|'ll|'ve|'re|'m)?\b(?: (?!not\b|never\b|no\b)[\w'-]+){0,6}?"
_LET = r"(?:\b(?:please|pls|kindly|let's|let us|you can|you may|just|so|now|and)\b(?: (?!not\b|don't\b|no\b)[\w'-]+){0,2}? |^)"

_ACCEPTS = _any(
    rf"{_WE} (?:accept|approve|agree to|agree with|confirm|take up|take you up on|go ahead|go for|go with|proceed|sign|order)\b",
    rf"{_LET}(?:go ahead|proceed|move forward|move ahead|place the order|add (?:them|it|the seats)|process (?:it"
    rf"|this|the \w+)|book (?:it|this|the \w+)|do it)\b",
    r"\b(?:consider (?:this|it)|this is|here is|take this as|you have|hereby)\b(?: [\w']+){0,4}? (?:acceptance"
    r"|approval|consent|go-ahead|accepted|approved|a yes)\b",
    r"(?:# |\b(?:quote|offer|renewal|proposal|quotation|terms|it) )(?:is |are )?(?:hereby )?(?:accepted"
    r"|approved|agreed|confirmed)\b|\byes to (?:#|the|your|this|it)|^accept(?:ed|ing)? (?:#|the|your|it)",
    r"(?:承諾|受諾|同意|発注|注文|お?申し?込み|承認)(?:を)?(?:いた|致|させて(?:いただき|頂き))?(?:し?ます|致します|する)",
    r"(?:更新|継続|追加|お?手続き|発注|契約|注文|進行|お?申し?込み|この内容|その内容|それ|こちら|条件|通り"
    r"|とおり|プラン|案)(?:を|で|にて|の方向で)?[、]?(?:ぜひ|是非)?(?:お願い(?:いた|致|申し上げ)?(?:します"
    r"|致します)|お進め(?:ください|下さい)|進めて(?:ください|下さい))",
    r"(?:更新|継続|契約)(?:を)?(?:いた|致|させて(?:いただき|頂き))?(?:します|致します|ます)$",
)
# Alone, or as the first word before a clause that accepts.
_YES = re.compile(
    r"(?:oh |so )?(?:yes|yep|yeah|yup|ok|okay|agreed|accepted|approved|confirmed|deal|accept|affirmative"
    r"|absolutely|certainly|definitely|ja|oui|はい|ええ|お願い(?:いた|致)?(?:します|致します)|okです"
    r"|オーケーです)"
    r"(?: (?:please|pls|sir|indeed|agreed|accepted|approved|from (?:us|me|our side)|go ahead|お願い(?:いた)?します))?"
)
_DECLINES = _any(
    r"^(?:no|nope|nein|non)(?: (?:thanks|thank you|thx|from us))?$|^no,? (?:thanks|thank you)\b|^(?:decline"
    r"|declined|reject|rejected)$|\bnot interested\b",
    rf"{_WE} (?:decline|reject|refuse|turn down|turn (?:it|this|that|your \w+) down|pass on|pass)\b",
    r"\b(?:do not|don't|dont|won't|will not|would not|not going to|decided not to|decided against|chosen not to"
    r"|not be|not planning to|no longer|not want to|not wish to|cannot|can't)\b(?: [\w']+){0,2}? (?:accept"
    r"|accepting|renew|renewing|renewal"
    r"|extend|extending|continue|continuing|proceed|proceeding|taking (?:it|this|that|you) up|taking (?:this|it"
    r"|the offer|the quote)|go ahead|going ahead|prolong|order|buy)\b",
    r"\b(?:do not|don't|dont|no longer)\b(?: (?:need|want|require))(?: (?:it|this|that|them|any|any more|more"
    r"|additional|extra|the|these|those|your))*(?: (?:seats|licen[cs]es|offer|quote|renewal|upgrade|service"
    r"|subscription|contract))?$",
    r"\b(?:go|going|gone|went) with (?:another|a different)\b|\b(?:chosen|choose|picked|switch(?:ed|ing)? to"
    r"|mov(?:e|ed|ing) to) (?:another|a different)\b",
    r"\blet (?:it|#|the \w+|our \w+)(?: #)? (?:expire|lapse|run out|end)\b|^(?:please |kindly )?(?:decline"
    r"|reject|cancel)\b(?: (?:it|this|the|our|your|#|renewal|quote|offer|contract|subscription))*(?: please)?$"
    r"|^no to\b",
    r"(?:見送|ご?辞退|お断り|断り)(?:り|ら|を)?(?:せ|さ|い|申|致|し|ま|て|たい|こと)|(?:ご)?遠慮(?:いた|致)?し(?:ます|たい)|遠慮させて",
    r"(?:更新|継続|契約|延長)(?:は|を|いた|致|の)*(?:し(?:ません|ないこと)|希望(?:いた)?しません|不要"
    r"|必要(?:は)?(?:ありません|ございません)|見送)",
    r"^(?:不要|必要(?:は)?(?:ありません|ございません)|要りません|いりません)(?:です)?$|(?:解約|契約終了|終了"
    r"|キャンセル)(?:を|で)?(?:お願い|希望|(?:いた)?します)|(?:承諾|同意|受諾)(?:は)?(?:でき|いたし|致し"
    r"|し)(?:ません|かねます)|お受け(?:でき(?:ません|かねます)|いたしかねます)|^(?:いいえ|いえ)$",
)
_RENEWS = _any(
    r"\b(?:please|pls|kindly|like to|want to|wish to|you|will|we'll|let's|and|also)\b(?: [\w']+){0,2}? (?:renew"
    r"|extend|prolong)\b|^(?:renew|extend)\b|\b(?:we|i)(?:'re| are|'ll be)? renew(?:ing)?\b",
    r"(?:更新|継続|延長)(?:を|も|で)?(?:したい|(?:を)?お願い|(?:を)?希望(?:いた)?します|して(?:ください|下さい"
    r"|いただきたい|いただけ|もらえ)|(?:いた|致)?します|の(?:手続き|ほど))",
)
# Yes and no turned round, or not meant.
_TURNED = _any(
    r"(?:\bnot|n't|\bnever)\b(?: [\w']+){0,3}? (?:decline|reject|cancel|refuse|let|say no|saying no|say yes"
    r"|sure)\b|\bnot saying\b|\bnot a (?:no|yes)\b|\bno (?:need to|problem|worries|issue|question|doubt"
    r"|objection)",
)
_NEGATES = re.compile(r"\b(?:not|never|cannot|neither|nor|without)\b|n't\b|ません|ない(?!か)|かね(?:ます|る)")
_CONDITIONS = _any(
    r"\b(?:but|however|if|unless|provided|assuming|as long as|only|except|instead|until|till|once|yet|maybe"
    r"|perhaps|probably|possibly|might|could|should|would be|discount|cheaper|lower|less|fewer|reduc\w*"
    r"|chang\w*|adjust\w*|different|half|either"
    r"|wait|waiting|hold on|pending|subject to|on condition|discuss\w*|think|thinking|consider(?!\ (?:it|this))"
    r"|considering|decide|deciding|check with|ask my|review\w*|not sure|unsure|too (?:expensive|high|much)"
    r"|for now|at the moment|right now|not now|later|first|before we"
    r"|rather|another (?:quote|offer|number|price)|most likely|likely|hopefully|in principle|also add|plus)\b",
    r"(?:^|, )ただ(?:$|,)|ただし|但し|もし|場合(?:は|に)|条件付|なら(?:ば)?(?:$|[、お])|であれば|次第(?:で|、)|検討|相談"
    r"|(?<!ご)確認(?:して|させて|後|の上|が必要)|上司|(?:稟議|社内)(?!.{0,8}(?:通り|承認|下り|済"
    r"|検討(?:いた)?し(?:ました|た)))|値引|割引|安く|変更(?:して|を|が)|減ら|増や|だけ|のみ|以外|まだ|かもしれ"
    r"|たぶん|おそらく|一旦|仮に|先に|後で|後日|思案|承知|了解|了承|前向き",
)
_IRONY = _any(
    r"\b(?:great|wonderful|fantastic|brilliant|bravo|lovely|love|loved|lucky|thrilled|joy|congratulations"
    r"|genius|well done|wow|ha+ha\w*|lol|kidding|joke|joking|seriously|supposedly|of course|obviously|naturally"
    r"|sure|again|another|as always|whatever|reluctantly|no choice|forced|apparently|yet again)\b",
    r"さすが|またです|また値上|はいはい|冗談|笑",
)
# What may stand beside a clear yes, numbers and all.
_BESIDE = _any(
    r"\b(?:invoices?|purchase order|po|billing|paperwork|order confirmation|signed (?:copy|quote|offer"
    r"|contract)|delivery|deliveries|accounts?@?)\b",
    r"^(?:as|like) (?:discussed|agreed)|^on behalf of|\b(?:happy|satisfied|pleased|content) with\b"
    r"|\bgood (?:service|work|support|job)\b|\blook(?:ing)? forward\b|\bno need to (?:call|reply|answer"
    r"|respond)\b|^(?:same|on the same) (?:terms|conditions)",
    r"請求書|注文書|契約書|確認書|納品|手配|電話|助かって|満足して|気に入って|稟議が(?:通り|下り)|手続き",
)
_WISHES = re.compile(
    r"\b(?:please|pls|need|want|would like|expect|make sure|ensure)\b|ください|下さい|ほしい|欲しい|たい(?:です|と)|願い"
)
_NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty"
    r"|hundred|dozen)\b|[二三四五六七八九十百]+(?:席|個|台|名|人|ヶ月|か月|年|月)"
)
_SAME_TERM = re.compile(
    r"\b(?:another|one more|a further|the next|the coming|one) (?:year|term|period|12 months)\b|(?:もう"
    r"|あと)?(?:一|1)年(?:間)?|\b(?:of|dated|from|on) \d{1,2}\.? [a-z]{3,9}(?: \d{4})?"
)
BEARS = _any(
    r"\b(?:accept\w*|approv\w*|agree\w*|renew\w*|declin\w*|reject\w*|cancel\w*|yes|ok|okay|proceed|go ahead"
    r"|sounds (?:good|great|fine)|fine (?:with|by|for)|works for us|looks (?:good|fine|great)|discount|cheaper"
    r"|price|expensive|seats|licen[cs]es"
    r"|think about|consider\w*|discuss\w*|decide|decision|quote|proposal|instead|understood|noted|deal"
    r"|confirm\w*|not (?:now|yet)|sign me|too many|too few|enough|about right|paying|no thanks|no problem|terminat\w*|expire|saying no|give me until"
    r"|get back to you|extend\w*)\b",
    r"承諾|承知|了解|了承|同意|受諾|更新|見送|辞退|断り|不要|\d席|料金|費用|解約|キャンセル|検討|条件|値引|割引|結構|金額|価格"
    r"|見積|大丈夫|問題(?:ない|ありません|ございません)|進め|契約|発注|注文|いいです|よいです|良いです|高い"
    r"|安く|上司|社内",
)
"""words that are about such a question"""


@dataclass(frozen=True)
class Consent:
    """What the clauses of a reply come to. `bears` is true if it is about the question without answering it clearly."""

    accepts: bool = False
    declines: bool = False
    renews: bool = False
    bears: bool = False

    @property
    def is_clear(self) -> bool:
        """True if it says exactly one thing."""
        return self.accepts + self.declines + self.renews == 1 and not self.bears


@dataclass
class _Found:
    accepts: bool = False
    declines: bool = False
    renews: bool = False
    doubts: bool = False
    """a condition, a number, irony, a question about it"""
    turned: bool = False
    bears: bool = False
    stray: bool = False
    """a sentence that nothing here knows and that is about the question"""


def consent(sentences: list[list[Clause]], *, renewal_asked: bool) -> Consent:
    """Accepts, declines or asks for a renewal; the id of what was asked stands as "#" in the clauses of each sentence.

    Args:
        renewal_asked: the reply answers a question whether to renew; then "please renew" is a yes.
    """
    found = _Found()
    for sentence in sentences:
        _look(sentence, found, renewal_asked=renewal_asked)
    accepts, renews = found.accepts, found.renews
    if renewal_asked and renews:
        accepts, renews = True, False
    elif renews and accepts:
        accepts = False  # "yes, please renew our Workspace" is one wish
    acts = accepts or found.declines or renews
    contradicts = found.declines and (accepts or renews)
    bears = found.turned or (found.doubts and (acts or found.bears)) or contradicts
    if accepts:
        bears = bears or found.stray
    return Consent(accepts, found.declines, renews, bears or (found.bears and not acts))


def _look(sentence: list[Clause], found: _Found, *, renewal_asked: bool) -> None:
    text = ", ".join(clause.text for clause in sentence)
    asks = any(clause.asks for clause in sentence)
    known = False
    found.turned = found.turned or bool(_TURNED.search(text) and not _BESIDE.search(text))
    if asks:
        renews = bool(_RENEWS.search(text)) and not _doubtful(text)
        found.renews = found.renews or (renews and not renewal_asked)
        found.doubts = found.doubts or (bool(BEARS.search(text)) and not renews)
        return
    if _DECLINES.search(text) and not _TURNED.search(text):
        found.declines = known = True
        found.doubts = found.doubts or bool(_CONDITIONS.search(_without_reasons(text)))
    elif _is_yes(sentence, text):
        found.accepts = known = True
        found.doubts = found.doubts or _doubtful(text)
    elif _RENEWS.search(text) and not _NEGATES.search(text):
        found.renews = known = True
        found.doubts = found.doubts or _doubtful(text)
    elif _ACCEPTS.search(text) and not _NEGATES.search(text):
        found.accepts = known = True
        found.doubts = found.doubts or _doubtful(text)
    if not known:
        found.bears = found.bears or bool(BEARS.search(text) or _YES.fullmatch(sentence[0].text))
        if not _BESIDE.search(text) or _CONDITIONS.search(text):
            found.doubts = found.doubts or bool(_CONDITIONS.search(text) or _IRONY.search(text))
            found.stray = found.stray or bool(
                BEARS.search(text) or _NUMBER.search(text) or _NEGATES.search(text) or _WISHES.search(text)
            )


def _is_yes(sentence: list[Clause], text: str) -> bool:
    """True if the first clause is a yes, and the others are nothing, or accept as well."""
    first, *rest = sentence
    if not _YES.fullmatch(first.text) or _NEGATES.search(text):
        return False
    return all(
        any(known.search(one.text) for known in (_ACCEPTS, _RENEWS, _BESIDE)) or _YES.fullmatch(one.text)
        for one in rest
    )


def _doubtful(text: str) -> bool:
    """True for a condition, another number, irony within what else reads like an answer."""
    plain = _SAME_TERM.sub("", text)
    return bool(
        _CONDITIONS.search(plain) or _IRONY.search(plain) or (_NUMBER.search(plain) and not _BESIDE.search(plain))
    )


def _without_reasons(text: str) -> str:
    """A no without the reasons that often come with it: other numbers and considerations of the past change nothing."""
    return re.sub(r"社内で|検討(?:いた)?し(?:ました|た|まし)|after (?:\w+ )?consider\w*|considered|instead", "", text)
