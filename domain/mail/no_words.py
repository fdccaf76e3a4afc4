"""Words of no: how people in offices turn down a quote, an offer or a renewal, in English and Japanese, with what makes it doubtful.

Patterns are searched as in `yes_words`.
"""

from __future__ import annotations

import re

from domain.mail.yes_words import DEAL, IT, any_of

NO = re.compile(r"no|nope|nah|nein|non|no no|いいえ|いえ|いや")
"""a first clause that says no if nothing after it takes that back"""

_FEW = r"(?: [\w'-]+){0,3}?"
_NOT = (
    r"\b(?:not|never|no longer|unable to|rather not|prefer not to|refus\w+ to|declin\w+ to|no intention (?:of"
    r"|to)|no plans (?:of|to)|not in a position to|against)\b"
)
_GO = (
    r"(?:accept(?:ing|ed)?|approv(?:e|ing)|renew(?:ing|al)?|extend(?:ing)?|continu(?:e|ing)|proceed(?:ing)?"
    r"|(?:go|going) (?:ahead|forward|for it|for this|with (?:it|this|you|your|the|#)|through with)"
    r"|(?:mov|tak)(?:e|ing) (?:ahead|forward|(?:it|this|that|things) (?:further|forward|up)|up)|prolong(?:ing)?"
    r"|(?:order|buy|purchas|plac)(?:e|ing)?\b(?! (?:it )?(?:yet|until|today))|sign(?:ing)?(?: up)?|stay(?:ing)?"
    r"|pursu(?:e|ing)"
    rf"|carry(?:ing)? on|add(?:ing)? (?:any|more|it|them|anything|those|{IT})|upgrad(?:e|ing)|(?:tak|us|hav|keep"
    rf"|want|requir|need|us)(?:e|ing|)? {IT}|(?:tak|us)(?:e|ing) you up|take part|award(?:ing)?"
    rf"|be (?:a )?customers?|be (?:with|needing|requiring|wanting|buying|ordering|using)\b"
    r"|need(?:ing)? (?:any|more|extra|additional|anything|further)|agree to|commit(?:ting)?|invest(?:ing)?)"
)

