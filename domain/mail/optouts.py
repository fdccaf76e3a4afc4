"""Opt-outs: the wish for no more optional mails, in the words of the footers and in the customers' own."""

from __future__ import annotations

import re

from domain.mail.clauses import Clause
from domain.mail.spelled import spelled_out

_MAILS = (
    r"(?:e-?mails?|mails?|messages?|newsletters?|surveys?|mailings?|updates?|check-?ins?|notifications?|offers?"
    r"|promotions?|marketing|ads|these|this|them)"
)
_PLEASE = r"(?:please |pls |kindly |just )*"
_LEADS = re.compile(r"^(?:(?:and|but|also|so|ps|p\.s\.?|well|hi \w+|sorry|なお|また|ところで)[ ,:]+)+")
_NOW = r"(?: (?:me|us|please|now|all|thanks|immediately))*"
_SHORT = re.compile(rf"{_PLEASE}(?:stop|remove|no more|stop all){_NOW}")
_JA_MAILS = (
    r"(?:今後(?:は|の)?|以後|もう|この(?:種の|ような)?|これ以上|このような|お?知らせ|ニュースレター|アンケート"
    r"|キャンペーン|宣伝|広告|一切|今後|メールマガジン|メルマガ|営業|ご?案内|メール|や|など|等|の|を|は|、| )*"
)
_JA_PLEASE = r"(?:にして|して)?(?:ください|下さい|もらえますか|いただけますか|ほしいです)"

_WANTS = re.compile(
    "|".join(
        (
            rf"{_PLEASE}(?:unsubscribed?|opt[- ]?out|opted out|optout|remove|stop|no more|stop all){_NOW}",
            r"(?:[\w' ]{0,40}\b)?unsubscribe(?: (?:me|us|my address|our address|this address|my e-?mail)| (?:me "
            r"|us )?from [\w' ]{0,40})*(?: please)?",
            rf"{_PLEASE}(?:remove|take|delete) (?:me|us|my (?:e-?mail )?(?:address|name)|our address"
            rf"|this address)[\w' ]{{0,6}}(?:from|off)[\w' ]{{0,50}}",
            rf"{_PLEASE}(?:stop|quit|cease)(?: all| any| further)*(?: (?:marketing|promotional|advertising"
            rf"|sales))* (?:e-?mails?|mails?|mailings?|newsletters?|surveys?|messages?)(?: [\w' ]{{0,30}})?"
            rf"|{_PLEASE}(?:stop|quit|cease) (?:sending|emailing|e-mailing|mailing|writing|contacting|spamming)(?: (?:me"
            rf"|us|to me|to us))?"
            rf"(?: [\w' ]{{0,20}}\b{_MAILS})?(?: [\w' ]{{0,30}})?",
            rf"{_PLEASE}(?:do not|don't|dont|never) (?:send|email|e-mail|mail|write|contact|spam)(?: (?:me|us|to me"
            rf"|to us))?(?: any)?(?: more| further)?"
            rf"(?: (?:of )?[\w' ]{{0,20}}\b{_MAILS})?(?: (?:again|any ?more|any longer|ever again|or [\w' ]{{1,20}}))?(?: please)?",
            rf"(?:i|we) (?:do not|don't|dont|no longer|would not|wouldn't)(?: want| wish| like| need)*(?: to)?(?: (?:get"
            rf"|receive|have|be sent))?(?: any)?"
            rf"(?: more| further)?(?: [\w' ]{{0,20}}\b{_MAILS})(?: [\w' ]{{0,30}})?",
            r"(?:i'd|we'd|i would|we would|i|we) (?:like to |want to |wish to )?(?:opt[- ]?out|unsubscribe)[\w' ]{0,40}",
            rf"no (?:more|further) {_MAILS}(?: please)?|not interested in (?:these|your|any more) {_MAILS}",
            r"(?:bitte )?(?:abmelden|abbestellen|keine (?:weiteren )?(?:e-?mails|mails|nachrichten|newsletter)(?: mehr)?(?: bitte)?)",
            r"(?:bitte )?(?:melden|tragen) sie mich [\w ]{0,20}(?:ab|aus)|newsletter (?:abbestellen|abmelden)",
            r"(?:me )?(?:désabonner|désinscrire|désinscription|désabonnement)[\w' ]{0,20}|ne (?:m'envoyez|m'écrivez) plus[\w' -]{0,30}",
            r"(?:darme de baja|dar de baja|baja)[\w' ]{0,20}|cancelar (?:la )?suscripción|cancelar inscrição|disiscrivimi",
            # Japanese
            r"[^?]{0,20}(?:メール|配信|送信|ご?送付|ご?案内|アンケート|お知らせ)[^?]{0,10}(?:ご遠慮|お控え|差し控え)[^?]{0,30}",
            r"[^?]{0,20}リスト(?:から|より)(?:外|はず|削除|除外|抜)[^?]{0,30}",
            rf"{_JA_MAILS}(?:配信|送信|送付|購読|登録|受信|メールマガジン|メルマガ)(?:の|を|登録)*(?:停止|解除|中止"
            rf"|取りやめ|不要|キャンセル|拒否)"
            rf"(?:です|{_JA_PLEASE}|(?:を)?(?:希望|お願い)(?:(?:いた|致)?(?:します|致します)|です)?|でお願いします|(?:いた)?します)?",
            rf"{_JA_MAILS}(?:(?:送ら|送信し|送付し)ないで(?:ください|下さい)?|(?:今後)?(?:は)?(?:不要|いりません"
            rf"|要りません|いらない|必要ありません)(?:です)?(?:ので)?"
            r"|お送りいただかなくて(?:結構|大丈夫)です|停止(?:して|を)[^?]{0,12}|(?:やめ|止め)て(?:ください|下さい)"
            r"|受け取りたくありません)",
        )
    )
)
_NEEDS_MAIL_WORD = re.compile(r"不要|いりません|要りません|いらない|必要ありません|やめて|止めて|停止")
_JAPANESE_MAIL = re.compile(r"メール|配信|送信|送付|購読|登録|受信|メルマガ|ニュースレター|アンケート|知らせ|案内")
_POLITE_QUESTION = re.compile(r"(?:いただけ|もらえ|願え)ま(?:す|せん)(?:でしょう)?か$")
_NEGATED = re.compile(
    r"(?:\bnot|\bnever|n't)\b[\w' ]{0,12}\b(?:unsubscribe|opt)|\b(?:did|didn't|was|were|how|why|cannot|can't"
    r"|could not)\b|(?:停止|解除)(?:しないで|した覚え|されて)"
)
_ABOUT = re.compile(r"\bunsubscri\w*|\bopt[- ]?out|配信(?:停止|解除)|購読解除")


