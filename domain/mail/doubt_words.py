"""Words of doubt: conditions, changes, delays, questions and irony beside an answer, and what may stand beside it without harm.

Patterns are searched as in `yes_words`.
"""

from __future__ import annotations

import re

from domain.mail.yes_words import any_of

HARMLESS = any_of(
    r"\b(?:from|as of|starting|effective|beginning|as from) (?:the )?(?:next|coming|following) (?:month|week"
    r"|quarter|year|term|period)\b|\bfor (?:the )?(?:next|coming) (?:year|term|period)\b"
    r"|\bwhen (?:it|the \w+|our(?: [\w#()]+){1,3}|this one) (?:finishes|is over|stops|comes to an end|runs out"
    r"|expires|ends|is up|is due)\b|\b(?:in|after|until"
    r"|before) (?:january|february|march|april|may|june|july|august|september|october|november|december)\b",
    r"(?:請求書|契約書|必要書類|書類|用紙)(?:を|も|が)?(?:もらえれ|いただけれ|送ってもらえれ|頂けれ|あれ)ば"
    r"|(?:たい|ほしい|欲しい)(?:の|ん)ですが|(?:日程|日時|日取り|着工日|納期|時期|訪問"
    r"|打ち合わせ|納品日|開始日|着手日)[^、]{0,6}(?:の)?(?:ご)?相談|ればよい|ればいい|(?:手続き"
    r"|書類)[^、]{0,8}ましたら|手続きがござい[^、]*",
    r"\blet (?:me|us) know (?:the|when|once|about|where|which|how)\b(?!.*(?:price|discount|cheap|cost)).*"
    r"|\b(?:let (?:me|us) know|please (?:ask|call|write|contact|shout|say)|just (?:ask|call|shout)"
    r"|happy to help|do not hesitate)[^,.]{0,40}\bif\b.*|\bif (?:you|there|anything|something"
    r"|anyone)(?: [\w']+){0,3}? (?:need|have|require|want to|would like to|any questions|questions|unclear"
    r"|missing|else|wish to)\b[^,]*|\bshould you (?:need|have|require|wish)\b.*|\bif that is (?:ok|all right"
    r"|alright|easier)\b|\bif possible\b|\bas (?:discussed|agreed|quoted|proposed|offered|stated|described"
    r"|usual|always|is|planned|per|specified|outlined|set out|it stands)\b|\bwhen(?:ever)? (?:you (?:can|get"
    r"|have)|suits|convenient|it suits|ready|it arrives|they arrive|you are)\b[^,]*|\bonce (?:again|more)\b"
    r"|\bat once\b|\bfirst (?:thing|class|of all|rate)\b|\bas soon as (?:possible|you can)\b"
    r"|\bonly (?:too )?(?:happy|glad)\b|\b(?:not|isn't) (?:cheap|the cheapest)\b[^,]*|\bbut (?:yes|ok|fine"
    r"|it is worth|worth|worth it|we need|we will)\b",
    r"(?:ご不明|不明な|ご質問|何か(?:ござい|あり|不足|必要)|不備|不足|必要(?:な(?:もの|書類"
    r"|情報)))[^、]{0,12}(?:ましたら|場合は|あれば|たら|でしたら|ば)[^、]*|もし(?:何か|ご不明|不備)[^、]*"
    r"|よろしければ|差し支えなければ|可能でしたら|お手数ですが|恐縮ですが|恐れ入りますが|ご確認(?:ください"
    r"|の?ほど|をお願い|お願い|いただ)|確認(?:が取れ|でき|が出来)(?:ました|た|まし)?|確認(?:いた"
    r"|致)?し(?:ました|まして|た)|後日(?:郵送|送付|お送り|別途)[^、]*|別途[^、]*(?:送|郵送|連絡)[^、]*|お待たせ"
    r"|お待ちして|大変お待たせ|お電話|だけで(?:なく|はなく)|なるべく早|できるだけ早|できれば(?:早|今|来|金|月"
    r"|火|水|木)[^、]*",
)
"""what sounds like a condition and is none"""