ENGLISH = any_of(
    r"^(?:no|nope|nah)(?: (?:thanks|thank you|thx|from us|from me|from our side|go|deal|sale|way|chance|sir"
    r"|to)\b|$)|^no, (?:thanks|thank you)\b|^thanks,? but no|\bno thanks?\b|\bno thank you\b|\b(?:it|this|that"
    r"|answer|decision|one) is (?:a |an )?(?:clear |firm |definite |polite )*no\b(?! (?:problem|brainer))"
    r"|\ba no (?:from|for|on|to)\b|\bsaid no\b|\bsays no\b|\bvoted no\b|\bhas to be a no\b|\bwill be a no\b"
    r"|\bpolite no\b",
    r"^(?:decline|declined|reject|rejected|denied|refused|cancelled|canceled|not approved|not accepted"
    r"|not renewed|pass|hard pass|withdrawn)(?=$|,| #| by| from| due| because)",
    r"\bnot (?:interested|for us|for me|a chance|on your life|this time(?: around| round)?|needed|required"
    r"|wanted|of interest|worth it|a priority|what we (?:need|want|are looking for)|our thing|a fit|(?:quite "
    r"|really )?a good fit|the right fit|viable|successful|been successful|been (?:selected|approved|accepted"
    r"|chosen)|on this occasion|ordering|buying|renewing|proceeding|continuing|going|staying|happening)\b",
    rf"{_NOT}{_FEW} {_GO}\b",
    r"\b(?:we|i|(?:the|our|my)(?: [\w'-]+){1,3}|management|finance|they)(?: [\w']+){0,4}? (?:declin(?:e|es"
    r"|ed|ing)|reject(?:s|ed|ing)?|refus(?:e|es|ed|ing)|turn(?:ed|ing)? (?:it|this|that|them|your [\w ]{1,20}"
    r"|the [\w ]{1,20}|you|#)? ?down|pass(?:ed|ing)?(?: on (?:it|this|that|the|your|#|these)|$|,| this time"
    r"| for)|vetoed|blocked|threw it out|voted (?:it down|against)|decided against|opted out of|opted against"
    r"|cut the budget|pulled the plug|said no|drop(?:ped|ping)? (?:it|this|the (?:project|idea|plan)))",
    rf"(?:#|\b(?:it|this|that|{DEAL})) (?:is|was|are|has been|have been|got) (?:declined|rejected|refused"
    rf"|turned down|denied|voted down|vetoed|cancelled|canceled|withdrawn|scrapped|shelved|axed)\b",
    r"\b(?:have|has|must|to|will|would|going to|we|i|had|should) (?:to |respectfully |regretfully |politely "
    r"|regretfully have to |sadly )*(?:decline|turn (?:it|this|that|you|your [\w ]{1,20}|the [\w ]{1,20}) down"
    r"|say no|give (?:it|this|that) a miss|leave it(?: there| at that| for this| be)?(?=$|,| this| and| thanks)"
    r"|skip (?:it|this|that|#|the offer|your)|pass\b(?! (?:it|this|that|the|your|them|my|on (?:the|your"
    r"|my) (?:message|thanks|info\w*|details|po)))|sit this (?:one )?out|bow out|part ways"
    r"|go (?:our separate ways|elsewhere|in another direction|in a different direction|in-house))\b",
    r"\b(?:go|going|gone|went|opted|opting|chosen|chose|choose|picked|decided|signed|switch(?:ed|ing)?|mov(?:e"
    r"|ed|ing)|order(?:ed)?|bought|buy(?:ing)?|awarded|settled|sticking|stay(?:ing)?|selected|placed"
    r"|given)\b(?: [\w']+){0,5}? (?:(?:another|a different) (?:supplier|vendor|provider|company|firm|bidder"
    r"|quote|offer|solution|party|contractor|product|system|tool|option|direction|route|brand|one|partner"
    r"|dealer|seller|outfit|manufacturer)|(?:with|to|for) another(?=$|,)|a competitor|competitor|a cheaper"
    r"|someone|somebody|a local|elsewhere|other (?:supplier|vendor|provider|bidder|quote)"
    r"|the (?:other|competing)|in-house|a rival|our (?:current|existing|present|old))\b",
    r"\b(?:do|does|did|will|would)? ?(?:not|no longer) (?:need|want|require)(?: (?:it|this|that|them|any"
    r"|anything|any more|anymore|more|additional|extra|the|these|those|your|such|further|a|an|#))*(?: (?:seats"
    r"|licences?|offers?|quotes?|renewals?|upgrades?|services?|subscription|contracts?|units?|users?|plan"
    r"|product|support))?(?: (?:any more|anymore|any longer|at all|after all|this time|again))?(?=$|,| and"
    r"| because| since| as | so )",
    r"\bno (?:need|use|interest|call|appetite|room|demand|requirement|budget)(?: in our budget)?(?: (?:for|in"
    r"|of) (?:it|this|that|them|any|more|extra|additional|the|your|another|such|these)|$|,| at our| here"
    r"| on our| this year)",
    r"\bno (?:more|extra|additional|further) (?:seats|licences?|units|users)\b|\b(?:have|got) (?:enough|plenty"
    r"|more than enough|all (?:we|the [\w]+ we) need)\b|\b(?:fine|happy|ok|good|content|covered|satisfied"
    r"|all set|comfortable) (?:with (?:what we have|our current|the current|our existing|the ones we have)"
    r"|as (?:we are|it is|is)|without)\b|\b(?:we|i) (?:are|am) (?:all set|covered|sorted)(?=$|,| thanks| as"
    r"| already| for)",
    r"\b(?:please |you can |you may |so |and |then |kindly |just |^)?(?:close|bin|scrap|withdraw|cancel|tear up"
    r"|drop|void|delete|discard|disregard|forget(?: about)?|scratch|strike|shelve|ditch|retract|annul|call off"
    r"|shred)\b(?: (?:the|our|your|this|that|my))?(?: [a-z]+)? (?:it|this|that|#|renewal|quote|quotation|offer"
    r"|contract|subscription|order|proposal|request|matter|file|case|estimate|deal|plan|agreement)(?= |$|,)",
    r"^(?:please )?(?:cancel|withdraw|close|scrap|bin|stop)(?: please| thanks)?$|\bcall(?:ing)? it off\b"
    r"|\bcall(?:ing)? it a day\b|\bcall it quits\b|\boff the table\b|\bnot going to happen\b|\bit is off\b",
    r"\b(?:found|have|got|bought|sourced|agreed|using)\b(?: [\w']+){0,3} (?:someone else|another (?:supplier"
    r"|vendor|provider|solution|company|one)|a (?:cheaper|better) (?:supplier|vendor|provider|one|offer|deal"
    r"|alternative|solution))\b|\b(?:business|contract|order|work|job) (?:has gone|went|goes|is going"
    r"|was awarded|was given|has been (?:awarded|given)) (?:to |elsewhere)",
    r"\blet (?:it|#|the|our|your|this|that|things)(?: [\w']+){0,3}? (?:expire|lapse|run out|end|go"
    r"|run its course|die|terminate|drop)\b|\b(?:notice|letter) of (?:non-renewal|termination|cancellation"
    r"|nonrenewal|our intention not)|\bnon-?renewal\b|\bgiv(?:e|ing) (?:you )?(?:\w+ )?notice\b"
    r"|\bserving notice\b",
    r"\b(?:end(?! of)|terminat\w+|finish\w*|cease|stop|discontinu\w+|wind down|winding down|conclude|leav(?:e"
    r"|ing)|quit\w*|cancel\w*|part\w* ways|exit)\b(?: [\w']+){0,4}? (?:contract|agreement|subscription|service"
    r"|services|#|term|it|relationship|plan)\b|\b(?:we|i) (?:are|am|will be|will) (?:leaving|moving on|out"
    r"|ending|terminating|cancelling|canceling|finishing|stopping|quitting|switching|saying goodbye)\b",
    r"\b(?:beyond|outside|(?:is|are|was|way|well|far|comes in|goes|just) over|out of|exceeds|above) (?:our|the"
    r"|my|what we) (?:budget|means|reach|can afford"
    r"|price range|limit)|\bcan not (?:afford|justify|stretch)\b|\bno budget\b|\btoo rich for\b",
    r"\b(?:so |therefore |hence |^)?no (?:purchase|order|sale|deal|renewal|extension|upgrade"
    r"|prolongation)\b(?! (?:number|no|form|confirmation|date))|\bto (?:reject|refuse|turn down)\b(?! us)"
    r"|\b(?:struck|cut|dropped|removed|gone) from (?:the|our) budget\b|\blast thing (?:we|i) (?:need|want)\b"
    r"|\bwould rather [^,]{3,60} than (?:pay|buy|add|spend|renew|order|sign)\b|\bhard pass\b|\bpass on (?:this"
    r"|it)\b|\bpart(?:ing)? ways\b|\bthis is goodbye\b|\b(?:given|give|gave) (?:the|our|this) (?:work|order"
    r"|business|contract|job) to\b(?! you)|\b(?:project|plan|idea|purchase|budget|it|this|that"
    r"|subscription) (?:got|was|has been) (?:canned|cut|axed|binned|scrapped|shelved|killed|dropped|cancelled"
    r"|stopped|shot down|voted down)\b|\b(?:shot|voted|knocked) (?:it|this|that|the \w+) (?:down|back"
    r"|on the head)\b|\bstick with what we\b|\b(?:our|the) last (?:year|term)\b|\bclos(?:e|ing) (?:down"
    r"|the (?:office|shop|business|company|site|branch|doors?))\b|\bshutting (?:down|up shop)\b"
    r"|\bgo(?:ing)? out of business\b|\bstruck (?:it|this|you|your \w+) (?:off|from)\b|\b(?:place|put|award"
    r"|give) (?:the|our|this) (?:work|order|business|contract|job) (?:with|to) (?:a|an|another|someone|somebody"
    r"|one of)\b|\bnot something (?:we|i)\b|(?<!not )\b(?:do|manage|live|get by|cope|get along) without\b"
    r"|\bno point (?:in )?(?:paying|renewing|continuing|keeping|extending|buying|adding|ordering)\b",
    r"\bnot (?:need|require|be needing|want|be using|use)(?: [\w']+){1,3} (?:after|beyond|from|any longer"
    r"|past)\b|(?:^|please |, )(?:terminate|end|stop|discontinue)(?=$| at\b| with| when| on\b| the| our| by\b"
    r"| it)|\b(?:axed|killed|pulled|scrapped|shelved|nixed|canned) (?:the|our|this|it|your)\b|\b(?:can"
    r"|may) (?:now |then |just )?(?:lapse|expire|run out)\b|\bdo not (?:bill|charge|invoice) us\b",
    r"\bregret to (?:inform|advise|say|tell|let you know)\b|\b(?:bid|tender|submission|quote|offer"
    r"|proposal)(?: [\w']+){0,3} (?:unsuccessful|not successful|not selected|lost)\b|\bcount us out\b|\b(?:i am"
    r"|we are) out(?=$|,)|\bwould rather not\b|\bnever mind\b|\bwill pass\b|\bhave to pass\b"
    r"|\bgo(?:ing)? to pass\b",
)

