"""Words of yes: how people in offices accept a quote, an offer or a renewal, in English and Japanese.

Patterns are searched in one clause or sentence in lower case, half width and spelled out (`spelled`); "#" stands for the
id of what was asked.
"""

from __future__ import annotations

import re


def any_of(*patterns: str) -> re.Pattern[str]:
    """One pattern that finds what any of `patterns` finds."""
    return re.compile("|".join(patterns))


DEAL = (
    r"(?:quot\w*|offers?|proposals?|estimates?|bids?|tenders?|orders?|deals?|upgrades?|plans?|packages?|bundles?|services?"
    r"|(?:extra |additional |more )?(?:seats?|licences?|units?|users?)|terms|conditions|renewals?|contracts?|agreements?"
    r"|extensions?|subscriptions?|options?|add-ons?|purchases?|figures?|prices?|pricing|totals?|works?|jobs?|scope|spend"
    r"|expenditure|budget|cover|maintenance|lot|items?|booking|po|acceptance|installation|workspace|support)"
)
"""what is sold, offered and agreed"""

IT = (
    rf"(?:it|this|that|these|those|them|yours|both|everything|all of (?:it|them|this)|(?:the|your|this|that"
    rf"|these|those|our|said|a)(?: [\w'-]+){{0,3}}? {DEAL}|{DEAL}|(?:{DEAL} )?#)"
)

_HOW = (
    r"(?:(?:just|now|then|also|gladly|happily|hereby|formally|officially|definitely|certainly|all|indeed|both|unanimously|finally"
    r"|therefore|accordingly|gratefully|herewith|please|so|very much|absolutely|really|fully|simply|still|today|jointly|duly) )*"
)
_WHO = (
    r"\b(?:we|i|(?:the|our|my|your)(?: [\w&'-]+){1,3}|management|finance|head office|hq|accounting|procurement|legal|everyone"
    r"|everybody|he|she|they|(?:\w+ (?:and|&) (?:i|me)))"
)
_MEANS = (
    rf" {_HOW}(?:(?:would (?:very much |really |also )*(?:like|love|be (?:very )?(?:happy|glad|pleased|delighted)) to|want to|wants to"
    r"|wish to|will(?: be)?|shall|(?:have|has)(?: now| all| just| finally| therefore| today| been)*"
    r"(?: (?:decided|agreed|chosen|voted|opted|elected|resolved)(?: (?:unanimously|today|last night"
    r"|yesterday))? (?:to|that we(?: will)?|we will))?"
    r"|(?:decided|agreed|voted|chose|opted|elected) to|(?:are|am|is)(?: very| more than| quite| only too| all)?"
    r"(?: (?:going|happy|glad|pleased|delighted|ready|keen|set|good|able|in a position) to)?|can(?: (?:now )?confirm(?: that)?(?: (?:we|i)"
    rf"(?: will| want to| would like to| are| am| have)?)?)?|do|did|need to go) {_HOW})?"
)
# Said without a subject or as a wish to whoever reads it.
_ASKED = (
    r"(?:^|\bplease |\band |\bso |\bthen |\byou (?:can|may|should|are clear to|are free to) |\bfeel free to "
    r"|\blet us |\bhappy to |\bglad to "
    rf"|\bpleased to |\bdelighted to |\bgood to |\bready to |\byes |\byep |\byeah |\bsure |\babsolutely |, "
    rf"|\bok to |\bok |\btherefore |\bjust |\bthat |\bdo |\bto )(?!not\b){_HOW}"
)