CONDITIONS = any_of(
    r"\b(?:if|unless|provided(?! (?:for|by|in|with|the|us|me))|providing|assuming|as long as|so long as|subject to|on (?:the )?condition"
    r"|(?<!we )(?<!i )(?<!really )depend(?!s? on (?:it|this|you|your))(?:s|ing|ent|ant)?|pending (?:approval"
    r"|sign\w*|confirmation|the|our|your)|contingent"
    r"|otherwise|only after|before we|in case|conditional\w*|with the proviso|on the understanding|still (?:has"
    r"|have|needs?|must)|(?:has|have|needs?|must) to be (?:signed|countersigned|approved|checked|cleared)"
    r"|do not (?:start|ship|order|send|book|do)\b|in exchange|in return)\b",
    r"ただし|但し|(?:^|、|, )ただ(?:$|、|,|し)|もし|場合(?:は|に|のみ)|条件(?:付|として|が|で(?:は)?(?:な|あ))"
    r"|(?<!から)なら(?!ず|ぬ|な|び)|であれば|ければ(?!と|幸い)|次第(?:で|、|お|ご)|ようであれば|でしたら"
    r"|(?:れば(?!と|幸い|あり|助|大変|嬉|うれ)|(?<!見当)たら(?!と|幸い)|るなら|るのであれば|るのでしたら)|ましたら",
)
"""counts wherever it stands"""

CHANGES = any_of(
    r"\b(?:discount\w*|cheaper|lower|less|fewer|reduc\w*|instead|half (?:of )?(?:the (?:seats|units|quantity"
    r"|amount|number|order|licences)|that|it|them|as many|price)|by half|halve|either|rather than|knock off"
    r"|throw in|sharpen|match (?:the|their)|swap|remove|leave out|leave (?:the|that|it|this) (?:[a-z]+ )?out"
    r"|(?:part|bit|half) only|without the|minus|exclud\w*|except\w*|apart from|only (?:the|one|two|three|\d+"
    r"|half|part|some|for|a)|just (?:the|one|two|three|\d+)|not the|part of|partial\w*|first (?:item|line"
    r"|position|half|part|two|three)|items? (?:\d|one|two|a|b)|make it|different|another (?:price|quote|offer"
    r"|model|number|option|version|size|colou?r)|revis\w+|amend\w*|modif\w+|adjust\w*|updated? (?:quote|offer"
    r"|version)|new quote|counter\w*)\b",
    r"値引|割引|お?安く|減ら|増や(?!して(?:ください|下さい|もらえ|いただけ|けろ))|(?<!いた)(?<!頂)だけ|のみ"
    r"|以外|除い|抜き|抜いて|外して|半分|一部|修正"
    r"|変更(?:して|を|が|いただ|の上|可|でき|した)|差し?替え|再見積|見積り?直|勉強し|下げて|(?:代わり|替わり)に"
    r"|もう少し|もうちょっと",
)
"""an answer to something else than what was asked"""

TAKES_SOME = re.compile(
    r"\b(?:take|want|need|have|order|buy|just|only)\b[^,]{0,20}\b(?:one|two|three|four|five|six|seven|eight"
    r"|nine|ten|\d+|some|half|part)\b|(?<!いた)(?<!頂)だけ|のみ"
)
"""beside a no: some of it after all"""