JAPANESE = any_of(
    r"(?:見送|見合わ?せ|ご?辞退|お?断り|取り?下げ|取り?消し|不採用|否決|却下|白紙|破談|なしに|無しに)(?:り|ら"
    r"|る|と|を|に|せ|さ|い|申|致|し|す|ま|て|で|た|が|の|ください|下さい)",
    r"(?:ご)?遠慮(?:いた|さ|し|申|致)|キャンセル(?:で|を|さ|し|い|と|の|お|扱)|中止(?:で|を|さ|し|い|と|に|お)"
    r"|(?:な|無)かったこと|なし(?:で(?:お願い|結構)|という)",
    r"(?:は|も|もう|今回|今年|うち|席|更新|追加|契約|件|プラン)、?結構です|(?:不要|不用|必要な(?:い|く)"
    r"|必要(?:が|は|性)?(?:も)?(?:ござい|あり)ません|要りません|いりません|要らな|いらな)",
    r"間に合って|足りて(?:い|お|る|ま)|(?:現状|今|現行|現在|いま|手持ち)(?:のまま|の(?:プラン|契約|席数|台数"
    r"|構成|体制|もの|人数|ライセンス|席|環境|ところ|数))?(?:で|は)?(?:十分|充分|結構|足り|間に合|事足り)",
    r"他社(?:さん|様)?(?:に|の|へ|と|で|製品|を)?(?!も)[^、]{0,12}(?:お願い|決ま|決め|決定|発注|依頼|契約|導入"
    r"|採用|切り|乗り|頼|お世話|選)|(?:別の|他の|よその|ほかの)(?:会社|業者|ベンダー|製品|サービス|ところ|先"
    r"|メーカー|店)(?:さん|様)?(?:に|へ|と|で|を|の)",
    r"(?:発注|注文|購入|契約|更新|継続|延長|導入|採用|お願い|依頼|利用|追加|承諾|同意|お受け|申し?込み|増席"
    r"|受諾|承認|応じ|購読|買い|使い|受け|進め)(?:は|を|も|に|が|には|することは)*(?:いた|致|し|でき|さ|られ|行"
    r"|おこな|せ|希望|考え|至|頼み|ゆか|予定)*(?:(?:い|わ|き|ら|れ|え|り|し|て)?(?:ま)?せん|しない|せず(?:に)?"
    r"|しません|できない|できな|られない|かね(?:ます|る|ま)|わ?ない(?:こと|方針|方向|と(?:いう|の)|もの|予定"
    r"|つもり)|なく(?:なり|なった)|断念|叶い|叶わ|不可|(?:の|する)?(?:意思|予定|必要|つもり|考え|意向"
    r"|計画)(?:は|が|も)?(?:ござい|あり|御座い)ません)",
    r"(?:解約|契約終了|終了|満了|打ち?切り?|撤退|卒業|乗り?換え|切り?替え)(?:を|で|と|に|の|をもって|とともに"
    r"|まで|いた|致|さ|し|す|る|ま|いたし)*(?:終了と|解約と)?(?:お願い|希望|します|致します|いたします|させて"
    r"|する(?:こと|方針)|予定|決|ください|下さい|ました|したい|したく|です|になり|ることに|て)",
    r"(?:やめ|止め|辞め|よし)(?:ます|させて|ること|ておき|とき|に(?:し|いた)|たい|ました)|(?:ご?期待|貴意"
    r"|ご?要望|ご?意向|ご?希望)に(?:は)?(?:沿|添|そ)(?:え|い|う|わ)(?:な|ず|か|ま)|ご縁が?(?:な|無)|お力に(?:な"
    r"|添)|お役に立て|ご破算|またの機会|次の機会|別の機会",
    r"予算(?:が|の|を|は)(?:(?:取れ|つか|確保でき|下り|通ら|足り|取ら)(?:な|ず|ませ)|都合|関係|オーバー"
    r"|折り合い)[^、]{0,10}|(?:稟議|決裁|承認)(?:が|は|を)?(?:通ら|下り(?:ず|ませ)|おり(?:ず|ませ)|否決|得られ"
    r"|却下|もらえ(?:ず|ませ))",
    r"(?:残念|あいにく|せっかく|申し訳)[^、]{0,12}(?:ですが|ながら|ございませんが"
    r"|ありませんが)、?[^、]{0,10}(?:今回は)?(?:ごめんなさい|お断|見送|無し|なし|辞退|パス)|増や(?:す(?:こと"
    r"|予定|つもり|必要)は(?:あり|ござい|な)|さな)|(?:今|この|現状)のままで(?:行|い|結構|大丈夫|問題)|(?:別"
    r"|他)(?:の)?サービス(?:に|へ)|(?:に|へ)移行(?:する|いた|し)|終わら(?:せて|せる)|終わりに(?:し|いた|させ)"
    r"|予算が認められ(?:ず|ませ|な)|請求しないで|選外|^希望(?:は)?(?:いた|致)?しません|(?:更新|継続"
    r"|契約)(?:を)?拒絶|もう(?:ええ|いい|よい)です"
    r"|(?:縦に振ら|無理です|無理でした)|切れるように|選に漏れ|落選|破棄(?:して|いただ|を)|パス(?:で|し|さ)"
    r"|お見送り|^(?:不要|いりません|要りません|いらない)(?:です)?$",
)