_STRONG = (
    r"(?:accept(?:s|ed|ing)?|approv(?:e|es|ed|ing)|authoris(?:e|es|ed|ing)|(?:go|goes|going|gone|went) (?:ahead"
    r"|for it|forward|through with it)"
    r"|proceed(?:s|ed|ing)?|(?:mov|push|press|forg|crack)(?:e|es|ed|ing)? (?:ahead|forward|on)|sign(?:ed|ing)? (?:up|off)|agree(?:s|d)?"
    r"(?=$| to | with (?:it|this|that|your|the)\b| on (?:it|this|all|the|your)\b)|countersign(?:ed)?"
    r"|take you up on|commit(?:ted|ting)? to)\b(?! (?:a|the) call)"
)
_WEAK = (
    r"(?:tak(?:e|es|ing)|took|buy(?:ing)?|bought|order(?:s|ed|ing)?|purchas(?:e|ed|ing)|(?:go|going|went"
    r"|gone) (?:with|for)|opt(?:ed|ing)? for"
    r"|choos(?:e|ing)|chosen|chose|pick(?:ed|ing)?|adopt(?:ed|ing)?|confirm(?:s|ed|ing)?|sign(?:ed|ing)?|want|book(?:ed|ing)?"
    r"|plac(?:e|ed|ing)|add(?:ed|ing)?|jump at|snap up|take up|taking up|like to have|commission(?:ed|ing)?|award(?:ed|ing)?)"
    rf" (?:up )?{IT}(?!\w)(?! (?:for now|seriously|into|personally|from|of)\b)"
)
_DO = (
    r"(?:go ahead|go for it|go forward|proceed|move (?:ahead|forward)|press (?:on|ahead)|crack on|carry (?:it|this|them)? ?out"
    r"|(?:do|make) it(?: so| happen)?(?=$|[ ,]please|, | then)|do so(?=$)|get (?:it|this|that|things|us|them|the \w+|your \w+) "
    r"(?:started|going|rolling|moving|done|ordered|booked|sorted|set up|underway|under way|on the way|in|across|over the line)"
    rf"|get started|get going|start (?:the|with the|on the) (?:work|order|process|job|installation)\w*"
    rf"|book (?:it|this|us|them|me|{IT})(?: in)?"
    r"|put (?:it|this|that|us|me|them|(?:the|our|my) order) (?:through|in|down|into motion|on order)"
    r"|order (?:it|this|them|everything|the \w+)(?= |$)"
    r"|place (?:the|our|an|this|that) order|ship (?:it|them|this)|sign (?:us|me) up|count (?:us|me) in"
    r"|set (?:it|this|us|them|everything) up"
    rf"|(?:switch|turn) (?:it|them|us|this|{IT}) on|activate|add (?:it|them|these|those|(?:the|ten"
    rf"|all)(?: \w+)? {DEAL})|upgrade us|top us up"
    rf"|(?:process|action|execute|finalise|finalize|schedule|install|fit|deliver|enter|raise|arrange|issue"
    rf"|commission|provision|supply|implement|roll out) "
    rf"(?:it|this|them|us|the new one|(?:the|our)(?: \w+)? (?:order|work|job|installation|upgrade))(?= |$)"
    rf"|pull the trigger|(?:charge|bill) (?:it|this|them|us|our account|the lot) (?:to|on|against|for)|fire away"
    rf"|full (?:steam|speed) ahead|make it so|run with it|send (?:us |me )?(?:it|them|the (?:licences|seats"
    rf"|units|goods|parts|kit|items|order))(?: over| across| out| through| our way)(?=$|,| )|consider (?:it|this"
    rf"|us|yourselves|yourself|{IT}) (?:done|sold|in|a deal|a yes|accepted|taken up|taken|approved|signed|hired"
    rf"|ordered)|provision (?:the|them|these|those|it|all)\b|extend (?:it|the licence"
    rf"|our licence) as (?:proposed|offered|quoted|suggested))"
)
_GIVEN = (
    r"(?:green light|go ahead|thumbs up|the nod|a nod|nod of approval|blessing|all clear|rubber stamp|(?:final "
    r"|formal |written |full |our |my )+(?:approval"
    r"|consent|acceptance|sign ?-?off)|the ok|an ok|sign ?-?off)"
)
_AS = r"(?:order|acceptance|approval|confirmation|consent|go ahead|agreement|instruction|purchase order|yes|authori[sz]ation|signature)"