LATER = any_of(
    r"\b(?:maybe|perhaps|probably|possibly|might|likely|unsure|hopefully|in principle|in theory|tentativ\w+"
    r"|provisional\w*|lean(?:ing)?|inclin\w+|minded|plan(?:ning)? to|hop(?:e|ing) to|expect(?:ing)? to"
    r"|intend(?:ing)? to consider|should be able|i think|we think|i guess|i suppose|i believe|presumably|almost"
    r"|nearly|more or less|sort of|kind of|not sure|not (?:quite |fully )?convinced|torn|undecided)\b",
    r"\b(?:wait|waiting|hold (?:on|off|fire)|on hold|hold (?:it|this|the)|park (?:it|this)|until|till"
    r"|postpon\w+|defer\w*|delay\w*|revisit|discuss\w*|talk (?:it|this)? ?(?:over|to|with|about)|speak (?:to"
    r"|with) (?:my|our|the)|thinking|think (?:it|this|about|over)|sleep on|mull|consider(?! (?:it|this|us"
    r"|yourself|your|the (?:offer|quote|order|deal)))\w*|decid(?:e|ing)\b|decision|check (?:with|if|whether"
    r"|the)|run (?:it|this) (?:by|past)|ask(?:ing)? (?:my|our|the)|get back to you|come back to you"
    r"|let you know|be in touch|for now|at the moment|right now|not now|not yet|yet|later|next (?:quarter|year"
    r"|month|spring|summer|autumn|week)|(?:order|buy|decide|revisit|talk|look at (?:it|this)|back to you|again"
    r"|start|sign) in (?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|spring|summer|autumn)|need (?:the |my |our |an? )?(?:approval|sign-?off|ok|go ahead|permission)|awaiting"
    r"|under review|reviewing|too (?:early|soon)|rather|most likely|could you (?:do|give|offer|make)"
    r"|then we would|would (?:be|have been) (?:better|enough|happier|easier|possible)|should (?:be|have))\b",
    r"検討|相談|(?<!ご)確認(?:して|させて|後|の上|が必要|中|いたします|します|してから)|上司|稟議(?:中|に|を|書"
    r"|にかけ)|社内(?:で)?(?:確認|調整|検討|協議|稟議)|まだ|かもしれ|たぶん|多分|おそらく|恐らく|一旦|いったん"
    r"|仮に|ひとまず|とりあえず|先に|後で|あとで|後日|思案|調整(?!も?済|が?済|は?済|できました|がつきました)"
    r"|方向で(?:調整|検討|進めて(?:い|お))|最終(?:的な)?(?:決定|判断|確認)|前向き|保留|待って|お待ち(?:ください"
    r"|いただ)|来月以降|来期以降|予定です|つもりです|考えて(?:い|お)|迷って|悩んで|微妙|難し|厳し|決まり次第"
    r"|決まったら|改めて|また(?:連絡|ご連絡)|と思っては|思いますが",
)
"""a tendency, a delay, somebody else's decision"""

PUTS_OFF = any_of(
    r"\b(?:maybe|perhaps|probably|possibly|might|tentativ\w+|lean(?:ing)?|minded|i (?:think|guess|suppose)"
    r"|undecided|torn|wait(?:ing)? for|hold (?:on|off|fire)|on hold|park (?:it|this)"
    r"|postpon\w+|revisit|talk (?:it over|to (?:the|my|our))|talking to another|think (?:it|this) over|sleep on"
    r"|check with|run (?:it|this) (?:by|past)|ask(?:ing)? my|for now|not yet|too early|hands are tied"
    r"|again (?:after|in)|try (?:it|them|this) (?:out )?(?:for|first)|and then see|a fortnight|some time|more time)\b",
    r"検討|相談|上司|稟議中|まだ|かもしれ|たぶん|多分|おそらく|一旦|いったん|思案|前向き|保留|待って|来月以降"
    r"|来期|迷って|悩んで|微妙|聞いてみ|追って|賛成",
)
"""an answer that is put off, whatever it will be"""

BUT = any_of(
    r"\b(?:but|however|although|though|except|only|when|once|first|change|changes|should|could|plus|also add|as well as|wonder\w*)\b",
    r"\b(?:expensive|too (?:much|high)|steep|pricey|a lot of money)\b|高(?:い|すぎ|く)",
    r"(?:です|ます|ました|たい|の|した|だ)が(?:$|、|, )|けど|けれど|しかし",
)
"""counts in a sentence that bears on the question"""

