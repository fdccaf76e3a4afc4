"""Opt-outs: the wish for no more optional mails, in the words of the footers and in the customers' own."""

from __future__ import annotations

import re

from domain.mail.clauses import Clause

_MAILS = r"(?:e-?mails?|mails?|messages?|newsletters?|surveys?|mailings?|updates?|check-?ins?|notifications?|these|this|them)"
_WANTS = re.compile(
    "|".join(
        (
            r"(?:please |pls |kindly |just )*(?:unsubscribe|unsubscribed?|opt[- ]?out|opted out|remove|stop|no more"
            r"|stop all|optout)(?: (?:me|us|please|now|all|thanks|immediately))*",
            r"(?:[\w' ]{0,40}\b)?unsubscribe(?: (?:me|us|my address|our address|this address|my e-?mail|from (?:this"
            r"|these|the|your|all)[\w' ]{0,30}|me from[\w' ]{0,40}|us from[\w' ]{0,40}))*(?: please)?",
            r"(?:please |pls |kindly )*(?:remove|take|delete) (?:me|us|my (?:e-?mail )?(?:address|name)|our address"
            r"|this address)[\w' ]{0,6}(?:from|off)[\w' ]{0,50}(?: please)?",
            rf"(?:please |pls |kindly )*(?:stop|quit|cease) (?:sending|emailing|e-mailing|mailing|writing|contacting"
            rf"|spamming)(?: (?:me|us|to me|to us))?(?: [\w' ]{{0,20}}\b{_MAILS})?(?: [\w' ]{{0,30}})?",
            rf"(?:please |pls |kindly )*(?:do not|don't|dont|never) (?:send|email|e-mail|mail|write|contact"
            rf"|spam)(?: (?:me|us|to me|to us))?(?: any)?(?: more"
            rf"| further)?(?: (?:of )?[\w' ]{{0,20}}\b{_MAILS})?(?: (?:again|any ?more|any longer"
            rf"|ever again))?(?: please)?",
            rf"(?:i|we) (?:do not|don't|dont|no longer|would not|wouldn't)(?: want| wish| like| need)*(?: to)?(?: (?:get"
            rf"|receive|have|be sent))?(?: any)?(?: more| further)?(?: [\w' ]{{0,20}}\b{_MAILS})(?: [\w' ]{{0,30}})?",
            r"(?:i'd|we'd|i would|we would|i|we) (?:like to |want to |wish to )?(?:opt[- ]?out|unsubscribe)[\w' ]{0,40}",
            rf"no (?:more|further) {_MAILS}(?: please)?|not interested in (?:these|your|any more) {_MAILS}",
            r"(?:bitte )?(?:abmelden|abbestellen|keine (?:weiteren )?(?:e-?mails|mails|nachrichten"
            r"|newsletter)(?: mehr)?(?: bitte)?|newsletter (?:abbestellen|abmelden))|(?:bitte )?(?:melden"
            r"|tragen) sie mich [\w ]{0,20}(?:ab|aus)",
            r"(?:me )?(?:désabonner|désinscrire|désinscription|désabonnement)[\w' ]{0,20}|ne (?:m'envoyez"
            r"|m'écrivez) plus[\w' -]{0,30}|(?:darme de baja|dar de baja|baja)[\w' ]{0,20}|cancelar (?:la )?suscripción"
            r"|cancelar inscrição|disiscrivimi",
            # Japanese
            r"[^?]{0,20}(?:メール|配信|送信|ご?送付|ご?案内|ご?連絡|アンケート|お知らせ)[^?]{0,10}(?:ご遠慮|お控え|差し控え)[^?]{0,16}",
            r"(?:今後(?:は|の)?|以後|もう|この|これ以上|このような|お?知らせ|ニュースレター|アンケート|メールマガジン|メール|の|を|は"
            r"|、| )*(?:配信|送信|送付|購読|登録|受信|メールマガジン|メルマガ)(?:の|を)?(?:停止|解除|中止|取りやめ|不要|キャンセル"
            r"|拒否)"
            r"(?:です|にして(?:ください|下さい)|して(?:ください|下さい|もらえますか|いただけますか|ほしいです)"
            r"|(?:を)?(?:希望|お願い)(?:(?:いた|致)?(?:します|致します)|です)?|でお願いします|(?:いた)?します)?",
            r"(?:今後(?:は|の)?|以後|もう|この|これ以上|このような|お?知らせ|ニュースレター|アンケート|メールマガジン|メルマガ|ご?案内"
            r"|メール|の|を|は|、| )*(?:送らないで(?:ください|下さい)?|送信しないで(?:ください|下さい)?"
            r"|送付しないで(?:ください|下さい)?"
            r"|不要です|不要|いりません|要りません|いらない|必要ありません|お送りいただかなくて(?:結構|大丈夫)です"
            r"|停止(?:して|を)[^?]{0,12}|やめて(?:ください|下さい)|止めて(?:ください|下さい)|受け取りたくありません)",
        )
    )
)
_LEADS = re.compile(r"^(?:(?:and|but|also|so|ps|p\\.s\\.?|so please|well|hi \\w+|sorry)[ ,:]+)+")
_POLITE_QUESTION = re.compile(r"(?:いただけ|もらえ|願え)ま(?:す|せん)(?:でしょう)?か$")
_NEEDS_MAIL_WORD = re.compile(r"不要|いりません|要りません|いらない|必要ありません|やめて|止めて|停止")
_JAPANESE_MAIL = re.compile(
    r"メール|配信|送信|送付|購読|登録|受信|メールマガジン|メルマガ|ニュースレター|アンケート|知らせ|案内"
)
_SHORT = re.compile(
    r"(?:please |pls |kindly |just )*(?:stop|remove|no more|stop all)(?: (?:me|us|please|now|all|thanks|immediately))*"
)
_NEGATED = re.compile(
    r"(?:\bnot|\bnever|n't)\b[\w' ]{0,12}\b(?:unsubscribe|opt)|\b(?:did|didn't|was|were|how|why|cannot|can't"
    r"|could not)\b|(?:停止|解除)(?:しないで|した覚え|されて)"
)
_ABOUT = re.compile(r"\bunsubscri\w*|\bopt[- ]?out|配信(停止|解除)|購読解除")


def opts_out(said: list[Clause]) -> bool:
    """True if a reply asks for no more mails: one of its clauses says so."""
    return any(_wants(clause, alone=len(said) == 1) for clause in said)


def mentions_it(said: list[Clause]) -> bool:
    """True if a reply speaks of opting out without asking for it clearly."""
    return any(_ABOUT.search(clause.text) for clause in said)


def _wants(clause: Clause, *, alone: bool) -> bool:
    text = _LEADS.sub("", clause.text)
    if (
        not _WANTS.fullmatch(text)
        or (_NEGATED.search(text) and "interested" not in text)
        or (clause.asks and not _POLITE_QUESTION.search(text))
    ):
        return False
    if _SHORT.fullmatch(text):
        return alone  # "stop" within a longer reply may be about a machine
    return not _NEEDS_MAIL_WORD.search(text) or bool(_JAPANESE_MAIL.search(text))