ENGLISH = any_of(
    rf"{_WHO}{_MEANS} ?{_STRONG}",
    rf"{_WHO}{_MEANS} ?{_WEAK}",
    rf"{_ASKED}{_DO}\b",
    rf"(?:^|\bhappy to |\bglad to |\bpleased to |\bdelighted to |\bhereby |\bgratefully )(?:{_STRONG}|{_WEAK})",
    rf"(?:\b(?:have|has|had|got|gave|given|give|gives|received|obtained|it is|with"
    rf"|there is)\b(?: [\w']+){{0,3}}? |^(?:a |the )?){_GIVEN}(?! (?:yet|from (?:you|your)))",
    rf"\b(?:consider|treat|take|regard|accept|see|view|find) (?:this|it|the (?:above"
    rf"|following))(?: [\w'-]+){{0,3}}?(?: as)?(?: [\w'-]+){{0,3}}? {_AS}\b",
    rf"\b(?:this|here)(?: (?:mail|e-?mail|message|note|letter|reply))? (?:is|serves as|constitutes|counts as"
    rf"|shall serve as|may serve as|comes as)(?: [\w'-]+){{0,3}}? {_AS}\b",
    rf"(?:^|[ ,])(?:(?:#|it|this|that|all|everything|{DEAL})) (?:is|was|are|were|has been|have been|got|gets"
    rf"|stands)(?: (?:now|all|fully|hereby|duly|finally|formally"
    r"|internally|just))* (?:accepted|approved|signed off|authorised|cleared|confirmed|agreed|good to go|a go"
    r"|a yes|passed|a deal|fine to go)\b",
    r"\b(?:said|says|say|came back with|it is|that is|this is|voted)(?: [\w']+){0,2}? (?:a )?(?:(?:clear|firm"
    r"|big|definite|resounding|unanimous) )?yes\b(?! and no)",
    r"^(?:a |big |clear |definite |firm )*yes (?:to|from|on|for)\b|\bbig yes\b|\byes to (?:#|the|your|this|it|all)",
    r"\b(?:we|i) (?:are|am) (?:all |definitely |so )?(?:in|on board|sold|game|good to go|up for it)(?=$|,| then"
    r"| with (?:it|this|that|the|your))|\bok to (?:order|go|proceed|start|ship|invoice)\b",
    r"\b(?:signed|countersigned|executed)(?: and \w+)? (?:copy|quote|quotation|offer|contract|version|form"
    r"|agreement|pdf|document|order|acceptance|papers|paperwork)"
    r"(?: \w+)? ?(?:is |are )?(?:attached|enclosed|back|herewith|below|included)\b",
    r"\b(?:attached|enclosed|herewith|here)(?: (?:is|you will find|please find|find|comes))?(?: (?:the|our|your"
    r"|my))? (?:signed|countersigned|purchase order|po\b|order)",
    r"\b(?:our |the )?(?:purchase order|po|official order)(?: \S+)? (?:is )?(?:attached|enclosed|herewith|as follows)",
    r"\bfind(?: [\w']+){0,3} (?:our|my) (?:order|purchase order|po|acceptance|signed)\b|\bsigned (?:it|this|that|them)\b(?! off on)",
    r"^(?:all |fully |all points )?(?:agreed|accepted|approved|authorised|confirmed|signed off|okayed"
    r"|ordered)(?=$| (?:by|from|on|as|in|to|for)\b| (?:#|it|your|the)\b)"
    r"|^(?:order|purchase|booking|renewal|acceptance|all|quote|offer|#)(?: #)? (?:is )?(?:confirmed|accepted|approved|agreed)",
    r"(?:^|\bplease )do(?: so| it| this)?(?=$|,)",
    rf"\b{DEAL}(?: [\w']+){{0,3}}? (?:may|can|should|is to|are to) (?:now |please )?(?:be (?:carried out"
    rf"|executed|started|placed|booked|shipped|processed|supplied|delivered)|go ahead|proceed|commence|begin"
    rf"|start)\b",
    r"\b(?:wishes|wants|would like|has decided|have decided|has agreed|agrees) to (?:purchase|order|accept|proceed|buy|go ahead|place)\b",
    rf"\bwould (?:like|love) to have {IT}(?!\w)",
    r"\b(?:settled|decided|agreed|plumped|voted) (?:on|for) (?:you|yours|your (?:quote|offer|proposal"
    r"|solution))\b|\bcho(?:se|sen) you\b|\baward(?:ed|ing)? (?:you|it to you|the (?:contract|order|work"
    r"|job) to you)\b|\bin your favou?r\b|\bgo(?:ing)? with you\b",
    r"(?:^|please |, )(?:\w+ ){1,5}as (?:proposed|offered|quoted|you propose|you suggest|suggested|per (?:your"
    r"|the) (?:quote|offer|proposal))$",
    r"\bwith (?:the )?(?:carrying out|execution|placing) of|\binstruct(?:ion)?s? (?:you )?to (?:proceed|carry out|go ahead|supply|start)",
    r"\b(?:the|our) (?:business|order|job|work|contract) is yours\b|\byou (?:have|have got|got) (?:our (?:order"
    r"|word|yes|business|commitment)|a deal|yourself a deal|the (?:job|order|business|contract))\b",
)