PAST = re.compile(
    r"(?:社内|部内|課内|院内|家族|役員会|理事会|関係者|上司|現場|店|みんな|皆)(?:で|と)(?:も)?(?:検討|協議"
    r"|相談)[^、]{0,8}(?:結果|ところ|し)|(?:検討|協議|相談|比較)(?:を)?(?:いた|致|さ)?(?:し|せ)?(?:ました|た"
    r"|まし|ていただき(?:ました)?|て(?:いただいた|頂いた))?(?:が|けど)?(?:の)?(?:結果|ところ)?(?:$|、|, |を?重ね)"
    r"|(?:社内)?検討の(?:結果|上|うえ)|(?:上司|社内|役員|部長|社長|本社|経理|稟議|決裁|理事会"
    r"|取締役会)[^、]{0,6}(?:の)?(?:承認|決裁|了承|許可|ok|稟議|確認|稟議書|チェック|同意|了解)(?:が|も|を"
    r"|は)?(?:下り|おり|降り|通り|出|取れ|得|済|もらえ|いただけ|され"
    r"|できま)(?:ま?し)?た?(?!ら)[^、ら]{0,6}(?!ら)|稟議が(?:通り|下り|おり|承認)(?:まし"
    r"|されまし)?た(?!ら)[^、]{0,4}"
    r"|もう少し[^、]{0,10}(?:助かり|嬉し|ありがた|思)[^、]{0,6}(?:が|けど)|稟議を?(?:通し|通過)[^、]{0,6}"
    r"|(?:少し|やや|ちょっと|正直)[^、]{0,4}高い(?:とは|なあ|な|かな)?[^、]{0,8}(?:思い|感じ|気)[^、]{0,6}(?:が"
    r"|けど)"
    r"|\b(?:after|having|following)\b(?: [\w']+){0,4} (?:consider\w*|discuss\w*|compar\w*|review\w*|thought"
    r"|evaluat\w*|deliberat\w*|reflect\w*|read\w*|look\w*|talk\w*|check\w*)\b[^,]*"
    r"|\b(?:has|have|had) (?:now |all |carefully |also )*(?:considered|discussed|compared|reviewed|thought"
    r"|evaluated|looked|talked|checked|waited|read|been through)\b[^,]{0,40}"
    r"|\b(?:discussed|considered|reviewed|compared|checked|talked|spoke|slept on|thought)\b (?:it|this|that"
    r"|your|the|with|to|about|at|internally)\b[^,]{0,30}|\bhad (?:a |the )?chance to [^,]{0,40}|\b(?:talk"
    r"|talked|discussed|went|gone) (?:it|this|things|everything) (?:over|through)\b|\bsorry (?:for"
    r"|about) the (?:delay|wait)\b|\b(?:thanks|thank you) for (?:waiting|your patience|bearing)[^,]*"
    r"|\bafter some (?:back and forth|debate)\b"
    r"|\bother than\b|\blonger than\b|\bin the meantime\b|\btook (?:a while|longer|some time)\b"
    r"|\bdecision (?:is|has been|was) (?:made|taken|reached)\b"
)
"""what was weighed before the answer, and is over"""

OFFERS = re.compile(r"\bcan you (?:do|make|offer|go)\b|\bwould (?:be|do)\b|できますか$|可能(?:です|でしょう)か")
"""a question that is an offer of one's own"""

HOLDS = re.compile(
    r"\b(?:still (?:has|have|needs?|must)|(?:has|have|needs?|must) to be (?:signed|countersigned|approved"
    r"|checked|cleared)|do not (?:start|ship|order|send|book|do)\b(?! (?:me|us|them)\b))"
)
"""what keeps an answer from counting yet, wherever it stands"""
SOME = re.compile(r"(?<!いた)(?<!頂)だけ|のみ")

BEGINS = re.compile(
    r"(?:but|however|only|if|unless|provided|providing|as long as|assuming|on condition|subject to|except"
    r"|though|although|that said|one condition|condition)\b"
    r"|(?:ただ|但し|もし|条件|しかし)"
)
"""how a sentence begins that belongs to the one before it"""
YOURS = re.compile(r"\b(?:you|your|price\w*|cost\w*|deliver\w*|terms|contract)\b|御社|貴社|そちら|価格|金額|納期|納品")

