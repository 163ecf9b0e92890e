"""The kinds of marks that the detector knows, each as a pattern over folded text and the words without which it cannot match.

Folded text is in small Latin letters without accents. A word is known by its first five letters: `instr` for instructions.
"""

import re
from typing import Final, NamedTuple

PREFIX: Final = 5
"""Letters by which a word is known."""


class Kind(NamedTuple):
    """One kind of mark."""

    name: str
    words: frozenset[str]
    """Beginnings of words of which one must be there."""
    beside: frozenset[str]
    """Beginnings of words of which one must be there as well; empty: none need be."""
    is_markup: bool
    """Whether it may also match without those words, where a text holds `MARKUP`."""
    pattern: re.Pattern[str]


MARKUP: Final = re.compile(r"""[<>|\[\]{}`#\\&%]|---|===|\*\*\*|["'] ?:""")
"""What ordinary prose does not hold."""

_ALL: Final = r"(?:all|any|every|your|the|these|those|previous|prior|earlier|above|preceding|following|other|my|of)"
_RULES: Final = r"(?:instruction|prompt|rule|guideline|directive|context|constraint|mandate|policy|policies|safeguard)"
_RULES_VI: Final = r"(?:chi dan|chi thi|huong dan|menh lenh|lenh|quy tac|quy dinh|luat le|rang buoc|loi nhac)"


def _kind(name: str, words: str, beside: str, pattern: str, *, is_markup: bool = False) -> Kind:
    return Kind(name, frozenset(words.split()), frozenset(beside.split()), is_markup, re.compile(pattern))