_MAIL = (
    r"(?:e-?mails?|mails?|newsletters?|surveys?|surveyed|questionnaires?|mailings?|mailing list|marketing"
    r"|promotion\w*|promos?|advertis\w+|adverts?"
    r"|ads|feedback|circulars?|campaigns?|spam|offers|updates|tips|digests?)"
)
_SOME = r"(?: [\w'-]+){0,6}?"
_ENGLISH = re.compile(
    "|".join(
        (
            r"\b(?:stop|cease|quit|refrain from|discontinue|stopped|end)(?: (?:all|any|these|those|the|your|such|this"
            r"|with|further|sending|me|us|to))*"
            rf"(?: (?:sending|e-?mailing|mailing|pitching|spamming|bombarding|pestering|bothering|writing)\b{_SOME}"
            rf"|(?: [\w'-]+){{0,2}}?) {_MAIL}\b",
            r"\b(?:stop|cease|quit) sending (?:it|them|these|this|those) to (?:me|us)\b|\b(?:stop|stopped|quit"
            r"|cease) (?:e-?mailing|spamming|mailing|surveying) (?:me|us)\b",
            rf"\b(?:do|would|does|will|shall|should|and) (?:not|rather not|no longer) (?:want|wish|like|care|need"
            rf"|be interested){_SOME} {_MAIL}\b",
            rf"\bno longer (?:want|wish|need|like|care){_SOME} (?:receive|get|{_MAIL})\b|\brather not (?:receive|get|be"
            rf"|have){_SOME} {_MAIL}\b",
            rf"\b(?:do|did|please|to|should|may|and|would you|can you|could you) (?:please )?(?:not|never) (?:send"
            rf"|e-?mail|mail|survey|contact){_SOME} (?:{_MAIL}|(?:any )?(?:further|more)(?: ones)?|any more|again)\b",
            r"\b(?:remove|take|delete|strike|drop|cross|leave|unsubscribe|exclude|scrub"
            r"|get)\b(?: [\w'.@-]+){0,6}? (?:from|off|out of)\b(?: [\w']+){0,4}?"
            rf" (?:list\w*|database|distribution|recipients|circulation|{_MAIL})\b",
            r"\bobject to\b[^,]{0,60}\b(?:marketing|advertis\w+|promotion\w*)\b|\b(?:withdraw\w*"
            r"|revok\w+)\b[^,]{0,40}\bconsent\b|\bconsent\b[^,]{0,40}\b(?:withdrawn|revoked)\b",
            rf"\bspare (?:me|us)\b{_SOME} {_MAIL}\b|\bno (?:more|further|additional)(?: [\w']+){{0,3}}? {_MAIL}\b"
            rf"|\bleave (?:me|us) out in future\b|\bdo without (?:us|me)\b[^,]{{0,20}}\blist\b",
            rf"\b(?:let|could|can|may|make) this (?:please )?be the last\b|\bthe last one (?:i am|we are) (?:asked"
            rf"|sent)\b|\b{_MAIL}(?: [\w']+){{0,3}}? (?:could|would|should|can) (?:please )?(?:stop|cease|end)\b",
            rf"\b{_MAIL}\b[^,]{{0,20}} (?:not wanted|unwanted|unwelcome|not welcome)\b|\bblocked for (?:advertising"
            rf"|marketing)\b|\b(?:mail|mails) is not wanted\b|\bdo not (?:send|forward) (?:them|these"
            rf"|any)\b[^,]{{0,40}}\b(?:address|me|us)\b|\bforbids?\b[^,]{{0,20}}\b(?:marketing|advertising"
            rf"|promotional)\b|\bno point in (?:my|our) (?:receiving|getting)\b|\bnot want to be (?:again|surveyed)\b",
        )
    )
)
_MAIL_JA = (
    r"(?:メール|メルマガ|めるまが|ニュースレター|アンケート|調査|お知らせ|ご?案内|配信|はいしん|購読"
    r"|ダイレクトメール|広告|宣伝|営業|販促|送信|送付|受信|情報)"
)
_ENDS_JA = (
    r"(?:(?:停止|ていし|中止|解除|除外|削除|辞退|拒否|取りやめ)(?:を|の|に|は|方|と|処理|登録|手続き?"
    r"|するよう)*(?:し(?!ま(?:って|い|う)|て(?:い(?!ただ)|しま|お(?!いて)))|お願い|願|希望|請求|いた|致|さ(?:せ"
    r"|れ(?:ます|たい))|くださ|下さ|よろしく|お?取り?計ら|です|$)"
    r"|止め(?:て|る|たい)|やめ(?:て|たい|させ)|不要|(?:いり|要り)ません|いらん|いらない|(?:は|(?<!で)も"
    r"|なくて)結構|ご?遠慮|勘弁|控え|お断り|外し|はずし|抜い|なし(?:で|に|という)|無しで|これで最後|限り|終わりに"
    r"|(?:送ら|送付し|送信し|来|こ|届か)ない(?:で|よう)|送ってこないで|こなくて|いただかなくて|希望(?:いた)?しません|認めており)"
)
_JAPANESE = re.compile(
    rf"{_MAIL_JA}[^。]{{0,34}}?{_ENDS_JA}|(?:送って|送り)(?:こ|来)ないで|送らないで|(?:配信先|送信先|送付先"
    rf"|対象者?|宛先|名簿|リスト)(?:リスト)?(?:から|より)?[^。]{{0,14}}(?:外|はず|除|削除|抜)|(?:私|当方|こちら"
    rf"|うち)を抜いて"
)
_OTHER_WAYS_JA = re.compile(
    r"(?:電話|訪問|来訪|来社|fax|ファックス)[^。]{0,16}(?:遠慮|控え|不要|お断り|結構)|(?:停止|中止)して(?:い"
    r"|しま|お)|(?:メール|こちら|情報|案内)(?:で|に)(?:お願い|結構|いただ|ご連絡)"
)
_FOOTER = re.compile(
    r"\bto unsubscribe\b[^.]{0,80}\b(?:click|visit|here|link|below|reply|go to|http)|\bunsubscribe (?:here|link|below)\b"
)
_PAST = re.compile(r"\b(?:did not|have not|has not|never) (?:receive|received|get|got|arrive)")