IRONY = any_of(
    r"\b(?:wonderful|fantastic|brilliant|bravo|love (?:it|how|paying|the)|lucky|thrilled|what a joy"
    r"|congratulations|genius|well done|wow|ha+ha\w*|lol|kidding|joke|joking|seriously\?|yeah right|as if"
    r"|dream on|pull the other)\b",
    r"\b(?:supposedly|obviously|naturally|oh (?:sure|great|yes|of course)|sure (?:because|why)"
    r"|another (?:increase|hike|bill|rise|outage)|as always|reluctantly|no choice|forced|apparently|dreaming"
    r"|because we love|because why)\b",
    r"さすが|またです|また値上|はいはい|冗談|笑|皮肉|お得意の",
)

BESIDE = any_of(
    r"\b(?:invoic\w*|purchase order|po|billing|bill (?:it|us)|paperwork|confirmation|signed (?:copy|quote|offer"
    r"|contract)|deliver\w*|ship\w*|accounts?@?|warehouse|cost cent(?:er|re)|reference|ref|vat|address\w*|gate"
    r"|entrance|reception|parking|access|phone|call|ring|mobile|contact|monday|tuesday|wednesday|thursday"
    r"|friday|saturday|sunday|tomorrow|next week|this week|meeting|visit|calendar|send (?:it|the|us|me|over)"
    r"|forward|copy|cc|attn|attention|department|installation date|technician|engineer)\b|[\w.]+@",
    r"^(?:as|like) (?:discussed|agreed)|^on behalf of|\b(?:happy|satisfied|pleased|content) with\b"
    r"|\bgood (?:service|work|support|job)\b|\blook(?:ing)? forward\b",
    r"\bno need to (?:call|reply|answer|respond|ring)\b|^(?:same|on the same) (?:terms|conditions)|\b(?:pass"
    r"|give)(?: on)? (?:my|our) (?:thanks|regards)\b|\bcopy (?:me|us)\b|\bsign(?:ed)? (?:this|it) off\b",
    r"請求|注文書|注文番号|発注番号|発注書|契約書|確認書|納品|納期|手配|電話|連絡|助かって|助かり|満足して"
    r"|気に入って|手続き|宛(?:名|先|て)|担当|住所|部署|送付|お送り|郵送|添付|振込|支払|打ち合わせ|ミーティング"
    r"|訪問|来週|来られ|伺|工期|日程|管理番号|依頼番号|判子|捺印|押印|同封",
)
"""what may stand beside a clear yes, numbers and all"""

_MONTHS = r"(?:jan\w*|feb\w*|mar\w*|apr\w*|may|june?|july?|aug\w*|sept?\w*|oct\w*|nov\w*|dec\w*)"
PLAIN_NUMBERS = re.compile(
    r"\b(?:another|one more|a further|the next|the coming|one|for|a|by) (?:1 |one |12 |twelve )?(?:years?|term"
    r"|period|months)\b|\b(?:12|twelve) (?:more )?months\b|\b(?:1|one) (?:more )?year\b"
    r"|(?:もう|あと|また|さらに|向こう)?(?:一|1)(?:年|ヵ年|カ年|か年)(?:間|契約)?|12(?:か|ヶ|ヵ|カ)月(?:間)?"
    rf"|\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)?[ -]{_MONTHS}(?:[ ,]+\d{{4}})?\b|\b{_MONTHS} \d{{1,2}}(?:st|nd|rd"
    rf"|th)?(?:[ ,]+\d{{4}})?\b|\b(?:19|20)\d\d\b|\b\d{{1,2}}(?:st|nd|rd|th)\b"
    rf"|\b\d{{1,4}}[-/.]\d{{1,2}}[-/.]\d{{1,4}}\b"
    r"|\b\d{1,2}(?:[:.]\d\d)? ?(?:am|pm|o'clock|uhr)\b|\b\d{1,2}:\d\d\b|\d{4}年(?:度)?|\d{1,2}月(?:\d{1,2}日|末"
    r"|分|度|号)?|\d{1,2}日|\d{1,2}時(?:\d{1,2}分)?|令和\d+年(?:度)?|第?\d+(?:四半期|回|期)"
    r"|\b[a-z]{1,6}[-/]?\d{3,}[\w/-]*|\b\d{4,}[\w/-]*|\b(?:no|nr|number|#|番号)[.:は ]*[a-z]*[-/]?\d+[\w-]*"
)
"""numbers that change nothing: the term that was asked about, dates, times, references"""
NUMBER = re.compile(
    r"\d|%|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty|hundred|dozen|couple)\b"
    r"|[二三四五六七八九十百]+(?:席|個|台|名|人|ヶ月|か月|年|本|枚|つ)"
)

