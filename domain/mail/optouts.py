"""Opt-outs: the wish for no more optional mails, in the words of the footers and in the customers' own."""

from __future__ import annotations

import re

from domain.mail.clauses import Clause

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
            r"[^?]{0,20}(?:メール|配信|送信|ご?送付|ご?案内|ご?連絡|アンケート|お知らせ)[^?]{0,10}(?:ご遠慮|お控え|差し控え)[^?]{0,30}",
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


def opts_out(said: list[Clause]) -> bool:
    """True if a reply asks for no more mails: one of its clauses says so."""
    return any(_wants(clause, alone=len(said) == 1) for clause in said)


def mentions_it(said: list[Clause]) -> bool:
    """True if a reply speaks of opting out without asking for it clearly."""
    return any(_ABOUT.search(clause.text) for clause in said)


def _wants(clause: Clause, *, alone: bool) -> bool:
    text = _LEADS.sub("", clause.text)
    if not _WANTS.fullmatch(text) or (_NEGATED.search(text) and "interested" not in text):
        return False
    if clause.asks and not _POLITE_QUESTION.search(text):
        return False
    if _SHORT.fullmatch(text):
        return alone  # "stop" within a longer reply may be about a machine
    return not _NEEDS_MAIL_WORD.search(text) or bool(_JAPANESE_MAIL.search(text))