def opts_out(said: list[list[Clause]], *, asked: bool = False) -> bool:
    """True if a reply asks for no more mails: one of its sentences says so.

    Args:
        asked: it answers a quote, an offer or a renewal, so that "we don't need this" is about that.
    """
    alone = len(said) == 1 and len(said[0]) == 1
    own = [sentence for sentence in said if not _FOOTER.search(", ".join(clause.text for clause in sentence))]
    return any(
        any(_wants(clause, alone=alone, asked=asked) for clause in sentence) or _says_so(sentence) for sentence in own
    )


def mentions_it(said: list[list[Clause]]) -> bool:
    """True if a reply speaks of opting out without asking for it clearly."""
    return any(_ABOUT.search(clause.text) for sentence in said for clause in sentence)


def _says_so(sentence: list[Clause]) -> bool:
    """True if a sentence wishes for no more mails in words of its own."""
    text = spelled_out(", ".join(clause.text for clause in sentence))
    if any(clause.asks for clause in sentence) and not (_POLITE_QUESTION.search(text) or _POLITE_ENGLISH.search(text)):
        return False
    if _ENGLISH.search(text):
        return not _PAST.search(text) and not _NEGATED.search(text)
    return bool(_JAPANESE.search(text)) and not _OTHER_WAYS_JA.search(text) and not _NEGATED.search(text)


_POLITE_ENGLISH = re.compile(r"\b(?:can|could|would|will) you\b")
_THIS = re.compile(r"\b(?:this|these|them|that|it|those)(?: any ?more| any longer)?$")


def _wants(clause: Clause, *, alone: bool, asked: bool) -> bool:
    text = _LEADS.sub("", spelled_out(clause.text))
    if not _WANTS.fullmatch(text) or (_NEGATED.search(text) and "interested" not in text):
        return False
    if (clause.asks and not _POLITE_QUESTION.search(text)) or _OTHER_WAYS_JA.search(text):
        return False
    if asked and _THIS.search(text):
        return False
    if _SHORT.fullmatch(text):
        return alone  # "stop" within a longer reply may be about a machine
    return not _NEEDS_MAIL_WORD.search(text) or bool(_JAPANESE_MAIL.search(text))