QUESTIONS = re.compile(
    r"(?:(?:where|who|what|how|why|when)(?: (?:much|many|long|soon|often|else|about|far))?|(?:which|what) (?!i\b|we\b|you\b|they\b)\w+)"
    r" (?:is|are|was|were|do|does|did|can|could|would|will|should|has|have|must|happens)\b"
    r"|(?:do|did|have) (?:you|we|i|they|the)\b|(?:is|are|does|can|could|will|would|should|has) (?:it|this|that|you|we|i|there|they|the)\b"
)
"""how a question begins that nobody ended with its mark"""
ASKS_JA = re.compile(r"(?:でしょうか|ますか|ですか|ませんか|かな|のか)$")
TAG_JA = re.compile(r"(?:よね|ですね|ますね|でしょ)$")
"""asks for no answer"""
POLITE = re.compile(
    r"\b(?:can|could|would|will) you (?:please |kindly |just )?(?!do (?:any )?better|offer|give|lower|reduce"
    r"|match|make)|\bmay i ask you to\b|\bwould you (?:please |kindly )?|\bwould you$|,? would you(?: please)?$"
)
POLITE_JA = re.compile(
    r"(?:いただけ|頂け|もらえ|願え|頼め|いただく(?:こと)?(?:は)?でき|お願いでき)(?:ます|ません)(?:でしょう)?か$"
)
"""a wish in the form of a question"""

BEARS = any_of(
    r"\b(?:accept\w*|approv\w*|agree\w*|renew\w*|declin\w*|reject\w*|cancel\w*|yes|ok|proceed|go ahead"
    r"|sounds (?:good|great|fine|interesting)|fine (?:with|by|for)|works for (?:us|me)|ok (?:with|by|for)"
    r"|good (?:for|with|by) (?:us|me))\b",
    r"\b(?:looks? (?:good|fine|great)|discount|cheaper|price\w*|pricing|expensive|seats?|licences?|think about"
    r"|consider\w*|discuss\w*|decid\w*|decision|quot\w*|proposal|offer|instead|deal|confirm\w*|order\w*|buy\w*"
    r"|purchas\w*|items?)\b",
    r"\b(?:not (?:now|yet)|sign me|sign|where do i sign|too many|too few|enough|about right|paying|commit"
    r"|increase|no thanks|no problem|terminat\w*|expire|sa(?:y|ying) no|month by month|monthly|rather than"
    r"|continue|give (?:me|us) until|get back to you|let you know|extend\w*|park (?:it|this)|either way"
    r"|check with|my boss|in (?:may|june|july)|ask (?:me |us )?again|hold (?:off|on|it|this)|wait|leave out"
    r"|postpon\w*|tempted|interested|leaning)\b",
    r"^(?:well |duly )?(?:understood|noted)$",
    r"承諾|承知|了解|了承|同意|受諾|更新|見送|辞退|断り|不要|\d席|料金|費用|解約|キャンセル|検討|条件|値引|割引"
    r"|結構|金額|価格|見積|大丈夫|問題(?:ない|ありません|ございません)|進め|契約(?!書)|発注(?!書)|注文(?!書)|購入|導入|継続|決裁"
    r"|稟議|承認|追加",
    r"いいです|よいです|良いです|高い|安く|上司|社内|終了|保留|いいと思|前向き|待って|考え",
)
"""words that are about such a question"""