_NOUN_JA = (
    r"(?:発注|ご?注文|ご?契約|お?申し?込み?|ご?購入|手配|お?手続き|増席|作業|工事|導入|採用|納品|施工|設置|着手"
    r"|実施|追加|進行|ご?依頼|ご?対応|修理|交換"
    r"|内容|条件|金額|見積書?|お?見積り?|プラン|案|形|方向|線|ところ|価格|提案|オファー|それ|これ|こちら|そちら"
    r"|通り|とおり|どおり|まま|御社|貴社|内訳|仕様|日程|数|数量|席数|台数|アップグレード|席|ライセンス|有効化"
    r"|アクティベート|分)"
)
_BY_JA = (
    r"(?:を|で|にて|に|の方向で|の(?:件|方|ほう)|のほど|の上|として|も)?、? ?(?:ぜひ|是非|正式に|よろしく"
    r"|すぐに|早速|至急|早急に|そのまま)*"
)
_PLEASE_JA = (
    r"(?:お願い(?:いた|致|申し上げ)?(?:し?ます|致します|申し上げます|したい|したく|できますか|できれば(?:と"
    r"|幸い)|できますでしょうか|する?(?:こと|運び)|です|いた|と)"
    r"|(?:お)?進め(?:て|ちゃって|といて|ておいて)?(?:ください|下さい|いただ|頂|もらえ|もらって|ましょう|てOK"
    r"|てok|て大丈夫|て結構|て差し支え|て問題|させて)"
    r"|(?:手配|対応|確定|処理|着手|開始|出荷|実施|追加|準備|ご準備|用意"
    r"|有効化)(?:を)?(?:して)?(?:おいて)?(?:ください|下さい|いただけ|もらえ|おねがい|いただきたく)"
    r"|やっ(?:て|ちゃって)(?:しまって)?(?:ください|下さい|もらえ|いただ)|いきましょう|いきます|決めます"
    r"|決めました|決まりました|決定(?:です|しました|いたしました))"
)
_VERB_JA = (
    r"(?:承諾|受諾|同意|承認|決裁|発注|注文|契約|購入|採用|導入|締結|依頼|追加|お?申し?込み?|お受け|お引き受け"
    r"|受注|合意|応諾|快諾|採択|増席|お任せ)(?:を|に|の)?(?:は)?"
)
_WILL_JA = (
    r"(?:(?:(?:さ?せて(?:いただ|頂)(?:き|く|いた))|いた|致)?し?(?:ます|たく|たいと(?:思|存|考)|たい(?:です|$"
    r"|。)|ました|ましたので)|申し上げます|することに(?:いた|致|し|な|決)"
    r"|することと(?:いた|致|し|な)|する運び|とさせて(?:いただ|頂|ください|下さい)|させて(?:いただ(?:き"
    r"|く)(?:ます|たく|こと|方向|もの)|頂き(?:ます|たく)|頂く(?:こと|方向|もの)|ください|下さい)"
    r"|です|する(?:こと|の)?で(?!しょう|は)|する旨|の意思|の意)"
)

