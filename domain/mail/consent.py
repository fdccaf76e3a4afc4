"""Consent: whether a reply clearly accepts or declines what it answers, or asks for a renewal, as a careful clerk would read it.

Clear means that every clause is understood. A condition, another number, a question or a sentence that nothing here
knows makes it unclear, and a person reads it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.mail.clauses import Clause

_ID = r"(?:(?:quote|quotation|offer|contract|renewal|proposal|order|no\.?|number|見積(?:書)?|契約|オファー|番号)[ :#]*)*(?:§|#)"
"""what a named id was replaced by, with the word before it"""
_WE = r"(?:we|i|we all|our (?:team|company|board|management))"
_WILL = (
    r"(?:(?: hereby| gladly| happily| formally| officially| would like to| 'd like to|'d like to|'d love to"
    r"| would love to| want to| wish to| are happy to| am happy to|'re happy to"
    r"|'m happy to| are glad to| are pleased to|'re pleased to| will|'ll| have decided to|'ve decided to"
    r"| decided to| agree to| can| do| have|'ve| also)*)"
)
_THING = (
    r"(?:(?:it|this|that|everything|them|both|all of it)|(?:the|your|this|that|our|my|above|attached|new|latest"
    r"|proposed|renewal|all)(?: (?:the|your|new|latest|attached|proposed|renewal"
    r"|additional|extra|above|mentioned|annual|yearly))* (?:quote|quotation|offer|proposal|renewal|terms|price"
    r"|prices|contract|subscription|licen[cs]es?|seats|upgrade|extension|order|conditions"
    r"|agreement|plan|workspace|service)|(?:the )?renewal)"
)
_AS_IS = (
    r"(?: as (?:is|it is|it stands|they are|proposed|quoted|offered|discussed|agreed|usual|before|stated"
    r"|written|described)| (?:at|for) (?:the|this|that) price| now| today| straight away| immediately)?"
)
_TERM = r"(?: for (?:another|one more|a further|the next|the coming) (?:year|term|period|12 months))?"
_OF = rf"(?: {_THING})?(?: {_ID})?{_AS_IS}{_TERM}"
_PLEASE = r"(?:,? ?(?:please|pls|kindly))?"

_ACCEPTS = re.compile(
    "|".join(
        (
            r"(?:oh )?(?:yes|yep|yeah|yup|ok|okay|sure|agreed|accepted|approved|confirmed|deal|affirmative|absolutely"
            r"|certainly|definitely|ja|oui|si)"
            r"(?: (?:please|pls|sir|indeed|that's fine|accepted|agreed|approved|to that|go ahead|from (?:us|me|our side)))?",
            rf"(?:yes |ok |okay |so )?{_WE}{_WILL} (?:accept|accepted|approve|approved|confirm|agree|agree to|agree with"
            rf"|take|go for|go with|sign|order)(?: the acceptance of| to renew| to)?{_OF}{_PLEASE}",
            rf"(?:yes |ok |so )?(?:(?:please |pls |kindly |let's |let us |you (?:can|may) |just )*)(?:go ahead|proceed"
            rf"|move forward|move ahead|do it|do so)(?: with)?{_OF}{_PLEASE}",
            rf"(?:let's |let us |we'll |we will )(?:go|do|take)(?: with| for)?{_OF}",
            rf"(?:please |kindly )?(?:accept|confirm|approve|process|book){_OF} (?:for us|on our behalf)"
            rf"|(?:please )?(?:process|book)(?: {_THING})(?: {_ID})?{_PLEASE}",
            rf"(?:yes to |ok for |approval for )(?:{_THING}|{_ID})|(?:{_THING} )?{_ID}(?: is"
            rf"| are)?(?: hereby)? ?(?:accepted|approved|confirmed|agreed|ok|okay|yes|is fine to go)(?: by us)?",
            rf"{_THING}(?: {_ID})? (?:is|are)(?: hereby)? (?:accepted|approved|confirmed|agreed)(?: by us)?",
            rf"accepted? {_ID}|accept|i accept|we accept|(?:you have|this is) (?:our|my) (?:approval|ok|okay|go-ahead"
            rf"|consent|acceptance)(?: for {_THING})?|consider (?:it|this) (?:accepted|approved|done|agreed)",
            rf"{_WE}(?:'d| would)? ?(?:are|'re|am)? ?(?:in|on board)|count us in|it's a (?:yes|deal)|that's a yes|(?:it"
            rf"|this)(?:'s| is) a yes(?: from (?:us|me))?",
            # Japanese
            r"はい(?:お願い(?:いた|致)?します)?|ええ|(?:yes|ok|オーケー|オッケー)(?:です|でございます)?",
            rf"(?:(?:この|その|上記(?:の)?|ご提示(?:いただいた)?(?:の)?|ご提案(?:いただいた)?(?:の)?|いただいた|頂いた"
            rf"|今回の|貴社の)*(?:内容|条件|金額|お?見積(?:り|書)?|プラン|価格|案|オファー|提案|更新|契約(?:更新)?|件"
            rf"|追加)?(?:{_ID})?"
            r"(?:の件)?(?:は|を|に|で|にて|の(?:内容|条件)(?:で|にて|を|に)|につきまして(?:は)?"
            r"|について(?:は)?)?)(?:正式に|喜んで|ぜひ)?(?:承諾|受諾|同意|賛同|承認|発注|注文|契約|申し?込み"
            r"|更新)(?:を)?(?:いた|致|させていただき|させて頂き)?(?:します|致します|ます|する|です)",
            rf"(?:(?:この|その|上記(?:の)?|ご提示(?:の)?|ご提案(?:の)?|いただいた|今回の)*(?:内容|条件|金額|お?見積(?:り"
            rf"|書)?|プラン|価格|案)?(?:{_ID})?)(?:の通り|どおり|通り)?(?:で|にて)(?:更新|契約|発注|進行|手続き?"
            rf"|話)?(?:を)?"
            r"(?:お願い(?:いた|致)?(?:します|致します)|進めて(?:ください|下さい)|お進め(?:ください|下さい))",
            r"(?:更新|契約更新|契約の更新|手続き|お手続き|発注|追加)?(?:を|で)?(?:ぜひ)?(?:お願い(?:いた|致"
            r"|申し上げ)?(?:します|致します)|進めて(?:ください|下さい)|お進め(?:ください|下さい)"
            r"|お申し?込み(?:いた)?します|申し?込みます)",
            rf"{_ID}(?:を|の)?(?:承諾|受諾|同意|承認|発注|更新)",
        )
    )
)
_DECLINES = re.compile(
    "|".join(
        (
            r"(?:no|nope|nein|non)(?: (?:thanks|thank you|thx|from us))?|declined|rejected|(?:we're |we are |i'm "
            r"|i am )?not interested(?: in (?:this|it|the|your)(?: \w+){0,2})?|(?:there's |there is )?no (?:need"
            r"|interest)(?: for (?:it|this|that))?",
            rf"(?:no |so |unfortunately |sorry |regrettably )?{_WE}(?:(?: hereby| would like to|'d like to| must"
            rf"| have to| have decided to|'ve decided to| decided to| will|'ll| regret that we| want to|'d rather"
            rf"| would rather| politely| respectfully| kindly)*)"
            rf" (?:decline|reject|refuse|turn down|pass on|pass)(?: the)?{_OF}",
            rf"(?:no |so |unfortunately |sorry |regrettably )?{_WE}(?:'ve| have)? ?(?:do not|don't|will not|won't"
            rf"|would not|are not|aren't|'re not|am not|'m not|shall not|decided not to|have decided not to"
            rf"|choose not to|cannot|can't)(?: be| going to| planning to| looking to"
            rf"| want to| wish to| intend to| like to| longer)*(?: (?:accept|accepting|renew|renewing|extend|extending"
            rf"|continue|continuing|want|need|require|take|taking|proceed with|buy|go ahead with|go ahead|proceed"
            rf"|interested in|prolong))(?:{_OF}| any(?: more| additional)? seats| more seats)(?: anymore| any more"
            rf"| any longer)?",
            rf"(?:please |kindly )?(?:do not|don't|dont) (?:renew|extend|prolong|proceed|go ahead|process)(?: with)?{_OF}(?: please)?",
            rf"(?:please |kindly )?(?:decline|reject|cancel|stop|end)(?: {_THING})?(?: {_ID})?(?: please| for us)?"
            rf"|(?:please )?let (?:it|the contract|our contract|the subscription)(?: {_ID})? (?:expire|lapse|run out"
            rf"|end)",
            rf"{_WE}(?:'ve| have)? decided against (?:{_THING}|it|renewing|renewal)(?: {_ID})?|(?:{_THING} )?{_ID}(?: is"
            rf"| are)? ?(?:declined|rejected|refused|no)|no to {_ID}",
            rf"{_WE}(?:'ve| have)?(?: decided to| chosen to| will|'ll)? ?(?:go|gone|going|switch|switched|switching|move"
            rf"|moved|moving|chosen|choose) (?:with |to )?(?:another|a different|a new) (?:vendor|supplier|provider"
            rf"|product|solution)",
            # Japanese
            r"いいえ|いえ|結構です(?!か)|(?:今回は|誠に(?:残念|勝手)(?:ながら|ですが)?|残念ながら|せっかくですが"
            r"|申し訳(?:ありません|ございません)が)",
            rf"(?:(?:今回|この度)?(?:の)?(?:ご提案|提案|お?見積(?:り|書)?|オファー|更新|契約(?:更新)?|件|契約の更新"
            rf"|追加)?(?:{_ID})?(?:の件)?(?:は|を|については|につきましては)?)?(?:今回(?:は)?)?(?:ご?辞退|お断り|見送り"
            rf"|お見送り|ご?遠慮|拒否)(?:と|を)?(?:いた|致|させていただき|させて頂き|し)?(?:します|致します|ます"
            rf"|たいです|たいと(?:思|存)います|です)",
            rf"(?:(?:この|その|今回の)*(?:契約(?:更新)?|更新|件)?(?:{_ID})?(?:は|を"
            rf"|の)?)?(?:今回(?:は)?)?(?:見送らせて(?:いただき|頂き)ます|見送ります|断ります|更新(?:は|を)?(?:いた"
            rf"|致)?し(?:ません|ないことに(?:いた)?します(?:した)?)|更新(?:は|を)?希望(?:いた|致)?しません"
            r"|更新は?(?:不要|必要ありません|必要ない)(?:です)?|不要です|必要(?:は)?(?:ありません|ございません)"
            r"|要りません|いりません|継続(?:は|を)?(?:いた|致)?しません)",
            rf"(?:{_ID}(?:は|を|には)?)?(?:承諾|同意|受諾)(?:は)?(?:でき|いたし|致し|し)(?:ません|かねます)"
            rf"|お受け(?:でき(?:ません|かねます)|いたしかねます)|(?:契約|更新)?(?:を|は)?(?:解約|終了|キャンセル)(?:を"
            rf"|で)?(?:お願い(?:いた)?します|(?:いた)?します|希望(?:いた)?します)",
        )
    )
)
_RENEWS = re.compile(
    "|".join(
        (
            rf"(?:please |pls |kindly |can you please )?renew(?: (?:our|the|my|this"
            rf"|all(?: of)?(?: our)?) [\w &+-]{{1,40}}| it| everything|{_OF}){_TERM}{_PLEASE}",
            rf"{_WE}{_WILL} renew(?: (?:our|the|my|this) [\w &+-]{{1,40}}?| it|{_OF})?{_TERM}{_PLEASE}|{_WE}(?:'re| are"
            rf"|'ll be| will be) renewing(?: (?:our|the) [\w &+-]{{1,40}})?",
            rf"(?:please )?(?:extend|prolong)(?: (?:our|the|my) [\w &+-]{{1,40}}|{_OF}){_TERM}{_PLEASE}",
            r"(?:[^?]{0,30}?(?:の|を|は|、))?(?:契約|ご契約|ライセンス)?(?:の|を)?(?:契約)?更新(?:を"
            r"|も)?(?:したい(?:です|と(?:思|考え|存)(?:い|えて(?:い|おり))ます|のですが)?|(?:を)?お願い(?:いた"
            r"|致)?(?:します|致します|したい(?:です|のですが)?|できますでしょうか)|(?:を)?希望(?:いた|致)?します"
            r"|して(?:ください|下さい|いただきたい(?:です)?)|(?:いた)?します)",
        )
    )
)
# What may stand beside a clear answer without changing it.
_BESIDE = re.compile(
    "|".join(
        (
            r"(?:please |kindly |pls )?(?:send|forward|issue|mail|email|e-mail)(?: (?:us|me|over))?(?: (?:the|an|a|your"
            r"|our))?(?: (?:signed|updated|final|next|new))? (?:invoice|contract|paperwork|order confirmation"
            r"|confirmation|papers|documents|po)[^?]{0,60}",
            r"(?:our|the) (?:po|purchase order)(?: number| no\.?)? ?(?:is|:|will be)?[^?]{0,30}|(?:the )?invoice (?:to"
            r"|goes to|can go to|as usual)[^?]{0,60}",
            r"(?:the )?signed (?:copy|quote|offer|contract|paperwork) (?:is )?(?:attached|enclosed)|(?:attached"
            r"|enclosed|please find)[^?]{0,20}signed[^?]{0,30}",
            rf"{_WE}(?:'re| are|'m| am)(?: all)? (?:very |really |so )?(?:happy|satisfied|pleased"
            rf"|content) with[^?]{{0,60}}|(?:great|good|excellent) (?:service|product|work|support|job)"
            rf"|keep up the good work",
            r"(?:as|like) (?:discussed|agreed|talked about)(?: [^?]{0,30})?|on behalf of [\w .&-]{1,40}|for (?:acme|our company)",
            r"(?:請求書|注文書|契約書|確認書)(?:は|を|の)?[^?]{0,30}(?:お送り|送付|ください|下さい"
            r"|お願い(?:いた)?します|添付(?:いた)?します|添付しました)",
            r"[^?]{0,20}(?:助かって(?:い|おり)ます|満足して(?:い|おり)ます|気に入って(?:い|おり)ます)",
        )
    )
)
_DANGER = re.compile(
    r"\b(but|however|if|unless|provided|assuming|as long as|only|except|instead|until|till|once|after|before"
    r"|when|later|maybe|perhaps|probably|possibly|might|could|should|discount|cheaper|lower|less|more than"
    r"|fewer|reduce"
    r"|change|changes|adjust|different|first|wait|hold|pending|subject to|condition|conditions apply|discuss"
    r"|check|think|consider|boss|manager|board|approval from|review|not sure|unsure|yet|too (expensive|high"
    r"|much)|joke"
    r"|kidding|lol|haha|seriously|whatever|supposedly|forced|no choice|reluctantly|half|either|or|both)\b"
    r"|ただし|但し|ただ、|もし|場合|条件付|なら(ば)?|たら|次第|検討|相談|確認(して|させて|後|の上)|社内|上司"
    r"|稟議|稟議|値引|割引|安く|変更|減ら|増や|だけ|のみ|以外|まだ|かもしれ|たぶん|おそらく|思案|承知|了解|了承"
    r"|一旦|仮に|先に|後で|後日|のほう"
)
_POLITE_WISH = re.compile(
    r"^(?:can|could|would|will) you (?:please |kindly )?|(?:を)?(?:お願いできますか|していただけますか"
    r"|してもらえますか|お願いできますでしょうか)$"
)
BEARS = re.compile(
    r"\b(accept\w*|approv\w*|agree\w*|renew\w*|declin\w*|reject\w*|cancel\w*|yes|ok|okay|sure|proceed|go ahead"
    r"|sounds (good|great|fine)|fine (with|by|for)|works for us|looks (good|fine|great)|discount|cheaper|price"
    r"|expensive|seats"
    r"|licen[cs]es|think about|consider|discuss|decide|decision|offer|quote|proposal|instead|understood|noted"
    r"|deal|take it|confirm\w*|not (now|yet)|no thanks|terminat\w*|expire)\b"
    r"|承諾|承知|了解|了承|同意|受諾|更新|見送|辞退|断り|不要|解約|キャンセル|検討|条件|値引|割引|結構|金額"
    r"|価格|見積|お願い|大丈夫|問題(ない|ありません|ございません)|進め|契約|発注|注文|いいです|よいです"
    r"|良いです|高い"
)
_NUMBER = re.compile(
    r"\d|\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty|fifty|hundred"
    r"|dozen)\b|[一二三四五六七八九十百]+(席|個|台|名|人|ヶ月|か月|年|月)"
)
_ONE_YEAR = re.compile(r"(another|one more|a further|the next|the coming) (year|term|period|12 months)|一年|1年")


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


def consent(said: list[Clause], *, renewal_asked: bool) -> Consent:
    """Accepts, declines or asks for a renewal; ids in the clauses stand as "#" (the one answered), others as they are.

    Args:
        renewal_asked: the reply answers a question whether to renew; then "please renew" is a yes.
    """
    accepts = declines = renews = unsure = False
    for clause in said:
        text = clause.text
        if clause.asks:
            wish = _POLITE_WISH.sub("", text)
            wish = f"{wish}をお願いします" if wish.endswith("更新") else wish
            renews = renews or (wish != text and bool(_RENEWS.fullmatch(wish)) and not _is_dangerous(wish))
            unsure = unsure or (bool(BEARS.search(text)) and not renews)
        elif _DECLINES.fullmatch(text):
            declines = True
        elif _RENEWS.fullmatch(text) and not _is_dangerous(text):
            renews = True
        elif _ACCEPTS.fullmatch(text) and not _is_dangerous(text):
            accepts = True
        elif not _BESIDE.fullmatch(text) or _DANGER.search(text):
            unsure = True
    any_act = accepts or declines or renews
    bears = unsure and (any_act or any(BEARS.search(clause.text) and not clause.asks for clause in said))
    if (accepts or declines) and any(clause.asks for clause in said):
        bears = True
    if renewal_asked and renews:
        accepts, renews = True, False
    elif renews and accepts:
        accepts = False  # "yes, please renew our Workspace" is one wish
    return Consent(accepts, declines, renews, bears or (accepts and declines) or (renews and declines))


def _is_dangerous(text: str) -> bool:
    """True for a condition, another number, a doubt within what else reads like an answer."""
    return bool(_DANGER.search(text) or _NUMBER.search(_ONE_YEAR.sub("", text)))
