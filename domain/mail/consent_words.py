"""Words of consent: how people say yes and no to a quote, an offer or a renewal in English and Japanese, and what makes it doubtful.

Patterns are searched in one sentence, in lower case and half width; "#" stands for the id of what was asked.
"""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns))


# Up to so many words may stand between a subject and its verb, none of which turns it round.
_WE = r"\b(?:we|i|(?:our|the) (?:team|company|firm|board|management|side))(?:'d|'ll|'ve|'re|'m)?\b(?: (?!not\b|never\b|no\b)[\w'-]+){0,6}?"
_LET = (
    r"(?:\b(?:please|pls|kindly|let's|let us|you can|you may|just|so|now|and)\b"
    r"(?: (?!not\b|don't\b|no\b)[\w'-]+){0,2}? |^)"
)
_FEW = r"(?: [\w']+){0,4}?"
_DO = r"(?:いた|致|させて(?:いただき|頂き))?"
_ASK = r"(?:お願い(?:いた|致|申し上げ)?(?:します|致します)|お進め(?:ください|下さい)|進めて(?:ください|下さい))"

ACCEPTS = _any(
    rf"{_WE} (?:accepts?|approves?|agrees? to|agrees? with|confirms?|take up|take you up on|go ahead|go for|go with|proceed|sign|order)\b",
    r"\b(?:we|i)(?:'re| are|'m| am|'ll be| will be) (?:taking (?:it|this|that|them|the \w+|you up)|accepting|ordering|going ahead)\b",
    r"\b(?:we'll|we will|i'll) take (?:it|them|this|the \w+|(?:quote |offer |your \w+ )?#)(?: as it (?:is|stands))?$",
    r"\bkeep us (?:on|going|with you)\b|\b(?:we|i)(?:'d| would|'ll| will)?(?: like to| want to| gladly"
    r"| happily)? (?:stay|continue|carry on) with (?:you|it|this)",
    rf"{_LET}(?:go ahead|proceed|move forward|move ahead|place the order|activate|do it)\b",
    rf"{_LET}(?:add|process|book|switch on) (?:it|them|this|the \w+)\b",
    rf"\b(?:consider (?:this|it)|this is|here is|you have|hereby|count (?:this|it) as)\b{_FEW} (?:acceptance"
    rf"|approval|consent|go-ahead|accepted|approved|a yes)\b",
    r"\b(?:treat|take|regard) (?:this|it)(?: [\w']+){0,3} as (?:our|my|an|the|a)(?: \w+)? (?:order|acceptance|approval|confirmation)\b",
    rf"\b(?:gave|given|has|have|got)\b{_FEW} (?:green light|go-ahead|approval)\b|\bsigned (?:(?:this|it) off|off on (?:this|it|the \w+))",
    r"(?:# |\b(?:quote|offer|renewal|proposal|quotation|terms|it) )(?:is |are )?(?:hereby )?(?:accepted|approved|agreed|confirmed)\b",
    r"\byes to (?:#|the|your|this|it)|^accept(?:ed|ing)? (?:#|the|your|it)",
    rf"(?:承諾|受諾|同意|発注|注文|お?申し?込み|承認)(?:を)?(?:{_DO}(?:し?ます|致します|する)|させて(?:いただく|頂く)(?:こと|もの))",
    r"(?:更新|継続|追加|お?手続き|発注|契約|注文|進行|お?申し?込み|この内容|その内容"
    r"|ご?提案(?:いただいた)?(?:の)?内容|それ|こちら|条件|通り|とおり|どおり|プラン|案)"
    rf"(?:を|で|にて|の方向で)?、?(?:ぜひ|是非)?{_ASK}",
    rf"(?:更新|継続|契約)(?:を)?{_DO}(?:します|致します|ます)$",
)
YES = re.compile(
    r"(?:oh |so )?(?:yes|yep|yeah|yup|ok|okay|agreed|accepted|approved|confirmed|deal|accept|affirmative|absolutely|certainly|definitely"
    r"|we (?:would|do|will)(?: indeed| like that)?|indeed|ja|oui|はい|ええ|okです|オーケーです|お願い(?:いた|致)?(?:します|致します))"
    r"(?: (?:please|pls|sir|indeed|agreed|accepted|approved|from (?:us|me|our side)|go ahead|お願い(?:いた)?します))?"
)
"""a first clause that says yes by itself"""