TURNED = any_of(
    r"(?:\bnot|\bnever)\b(?: [\w']+){0,3}? (?:decline|declining|reject|rejecting|cancel\w*|refuse|let|say no"
    r"|saying no|say yes|sure|terminat\w+|leaving|withdraw)\b|\bnot saying\b|\bnot a (?:no|yes)\b"
    r"|\byes and no\b",
    r"(?:解約|キャンセル|見送|お断り|辞退|中止)[^、,]{0,8}(?:ません|ない(?!か)|ではな|つもりはな|予定はな)(?!か)",
)
"""a no turned round, or a yes that is none"""

HEDGES = any_of(
    r"\b(?:unless|until|yet|maybe|perhaps|probably|discount|cheaper|lower|not sure|unsure|for now|at the moment"
    r"|right now|not now|let me|give (?:us|me)|reconsider"
    r"|otherwise|think about|tempted|convince|better (?:price|offer|deal))\b|\bif (?:you|we|the price|there"
    r"|it)\b|(?<!for )(?<!the )\bnext (?:year|month|quarter|spring|summer|autumn)\b|\blater\b(?! this)"
    r"|\bask (?:me |us )?again\b",
    r"もし|場合は|であれば|検討(?:します|いたします|させて|中|して)|相談(?:さ|し(?!て(?:いただ|頂)|ました)|の上"
    r"|中|させ)|まだ|後で|後日|一旦|来年(?!度は)|次回|時期尚早|保留|なら(?:ば)?(?:$|、)|でしたら|再度",
)
"""what makes a no doubtful: it may become a yes"""