JAPANESE = any_of(
    rf"{_NOUN_JA}{_BY_JA}{_PLEASE_JA}",
    rf"{_VERB_JA}{_WILL_JA}",
    r"(?:お受け|引き受け|受け)(?:いた|致)?(?:します|させて(?:いただ|頂)きます|たいと|ます$)|(?:買い|頼み"
    r"|申し?込み|いただき|頂き|乗り)ます(?:$|ので|。|, )|頼みます|頼んます|頼むわ?(?:な|で|ね)?$|(?:内容|それ"
    r"|これ|条件|こちら)で確定|買わせて|(?:発注|注文|契約|購入|採用|続投|決まり)で(?:す)?$|(?:発注|注文"
    r"|契約)(?:扱い|済み?)(?:で|に)|手を打ち(?:ます|ましょう)|お願い(?:を)?(?:いた|申し上げ)?(?:する|る)(?:こと"
    r"|運び)[^、]{0,2}(?:相)?(?:成|な|いた|致|決|し)|お願いすることに|(?:発注|購入|契約)(?:を)?する旨"
    r"|(?:発注|購入|契約|導入)(?:が|を)(?:決議|決定|可決)(?:され|し|いた)|使えるようにして(?:ください|下さい"
    r"|いただ)|#で、?お願い|追加(?:を)?して(?:もらって|いただいて|頂いて)?(?:も)?(?:大丈夫|結構|構いません|ok"
    r"|問題)|増やして(?:ください|下さい|もらえ|いただけ|けろ)|^(?:その通り|ぜひ|すぐに?|早速"
    r"|渡りに船です)?追加して(?:ください|下さい)|申し?込ませて|(?:着手"
    r"|手配|発注|出荷|開始|実施|施工|作業|工事|設定|導入|納品|有効化|増席"
    r"|アップグレード)(?:を)?(?:開始)?して(?:おいて)?(?:ください|下さい|いただけ|もらえ|もらって)|(?:^|, "
    r"|どうぞ|このまま|そのまま|すぐに?|早速)進め(?:て|ちゃって|といて)(?:ください|下さい|いただ|もらえ"
    r"|もらって|結構|大丈夫|ok)",
    r"ゴーサイン|go(?:サイン)?です|(?:決裁|稟議|承認|了承|許可|了解|ok)(?:が|も|を|は)?(?:下り|おり|降り|通り"
    r"|出|取れ|得|もらえ|いただけ|頂け)(?:ました(?!ら)|た(?:ので|ため)|ましたので)",
    r"^(?:うちは|弊社は|当方は|こちらは|弊社としては)?(?:それ|これ|こちら|その内容|この内容|その条件)で(?:結構"
    r"|構いません|大丈夫|よろしい|ok|いい|良い|問題(?:ない|ありません|ございません))(?:です)?(?:ので)?",
    r"(?:サイン|署名|捺印|押印|記名)(?:して|の上|済み|いたし|し)[^、]{0,10}(?:返送|お送り|送付|送り|添付)"
    r"|(?:注文書|発注書|申込書|契約書)(?:を|も)?(?:このメールに)?(?:添付|お送り|送付|同封|送り|付け)(?:いた|致"
    r"|し|さ)",
    r"(?:ぜひ|是非)(?:とも)?(?:、)?(?:お願い|導入|追加|契約|利用|採用|使わせ|進め|やって|乗り|その内容|この内容)",
    r"(?:御社|貴社|そちら)に(?:お願い|決め|決定|依頼|発注|頼|任せ|お任せ)|(?:異存|異議|異論)(?:は|も)?(?:特に)?(?:ござい|あり)ません",
)

YES = re.compile(
    r"(?:oh |so |well |a |big |that is a |it is a )*(?:yes+|yep|yeah|yup|yea|aye|ok|agreed|accepted|approved"
    r"|confirmed|deal|sold|accept|affirmative"
    r"|absolutely|certainly|definitely|by all means|with pleasure|gladly|sure|sure thing|of course"
    r"|most certainly|all agreed|good to go|done deal"
    r"|we (?:would|do|will|accept|agree)(?: indeed| like that)?|indeed|ja|oui|はい|ええ|okです|オーケーです"
    r"|オッケー(?:です)?|承諾です|もちろんです|お願い(?:いた|致)?(?:しま[〜~ー]*す|致します))"
    r"(?:,? (?:please|sir|indeed|on (?:this|that|it|#|the \w+(?: \w+)?)|agreed|accepted|approved|from (?:us|me"
    r"|our side|our end|everyone|all of us)|on our (?:side|end)|for us|go ahead"
    r"|we (?:do|are|will|would|can|accept|agree)|i (?:do|am|will|would|accept)|it is|to (?:all|everything|both"
    r"|that|this|#)|thanks|thank you|of course"
    r"|absolutely|definitely|do|then|お願い(?:いた)?します|ぜひ))*"
)
"""a first clause that says yes by itself"""