KINDS: Final = (
    _kind(
        "override",
        "ignor disre forge overr bypas qua lo quen het tuan",
        "instr promp rule rules guide direc conte const manda polic safeg every above befor dan thi lenh tac dinh le buoc nhac",
        rf"\b(?:ignor\w*|disregard\w*|forget|overrid\w*|bypass\w*)\b(?:\W+{_ALL}\b){{0,5}}\W+(?:\w+\W+)?{_RULES}"
        r"|\bforget everything\b|\bignore (?:everything|all of this) (?:above|before)"
        rf"|\b(?:bo qua|phot lo|quen|bo het|khong can tuan \w+)(?:\W+\w+){{0,4}}?\W+{_RULES_VI}",
    ),
    _kind(
        "role",
        "you your ai ban vai la act prete role rolep",
        "now free act prete role rolep ai assis model judge chatb vai la",
        r"\byou are now (?:an?|the|in|my|free|no longer|dan)\b|\bpretend (?:that )?(?:you|to be) "
        r"|\bfrom now on,? (?:you|every|all|answer|respond|vote)|\brole-?play(?:ing)? as\b"
        r"|\b(?:you must |please |now )act as (?:an?|the|my|if)\b|\bas an ai\b"
        r"|\byou are an? (?:\w+ )?(?:ai|assistant|model|judge|chatbot)\b"
        r"|\b(?:tu gio|tu bay gio|ban bay gio)\W+(?:tro di\W+)?(?:hay\W+)?(?:ban )?la\b|\bhay dong vai\b"
        r"|\bgia vo (?:rang )?(?:ban|la)\b|\bban la mot (?:tro ly|mo hinh|ai|tham phan)\b",
    ),
    _kind(
        "speaker",
        "syste assis devel human instr admin thong tri",
        "",
        r"(?:^|[\n\"'.>\]]\W{0,4})(?:\[|\(|<|#{1,4} ?|\*\*)?"
        r"(?:system|assistant|developer|human|instructions?|admin|he thong|quan tri(?: vien)?)"
        r"(?: ?(?:message|prompt|note|override|notice|update|thong bao))?(?:\]|\)|>|\*\*)? ?:"
        r"|\[(?:system|assistant|admin|developer)\b|#{2,4} ?(?:system|instructions?|assistant)\b",
    ),
    _kind(
        "template",
        "",
        "",
        r"<\|[^|\n]{1,40}\|>|\[/?inst\]|<</?sys>>|</?s>|<(?:start|end)_of_turn>|</?(?:tool|function)_calls?\b|<<data ",
        is_markup=True,
    ),
    _kind(
        "delimiter",
        "end thuc",
        "data user playe untru input conte docum narra lieu noi van",
        r"</(?:data|text|input|user|note|narrative|supporting_events|events|facts|document|context|player\w{0,20})>|\]\]>"
        r"|```(?:json|system|\s{0,4}\{)|(?:-{3}|={3}|\*{3}) ?(?:end|begin|new|system|ket thuc|bat dau)\b"
        r"|\bend of (?:the )?(?:data|user|player|untrusted|input|context|document|narrative)\b"
        r"|\bket thuc (?:du lieu|noi dung|van ban)",
        is_markup=True,
    ),
    _kind(
        "verdict",
        "verdi final confi requi audit reaso phan",
        "",
        r"[\"'](?:final_)?verdict[\"'] ?:|[\"'](?:confidence|required_modifications|audit_tags|reasoning)[\"'] ?:"
        r"|\b(?:final[_ ])?verdict ?[:=] ?[\"']?(?:approve|modify|reject|quarantine)|\bphan quyet ?[:=]"
        r"|\bconfidence ?(?:of|[:=]) ?(?:1\b|1000|0\.9|100 ?%)",
    ),
    _kind(
        "order",
        "appro autoa duyet thuan dong thong",
        "",
        r"\b(?:must|should|shall|always|please|now|just|simply|only|you|council|judges?|ai|to|rules?)\W+"
        r"(?:be )?(?:auto-?)?approve\b(?! (?:of|by)\b)"
        r"|^\W{0,4}approve\b|[.!,\n] ?approve\W|\bapprove (?:this|it|everything|the (?:change|request|proposal))\b"
        r"|\bvotes? (?:to )?[\"']?approve|\b(?:return|output|answer|respond|reply|say|print)(?: with)?(?: only)?\W+approve"
        r"|\b(?:hay|buoc phai|bat buoc|vui long|cu|lap tuc)\W+(?:bo phieu )?(?:phe duyet|chap thuan|dong y|thong qua)\b"
        r"|\b(?:phe duyet|chap thuan|thong qua) (?:ngay|thay doi nay|de xuat nay|yeu cau nay)"
        r"|\bbo phieu (?:phe duyet|chap thuan|dong y)",
    ),
    _kind(
        "authority",
        "maste admin devel moder opena anthr tri trien lock locks rule rules limit veto vetoe floor safeg check debug god maint "
        "test jailb treat",
        "appro signe autho confi allow order says overr mode acces duyet phep ky yeu lenh suspe disab lifte off jailb maste "
        "admin devel do",
        r"\b(?:game master|admin(?:istrator)?|developer|moderator|openai|anthropic|quan tri vien|ban quan tri|nha phat trien)\b"
        r"(?:\W+\w+){0,3}?\W+(?:approved|signed|authori[sz]ed?|confirmed|allow(?:s|ed)|orders?|says|override|mode|access"
        r"|da phe duyet|da duyet|da cho phep|da ky|cho phep|yeu cau|ra lenh)\b"
        r"|\b(?:locks?|rules?|limits?|vetoe?s|floors?|safeguards|checks)\b(?:\W+\w+){0,4}?"
        r"\W+(?:suspended|disabled|lifted|switched off|turned off)\b"
        r"|\b(?:developer|debug|admin|god|maintenance|test|jailbreak) mode\b|\bjailbr[eo]"
        r"|\btreat (?:\w+ ){1,4}?as an? (?:game master|admin\w*|developer)|\bche do (?:nha phat trien|quan tri|go loi)\b",
    ),
    _kind(
        "probe",
        "promp instr rules guide nhac dan",
        "syste revea print repea show outpu leak tell summa loi lo ra lap",
        r"\bsystem prompt\b|\b(?:reveal|print|repeat|show|output|leak|tell me|summari[sz]e)\b(?:\W+\w+){0,3}?\W+"
        r"(?:your|the|hidden) (?:system |hidden )?(?:prompt|instructions|rules|guidelines)\b"
        r"|\bloi nhac he thong\b|\b(?:tiet lo|in ra|lap lai)(?:\W+\w+){0,3}?\W+(?:loi nhac|chi dan|huong dan)",
    ),
    _kind(
        "addressed",
        "counc judge llm ai membe agent model hoi tham",
        "",
        r"(?:^|[\n.!?\"] ?)(?:dear |hey |attention,? |note to (?:the )?|message (?:to|for) (?:the )?|gui |kinh gui )?"
        r"(?:(?:ai|llm|language model|ai model) (?:council|judges?|members?|agents?|models?)|council(?: members?)?|judges?|llm"
        r"|hoi dong|tham phan) ?[:,]"
        r"|\bdear (?:ai|llm|model|judge)\b|\b(?:if you are|as) an? (?:ai|llm|language model)\b",
    ),
    _kind(
        "encoded",
        "base rot decod giai",
        "",
        r"\b(?:base64|rot-?13|decode (?:this|the following|and)|giai ma)\b"
        r"|(?:\\u00[0-9a-f]{2}){4}|(?:&#x?\w{2,5};){4}|(?:%[0-9a-f]{2}){6}",
        is_markup=True,
    ),
)

FIRST_WORDS: Final = frozenset[str]().union(*[kind.words for kind in KINDS])
"""Where a text holds none of these and no markup, no pattern can match."""