NO = re.compile(r"no|nope|nein|non|いいえ|いえ")
"""a first clause that says no if nothing after it takes that back"""

DECLINES = _any(
    r"^(?:no|nope) (?:thanks|thank you|thx|from us)\b|^no, (?:thanks|thank you)\b|^(?:decline|declined|reject"
    r"|rejected)$|\bnot interested\b|^no to\b",
    rf"{_WE} (?:decline|reject|refuse|turn down|turn (?:it|this|that|your \w+) down|pass on|pass)\b",
    rf"\b(?:the|our) \w+(?: \w+)? (?:has|have){_FEW} (?:declined|rejected|turned down|decided against)\b|\bturned down (?:your|the|#)",
    r"\b(?:do not|don't|dont|won't|wont|will not|would not|not going to|decided not to|decided against|chosen not to|not be|not planning to"
    r"|no longer|not want to|not wish to|cannot|can't)\b(?: [\w']+){0,2}? (?:accept|accepting|renew|renewing"
    r"|renewal|extend|extending|continue"
    r"|continuing|proceed|proceeding|go ahead|going ahead|prolong|order|buy|taking (?:it|this|that|you) up"
    r"|taking (?:this|it|the offer|the quote))\b",
    r"\b(?:do not|don't|dont|no longer) (?:need|want|require)(?: (?:it|this|that|them|any|any more|more"
    r"|additional|extra|the|these|those|your))*"
    r"(?: (?:seats|licen[cs]es|offer|quote|renewal|upgrade|service|subscription|contract))?$",
    r"\bno (?:need|use) for (?:it|this|that|them|any|more|extra|additional)\b",
    r"\b(?:go|going|gone|went) with (?:another|a different)\b|\b(?:chosen|choose|picked|switch(?:ed|ing)? to"
    r"|mov(?:e|ed|ing) to) (?:another|a different)\b",
    r"\b(?:plac|tak|bought|buy|buying|order|gone|going|went)\w*(?: [\w']+){0,3} elsewhere\b|\bclose (?:this|it|the (?:quote|file|case))\b",
    r"\bawarded\b(?: [\w']+){0,4} (?:to )?(?:another|someone else|a different|elsewhere)\b|(?:^|, )no to\b",
    r"\blet (?:it|#|the \w+|our \w+)(?: #)? (?:expire|lapse|run out|end)\b",
    r"^(?:please |kindly )?(?:decline|reject|cancel)\b(?: (?:it|this|the|our|your|#|renewal|quote|offer"
    r"|contract|subscription))*(?: please)?$",
    r"(?:見送|ご?辞退|お断り|断り)(?:り|ら|を)?(?:せ|さ|い|申|致|し|す|ま|て|たい|こと)|(?:ご)?遠慮(?:いた|致)?し(?:ます|たい)|遠慮させて",
    r"(?:更新|継続|契約|延長)(?:は|を|いた|致|の|も)*(?:し(?:ません|ないこと)|せず|行わ(?:ず|ない|ません)"
    r"|行いません|希望(?:いた)?しません|不要|必要(?:は)?(?:ありません|ございません)|見送)",
    r"^(?:不要|必要(?:は)?(?:ありません|ございません)|要りません|いりません)(?:です)?$",
    rf"(?:解約|契約終了|終了|満了|キャンセル)(?:を|で|と|をもって)*(?:終了と)?(?:お願い|希望|{_DO}します|させて)",
    r"(?:承諾|同意|受諾)(?:は)?(?:でき|いたし|致し|し)(?:ません|かねます)|お受け(?:でき(?:ません|かねます)|いたしかねます)",
    r"他社(?:さん|様)?(?:に|の|へ|と|で|製品)?.{0,12}(?:お願い|決ま|決め|発注|依頼|契約|導入|採用)",
)
RENEWS = _any(
    r"\b(?:please|pls|kindly|like to|want to|wish to|you|will|we'll|let's|and"
    r"|also)\b(?: [\w']+){0,2}? (?:renew|extend|prolong)\b|^(?:renew|extend)\b",
    r"\b(?:we|i)(?:'re| are|'ll be)? renew(?:ing)?\b|\b(?:request|ask for|need|want|like)\b(?: [\w']+){0,2} (?:renewal|extension) of\b",
    r"(?:更新|継続|延長)(?:を|も|で)?(?:したい|(?:を)?お願い|(?:を)?希望(?:いた)?します|して(?:ください|下さい"
    r"|いただきた[いく]|いただけ|もらえ)|(?:いた|致)?します|の(?:手続き|ほど))",
)