_TERM = (
    r"(?:(?:another|one more|a further|the next|next|the coming|one|two more|1)(?: \w+)? (?:years?|terms?"
    r"|periods?|months|twelvemonth)|(?:12|twelve)(?: more)? months)"
)
_CONTRACT = (
    r"(?:contracts?|subscriptions?|agreements?|licences?|plans?|services?|renewals?|workspace|maintenance"
    r"|support|cover(?:age)?|accounts?|term|terms|membership"
    r"|seats?|package|products?|deal|policy|warrant\w+|lease|hosting|#)"
)
_NOT_A_CONTRACT = (
    r"(?!(?: [\w']+){0,4}? (?:password|certificate|cert|passport|ssl|domain|token|session|badge|key|prescription|ticket|link|invite"
    r"|invitation|deadline|page|order)\b)"
)
_RENEW = (
    rf"(?:renew(?:ing|ed|s)?|extend(?:ing)?|prolong(?:ing)?|roll(?:ing)? over|re-?sign|re-?subscribe"
    rf"|re-?up(?:ping)?)\b{_NOT_A_CONTRACT}"
)

CONTRACT = re.compile(
    r"\b(?:contracts?|subscriptions?|agreements?|licences?|licenses?|plans?|workspace|maintenance|coverage"
    r"|membership|package|policy|warrant\w+|lease"
    r"|term|renewals?|extension|runs? out|expires?)\b|契約|ライセンス|プラン|更新|保守|サブスク|満了|期限|利用"
)
"""words by which one knows that staying is about a contract"""

STAYS = any_of(
    rf"{_WHO}{_MEANS} ?(?:stay(?:ing)?|remain(?:ing)?|continu(?:e|ing)|carry(?:ing)? on|stick(?:ing)? with"
    rf"|keep(?:ing)? (?:going|it going|using|working|it|this|the|our|your|#|on)|be (?:with|staying))\b",
    r"\b(?:wish(?:es)?|wants?|would like|(?:has|have) decided|would love) to (?:continue|stay|carry on|remain"
    r"|keep)\b|\bcarry (?:it|this) on\b",
    rf"{_ASKED}(?:keep (?:us|me|it|things|everything|the|our|#)|continue|carry on|roll (?:it|us) over|put (?:us"
    rf"|me) down for|sign (?:us|me) (?:up|on) (?:for|again)|leave (?:it|us|everything) running)\b",
    rf"^(?:yes )?(?:please )?(?:to |for |here is to ){{0,1}}{_TERM}(?=$| please| from us| for us| it is| then"
    rf"| with you| is fine)|\bsame again\b|\b(?:like|love|want|take|have|need) {_TERM}|\bsign (?:us"
    rf"|me) up again\b|\bgo again\b|\b(?:up for|here is to|happy with) {_TERM}",
    rf"\b(?:we|i) (?:are|am|will be) (?:staying|renewing|re-?upping|continuing|carrying on|sticking|with you for {_TERM})\b",
    r"(?:引き?続き|来(?:年度|期|年)も|今後も|これからも|次の(?:一|1)年(?:間)?も?"
    r"|継続(?:して)?)[^、]{0,14}(?:利用|使用|使わせ|お世話|契約|継続|更新|お付き合い|お願い"
    r"|サービス)[^、]{0,10}(?:ます|たい|たく|こと|ください)",
    r"(?:更新|継続|延長)(?:利用|契約|手続き?)?(?:を|で|も|に|の方向で|の)?(?:ぜひ|正式に|このまま|お手続き(?:を"
    r"|の)?|手続き(?:を|の)?)*(?:(?:いた|致)?し(?:ます|たく|たい|ましょう)|させて(?:いただ|頂|ください|下さい)"
    r"|お願い|(?:希望|決定|承諾|同意|進め)|する(?:こと|方針|方向)|です|して(?:ください|下さい|いただ|頂|もらえ"
    r"|もらい|おいて)|(?:の)?(?:手続き|ほど|方))",
    r"続け(?:て(?:ください|下さい|いただ|もらえ|使)|ます|ること|る旨|たい|させて)|続投(?:で|を)|(?:更新|継続"
    r"|延長)(?:で|よろしく)$|(?:契約)?(?:継続|更新|延長)(?:が|に|を)(?:決ま|決定|承認)|(?:期間"
    r"|契約)(?:期間)?を(?:伸ば|延ば)|(?:来期|来年度?|次年度|次期)も(?:使い|使わせ|お願い|利用|継続|頼み)"
    r"|(?:継続|更新)(?:を)?する旨|(?:継続|更新)(?:が|を)(?:決議|決定|承認|可決)(?:され|し|いた)"
    r"|\banother round\b|\broll (?:it|our|the|us) [\w ]{0,14}over\b|\brolling (?:it|us) over\b",
    r"(?:もう|あと|また|さらに|次の)(?:一|二|1|2)年[^、]{0,12}(?:お願い|よろしく|延長|更新|継続|契約|たい|ます)",
)
"""a yes to the question whether to renew, or the wish to stay"""