NEGATES = re.compile(
    r"\b(?:not|never|neither|nor|without|unable|refus\w*|no longer)\b|ません|ない(?!か)|かね(?:ます|る)"
)
HARMLESS_NEGATION = re.compile(
    r"\bno (?:objections?|changes?|issues?|concerns?|problems?|further questions?|questions?|comments?|worries"
    r"|hesitation|amendments?|doubts?|need to)\b(?: (?:from|on|at) (?:our|my) (?:side|end|part))?"
    r"|\bwithout (?:any )?(?:changes?|modifications?|reservations?|amendments?|hesitation|comments?)\b"
    r"|\bnot only\b|\bnot going anywhere\b|\bnot dream of\b[^,]{0,20}|\bno reason (?:to (?:change|leave|switch"
    r"|stop|say no)|not to)\b|\bwithout (?:further|any|delay|hesitation)\b[^,]{0,20}|\bnot (?:a )?problem\b"
    r"|\bwhy not\b|\bcan not wait\b|\bdo not hesitate\b[^,]{0,40}|\bnothing (?:to|else|more|will)\b[^,]{0,16}"
    r"|(?:問題|異存|異議|変更|相違|不明な?点|支障|差し支え|間違い|依存|不都合|申し分|疑問|懸念|異論)(?:は|も|が"
    r"|点)?(?:特に)?(?:(?:ござい|あり)ません|の?ない|なけれ|なし)(?:でした)?|(?:納品書|領収書|請求書|返信"
    r"|ご?返答|お?電話|印鑑|書類|ご?連絡|訪問|郵送|原本|ご?挨拶|設置|説明)(?:の(?:送付|郵送))?(?:は|も"
    r"|まで)?(?:不要|いりません|要りません|必要ありません|結構)(?:です)?|構いません|かまいません"
    r"|申し訳(?:ござい|あり)ません(?:でした)?|すみません(?:でした)?|とんでもございません"
)
"""negations that take nothing back"""