TURNED = _any(
    r"(?:\bnot|n't|\bnever)\b(?: [\w']+){0,3}? (?:decline|reject|cancel|refuse|let|say no|saying no|say yes"
    r"|sure)\b|\bnot saying\b|\bnot a (?:no|yes)\b",
    r"\bno (?:need to|problem|worries|issue|question|doubt|objection)",
)
"""yes and no turned round, or not meant"""

NEGATES = re.compile(r"\b(?:not|never|cannot|neither|nor|without|wont|dont)\b|n't\b|ません|ない(?!か)|かね(?:ます|る)")

CONDITIONS = _any(
    r"\b(?:but|however|if|unless|provided|assuming|as long as|only|except|instead|until|till|once|when|yet"
    r"|maybe|perhaps|probably|possibly|might|could|should)\b",
    r"\bwould be (?:better|enough|ok|okay|fine|about|happy|easier|possible)\b|\b(?:discount|cheaper|lower|less"
    r"|fewer|reduc\w*|chang\w*|adjust\w*|different|half|either)\b",
    r"\b(?:wait|waiting|hold on|pending|subject to|on condition|discuss\w*|think|thinking|consider(?! (?:it"
    r"|this))|considering|decide|deciding|check with|ask my|review\w*)\b",
    r"\b(?:not sure|unsure|too (?:expensive|high|much)|for now|at the moment|right now|not now|later|first"
    r"|before we|rather|another (?:quote|offer|number|price)|most likely|likely)\b",
    r"\b(?:hopefully|in principle|also add|plus)\b",
    r"(?:^|, )ただ(?:$|,|、)|ただし|但し|もし|場合(?:は|に)|条件付|なら(?:ば)?(?:$|[、お])|であれば|次第(?:で"
    r"|、)|検討|相談|(?<!ご)確認(?:して|させて|後|の上|が必要)|上司",
    r"(?:稟議|社内)(?!.{0,8}(?:通り|承認|下り|済))|値引|割引|安く|変更(?:して|を|が)|減ら|増や|だけ|のみ|以外"
    r"|まだ|かもしれ|たぶん|おそらく|一旦|仮に|先に|後で|後日|思案|承知|了解|了承|前向き",
)
HEDGES = _any(
    r"\b(?:if|unless|until|yet|maybe|perhaps|discount|cheaper|lower|instead|not sure|unsure|later|for now"
    r"|at the moment|right now|not now|let me|give us|give me|reconsider|next (?:year|month|quarter))\b",
    r"もし|場合は|であれば|検討|相談|まだ|後で|後日|一旦|来年|次回",
)
"""what makes a no doubtful: it may become a yes"""

PAST_REASONS = re.compile(
    r"社内で(?:検討|協議)|(?:検討|協議)(?:いた)?し(?:ました|た|まし)?結果|検討(?:いた)?し(?:ました|た|まし)結果"
    r"|検討(?:いた)?し(?:ました|た|まし)|検討の結果"
    r"|after (?:\w+ )?(?:consider|discuss|compar|review)\w*|considered"
    r"|nothing (?:to|will|else to) change|no changes?\b|\bother than\b"
)
"""what was weighed before the answer, and is over"""