RENEWS = any_of(
    rf"\b(?:please|like to|love to|want to|wish to|need to|you|we will|i will|let us|and|also|to|happy to"
    rf"|time to|request(?:ing)?(?: to)?|instead) (?:also |just |now |formally |kindly |have "
    rf"|get )*(?:you to )?{_RENEW}",
    rf"(?:^|, )(?:yes )?(?:renew|extend|prolong)\b{_NOT_A_CONTRACT}",
    r"\b(?:we|i)(?: are| am| will be| would be)? (?:renewing|extending)\b|\b(?:request|ask for|asking for|need"
    r"|want|like|require|apply for|requesting|set|put|order|arrange)\b(?: [\w']+){0,3} (?:renewal|extension"
    r"|prolongation|continuation)\b",
    rf"\b(?:keep|have|get|want|put|sign|like|see)\b(?: [\w']+){{0,5}}? (?:going|running|on|renewed|extended"
    rf"|prolonged|down|up|us down)?(?: \w+){{0,2}}? ?(?:for|by) {_TERM}",
    r"\b(?:have|get|want|like|need|see) (?:it|this|that|them|#|(?:the"
    r"|our) [\w ]{1,20})(?: \w+){0,3}? (?:renewed|extended|prolonged)\b|\b(?:put|set|push) (?:through|up"
    r"|in motion) (?:our|the|this) renewal\b|\b(?:initiate|start|arrange|process|begin|prepare|organise|handle"
    r"|set up) (?:the|our|a) (?:renewal|extension)\b",
    rf"\b{_CONTRACT}\b(?: [\w']+){{0,4}} (?:renewed|extended|prolonged)\b|\b(?:continue"
    rf"|carry on)\b(?: [\w']+){{0,4}} {_CONTRACT}(?: [\w']+){{0,3}} (?:for|by) {_TERM}",
    r"(?<!パスワード)(?<!証明書)(?<!ソフト)(?<!アプリ)(?:更新|継続|延長)(?:契約|利用)?(?:を|も|で|について"
    r"|の)?(?:申し?込み(?:ます|たい|たく)|お申し込み(?:いた|致)?し|(?:を)?お?(?:手続き)?(?:を|の)?お願い|(?:を)?頼(?:み|め|む)"
    r"|(?:を)?(?:希望|申請)|希望|したい|(?:いた|致)?したく|して(?:ください|下さい|いただき|いただけ|頂|もらえ|もらい)"
    r"|させて(?:いただ|ください)|(?:いた|致)?します|の?(?:お?手続き|ほど|件)[^、]{0,8}(?:お願い|進め|たい"
    r"|たく))",
    r"(?:また|もう|あと|さらに)(?:一|二|1|2)年[^、]{0,14}(?:お願い|よろしく|延長|更新|継続|契約|たい|ます)",
    r"(?:来期|来年度|次年度|来年)も[^、]{0,14}(?:お願い|延長|更新|継続|契約|利用)[^、]{0,8}(?:ます|たい|たく|ください)",
)
"""a wish to renew that answers no question about it"""

NOT_A_CONTRACT_JA = re.compile(
    r"(?:パスワード|証明書|ソフト(?:ウェア)?|アプリ|ファームウェア|プログラム|システム|バージョン|情報|ページ"
    r"|データ|ドライバー?|os|住所|連絡先|サイト|名簿|登録|トークン|ライブラリ)(?:の|を|が)?(?:自動)?(?:更新"
    r"|延長)"
)
"""what is renewed without being sold"""