IRONY = _any(
    r"\b(?:great|wonderful|fantastic|brilliant|bravo|love|loved|lucky|thrilled|joy|congratulations"
    r"|genius|well done|wow|ha+ha\w*|lol|kidding|joke|joking|seriously)\b",
    r"\b(?:supposedly|of course|obviously|naturally|sure|again|another (?:price|increase|hike|bill|rise|outage)"
    r"|as always|whatever|reluctantly|no choice|forced|apparently|dreaming)\b",
    r"さすが|またです|また値上|はいはい|冗談|笑",
)
BESIDE = _any(
    r"\b(?:invoices?|purchase order|po|billing|paperwork|order confirmation|signed (?:copy|quote|offer"
    r"|contract)|deliver\w*|ship\w*|accounts?@?|warehouse)\b",
    r"^(?:as|like) (?:discussed|agreed)|^on behalf of|\b(?:happy|satisfied|pleased|content) with\b"
    r"|\bgood (?:service|work|support|job)\b|\blook(?:ing)? forward\b",
    r"\bno need to (?:call|reply|answer|respond)\b|^(?:same|on the same) (?:terms|conditions)|\b(?:pass"
    r"|give)(?: on)? (?:my|our) (?:thanks|regards)\b|\bcopy (?:me|us)\b|\bsign(?:ed)? (?:this|it) off\b",
    r"請求書|注文書|契約書|確認書|納品|手配|電話|助かって|満足して|気に入って|稟議が(?:通り|下り)|手続き",
)
"""what may stand beside a clear yes, numbers and all"""

NUMBER = re.compile(
    r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|dozen)\b"
    r"|[二三四五六七八九十百]+(?:席|個|台|名|人|ヶ月|か月|年|月)"
)
SAME_TERM = re.compile(
    r"\b(?:another|one more|a further|the next|the coming|one) (?:year|term|period|12 months|twelve months)\b"
    r"|(?:もう|あと)?(?:一|1)年(?:間)?"
    r"|\b(?:of|dated|from|on|by) \d{1,2}\.? [a-z]{3,9}(?: \d{4})?"
)
WISHES = re.compile(
    r"\b(?:please|pls|need|want|would like|expect|make sure|ensure)\b|ください|下さい|ほしい|欲しい|たい(?:です|と)"
)

QUESTIONS = re.compile(
    r"(?:where|who|what|how|why|which|when)\b|(?:is|are|do|does|can|could|will|would|should) (?:it|this|that"
    r"|you|we|i|there|they)\b"
)
"""how a question begins that nobody ended with its mark"""

BEARS = _any(
    r"\b(?:accept\w*|approv\w*|agree\w*|renew\w*|declin\w*|reject\w*|cancel\w*|yes|ok|okay|proceed|go ahead"
    r"|sounds (?:good|great|fine)|fine (?:with|by|for)|works for us)\b",
    r"\b(?:looks (?:good|fine|great)|discount|cheaper|price|expensive|seats|licen[cs]es|think about|consider\w*"
    r"|discuss\w*|decide|decision|quote|proposal|instead|deal|confirm\w*)\b",
    r"\b(?:not (?:now|yet)|sign me|where do i sign|too many|too few|enough|about right|paying|commit|increase"
    r"|no thanks|no problem|terminat\w*|expire|sa(?:y|ying) no|month by month|monthly|rather than|continue"
    r"|give me until|get back to you|extend\w*)\b",
    r"^(?:well |duly )?(?:understood|noted)$",
    r"承諾|承知|了解|了承|同意|受諾|更新|見送|辞退|断り|不要|\d席|料金|費用|解約|キャンセル|検討|条件|値引|割引"
    r"|結構|金額|価格|見積|大丈夫|問題(?:ない|ありません|ございません)|進め|契約|発注|注文",
    r"いいです|よいです|良いです|高い|安く|上司|社内|終了",
)
"""words that are about such a question"""
