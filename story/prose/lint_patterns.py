"""Patterns of the lint, per language: what canon locks forbid to be said, what machinery must never show, who acts."""

# ruff: noqa: E501  -- a pattern that is broken over lines is no longer read as one
import re
from typing import Final, NamedTuple

from story.languages import Language


def words(text: str) -> frozenset[str]:
    """Return the words of a list that is written as a line."""
    return frozenset(text.split())


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{each})" for each in patterns), re.IGNORECASE)


class Guard(NamedTuple):
    """What a lock's fact looks like in prose."""

    subject: str
    predicate: str
    keys: tuple[str, ...]
    """Words without one of which no pattern matches: a paragraph that has none is not searched."""
    patterns: tuple[re.Pattern[str], ...]


_NEAR: Final = r"[^.!?\n]{0,40}"
_ACTS_EN: Final = (
    r"(?:appear|stood|stand|came|come|walk|spoke|speak|said|say|enter|sat|smil|arriv|descend|step|rais|knelt|rode|drew|look|laugh"
    r"|nod|whisper|struck|strode|turned|in person|in the flesh|himself|herself|was here|was there|waited|met|took|held|gave)\w*"
)
_ACTS_VI: Final = (
    r"(?:xuất hiện|bước|đứng|đi tới|đi vào|tiến|đến nơi|đến trước|cất tiếng|lên tiếng|nói|ngồi|mỉm cười|cười|giơ tay|rút|nhìn|hiện ra"
    r"|hiện thân|cưỡi|quay|gật|thì thầm|bằng xương bằng thịt|chờ sẵn|gặp|cầm|đánh)"
)
_ACTS_ES: Final = (
    r"(?:apareci|entr[óa]|dijo|habl[óa]|camin|baj[óa]|sonri|lleg[óa]|se alz|se levant|desenvain|se sent|mir[óa]|estaba|ri[óo]|cabalg"
    r"|susurr|golpe[óa]|en persona|en carne|avanz|se volvi|esperaba|tom[óa]|cogi)\w*"
)
_GENERALS: Final = ("vorn", "kha", "mireth", "azen")
_DEAD_EN: Final = r"(?:rose|rise|walk|spoke|speak|stood|came back|return|woke|smil|whisper|march|answer)\w*"


def _general(name: str) -> Guard:
    flesh = (
        rf"(?<!of )(?<!by )\b{name}\b(?! had sent| wanted){_NEAR}?\b{_ACTS_EN}",
        rf"(?<!gọi )(?<!của )(?<!bởi )\b{name}\b{_NEAR}?{_ACTS_VI}",
        rf"(?<!\ba )(?<!\bde )\b{name}\b{_NEAR}?\b{_ACTS_ES}",
        rf"\b(?:saw|met|faced|gặp|nhìn thấy|đối mặt|vio|vieron|encontró) (?:to |with |với |con |a )?(?:the |el |la )?(?:general |tướng )?{name}\b",
        rf"\b(?:came|stood|stepped|walked|entró|apareció|llegó) (?:the |el |la )?(?:general )?{name}\b",
    )
    return Guard(f"general-{name}", "status", (name,), tuple([_any(each) for each in flesh]))


GUARDS: Final = (
    Guard("archons", "location", ("archon", "arconte", "chấp chính"), (
        _any(rf"(?<!of )(?<!of the )(?<!about the )\barchons?\b{_NEAR}?\b{_ACTS_EN}", rf"(?:chấp chính|archon){_NEAR}?{_ACTS_VI}", rf"\barcontes?\b{_NEAR}?\b{_ACTS_ES}"),
        _any(
            r"\b(?:saw|met|came|stepped|descended|spoke to|knelt before|face of)\b[^.!?\n]{0,20}\barchons?\b",
            r"(?:gặp|thấy|quỳ trước|trước mặt)[^.!?\n]{0,15}(?:chấp chính|archon)",
            r"\b(?:vio|vieron|encontró|conoció|ante|rostro de)\b[^.!?\n]{0,15}\barcontes?\b",
        ),
    )),
    Guard("veiled-will", "nature", ("veiled will", "ý chí ẩn", "voluntad velada"), (
        _any(
            r"\bveiled will\b[^.!?\n]{0,25}\b(?:is|was|are|were|has been|had been|turned out|means|meant|belongs|serves|comes from|came from"
            r"|is made|wants|wanted|made|created)\b",
            r"\b(?:nature|truth|face|true name|origin|secret|purpose)\b[^.!?\n]{0,15}\bveiled will\b",
            r"\b(?:behind|caused by|work of|sign of|sent by)\b[^.!?\n]{0,15}\bveiled will\b",
        ),
        _any(
            r"(?:ý chí ẩn|veiled will)[^.!?\n]{0,25}(?:là|chính|vốn|sinh ra|bắt nguồn|muốn|tạo ra|gây ra)",
            r"(?:bản chất|sự thật|nguồn gốc|gương mặt|tên thật|mục đích|dấu hiệu|do)[^.!?\n]{0,15}(?:ý chí ẩn|veiled will)",
        ),
        _any(
            r"voluntad velada[^.!?\n]{0,25}\b(?:es|era|fue|son|resultó|procede|viene|quiere|quería|creó|causó)\b",
            r"(?:naturaleza|verdad|rostro|origen|secreto|propósito|señal|obra|culpa)[^.!?\n]{0,15}voluntad velada",
        ),
    )),
    *[_general(name) for name in _GENERALS],
    Guard("tower", "layout", ("tower", "tháp", "torre", "floor"), (
        _any(
            r"\b(?:map|plan|floor plan|layout)s? of the tower\b", r"\btower'?s? (?:layout|floor plan|map|plan)\b",
            r"\btower\b[^.!?\n]{0,15}\b(?:has|had) (?:always )?(?:exactly |only )?(?:two|three|four|five|six|seven|eight|nine|ten|twelve|a hundred) "
            r"(?:floors|rooms|stairs|doors|levels)\b",
            r"\b(?:second|third|first|last) floor (?:is|was) always\b", r"\brooms? of the tower never (?:move|change)",
        ),
        _any(
            r"(?:bản đồ|sơ đồ) (?:của )?(?:tower|tháp)\b",
            r"\b(?:tower|tháp)\b[^.!?\n]{0,15}có (?:đúng |tất cả )?(?:hai|ba|bốn|năm|sáu|bảy|tám|chín|mười|một trăm)[^.!?\n]{0,6} (?:tầng|phòng|cầu thang|cửa)",
            r"(?:tower|tháp) không bao giờ (?:đổi|thay đổi)",
        ),
        _any(
            r"\b(?:mapa|plano|planta) (?:fij[oa] )?de la torre\b",
            r"\btorre\b[^.!?\n]{0,15}(?:tiene|tenía) (?:siempre |exactamente )?(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien) (?:pisos|cuartos|escaleras|puertas)",
            r"\btorre nunca cambia",
        ),
    )),
    Guard("the-dead", "status", ("dead", "grave", "chết", "thây ma", "đội mồ", "muert", "resucit"), (
        _any(
            rf"\bthe dead\b(?: man| woman| one| men| women)?[^.!?\n]{{0,12}}\b{_DEAD_EN}", r"\brose from the (?:grave|dead)\b",
            r"\b(?:came|come|returned|back) from the dead\b", r"\braised the dead\b",
        ),
        _any(
            r"(?:người chết|kẻ chết|thây ma|xác chết)[^.!?\n]{0,12}(?:sống lại|đứng dậy|bước|lên tiếng|mỉm cười|trở về|thức dậy|nói|đi)",
            r"(?:sống lại|trở về) từ cõi chết", r"đội mồ",
        ),
        _any(
            r"\b(?:los|las|el|la) muert[oa]s?\b[^.!?\n]{0,15}\b(?:se levant|camin|habl|volvi|despert|sonri|march|dij|regres)\w*",
            r"\b(?:volvi|regres|lleg)\w* de entre los muertos", r"\bresucit",
        ),
    )),
)  # fmt: skip
CITY: Final = ("grand-gate-city", "terrain")
CITY_NAMES: Final = _any(r"grand gate city", r"thành đại môn", r"ciudad de la gran puerta")
CITY_CLAIMS: Final[dict[Language, re.Pattern[str]]] = {
    "en": _any(
        r"(?<!no )(?<!without )\b(?:sea|seas|seaside|ocean|harbou?rs?|seaport|docks?|quays?|beach|tides?|surf|gulls?|seagulls?|lighthouse|wharf"
        r"|ramparts?|battlements?|fortress(?:es)?|city walls?|town walls?)\b",
        r"\b(?<!no )ships?\b", r"\bwalls? (?:of the city|around the city)\b",
    ),
    "vi": _any(
        r"(?<!không có )\b(?:bãi biển|mặt biển|sóng biển|bờ biển|gió biển|ra biển|biển cả|bến cảng|hải cảng|cầu cảng|đại dương|tàu thuyền"
        r"|hải âu|hải đăng|thủy triều|tường thành|lũy thành|thành lũy|pháo đài)\b", r"\bbiển\b", r"\bcảng\b",
    ),
    "es": _any(
        r"(?<!sin )(?<!hay )\b(?:mar|mares|océano|puerto|puertos|muelles?|playa|mareas?|gaviotas?|faro|oleaje|murallas?|almenas?|fortalezas?"
        r"|barcos?)\b",
    ),
}  # fmt: skip
LEAKS: Final = {
    "stat": _any(
        r"\bintensity\b", r"\bhit points?\b", r"\b[hx]p\b", r"\blevel(?:led|ed|s)? up\b", r"\b(?:threat|danger|power|character) (?:level|pressure)s?\b",
        r"\blevels? (?:one|two|three|four|five|ten|of threat)\b", r"\bstats?\b", r"\bexperience points?\b", r"\bcooldowns?\b", r"\bnotoriety\b",
        r"\bidentity coherence\b", r"\bcoherence\b", r"\binstability (?:of|score|rose|fell|is|at)\b", r"\btower instability\b", r"\bpercent\b",
        r"\bper ?mille\b", r"\bnpcs?\b", r"\bpnj\b", r"\bspawn\w*\b", r"\bquest log\b", r"\bmodifiers?\b", r"\bsaving throw\b",
        r"cường độ", r"điểm máu", r"điểm kinh nghiệm", r"\bchỉ số\b", r"\bphần trăm\b", r"áp lực đe dọa", r"\blên cấp\b", r"\bcấp độ\b",
        r"mức độ đe dọa", r"độ bất ổn", r"tai tiếng điểm", r"\bintensidad\b", r"\bpuntos de (?:vida|golpe|experiencia)\b",
        r"\bnivel (?:de (?:amenaza|peligro)|uno|dos|tres|cuatro)\b", r"\bsub\w+ de nivel\b", r"\bpor ciento\b", r"\bporcentaje\b",
        r"\bpresión de amenaza\b", r"\bnotoriedad\b", r"\bcoherencia de identidad\b", r"\bestadísticas?\b",
    ),
    "tier": _any(
        r"\btiers?\b", r"(?-i:\bWatchers?\b)", r"(?-i:\bEnforcement\b)", r"\benforcement (?:unit|tier|force|style)s?\b", r"\blieutenant(?:'s)? units?\b",
        r"(?-i:\bExperimental\b)", r"\bidentity echo(?:es)?\b", r"\bworld anomal(?:y|ies)\b", r"\bouter corruption (?!zone)\b", r"\bdị biến encounter\b",
        r"\bthreat environment\b", r"\bcấp (?:một|hai|ba|bốn)\b", r"\bnivel de fuerza\b",
    ),
    "prompt": _any(
        r"\bsystem prompt\b", r"\bprompts?\b", r"\bas an? (?:ai|artificial intelligence|assistant|language model)\b", r"\blanguage model\b",
        r"\b(?:ignore|disregard|forget)\b[^.!?\n]{0,25}\b(?:instruction|above|previous|rules?)\w*",
        r"\b(?:my|your|these|following|previous|the above|new) instructions\b", r"\byou are (?:now )?an? (?:ai|assistant|model)\b",
        r"\b(?:assistant|user|system)\s*:", r"\bhere(?:'s| is| are) (?:the|your) (?:chapter|story|text|rewrit\w+|revis\w+|json)\b", r"\bword count\b",
        r"\bi (?:cannot|can't|am unable to) (?:help|assist|comply|continue|write)\b", r"\b(?:openai|chatgpt|anthropic|gpt)\b", r"\bbeat (?:one|two|number)\b",
        r"\bthe (?:planner|player|gamemaster|game master)\b", r"\bplot point\b", r"\bstorylets?\b", r"\bjson\b", r"\bthe council approved the plan\b",
        r"mô hình ngôn ngữ", r"trí tuệ nhân tạo", r"là một ai\b", r"bỏ qua[^.!?\n]{0,20}(?:chỉ dẫn|hướng dẫn|chỉ thị)", r"lời nhắc hệ thống",
        r"dưới đây là (?:chương|bản|văn bản)", r"theo (?:yêu cầu|chỉ dẫn) của bạn", r"tôi không thể (?:giúp|hỗ trợ|viết)", r"người chơi", r"nhân vật phụ",
        r"modelo de lenguaje", r"inteligencia artificial", r"\bcomo (?:una )?ia\b", r"\b(?:ignora|olvida)\w*[^.!?\n]{0,25}(?:instrucciones|reglas|lo anterior)",
        r"instrucciones (?:anteriores|previas|del sistema)", r"\baquí (?:tienes|está) (?:el|la|tu) (?:capítulo|texto|historia|versión)\b",
        r"\bno puedo (?:ayudar|continuar|escribir)\b", r"\bel jugador\b", r"\bla jugadora\b", r"\brecuento de palabras\b",
    ),
    "link": _any(r"https?", r"\bwww\.", r"\b\w+\.(?:com|org|net|io|ai)\b"),
}  # fmt: skip
SPEAKS: Final[dict[Language, str]] = {
    "en": r"(?:said|says|asked|answered|replied|whispered|laughed|smiled|nodded|walked|came|stood|sat|rose|turned|looked|went|ran|shook|took|gave"
    r"|opened|closed|waited|stepped|knew|put|held|spoke|told|entered|shrugged|leaned|drew|pointed)",
    "vi": r"(?:nói|hỏi|đáp|thì thầm|cười|mỉm cười|gật|bước|đến|đứng|ngồi|quay|nhìn|đi|chạy|lắc|cầm|đưa|mở|đóng|đợi|biết|đặt|kể|vào|rút|chỉ)",
    "es": r"(?:dijo|preguntó|respondió|contestó|susurró|rió|sonrió|asintió|caminó|vino|llegó|se sentó|se levantó|se volvió|miró|fue|corrió|tomó|dio"
    r"|abrió|cerró|esperó|sabía|puso|habló|contó|entró|señaló|negó)",
}  # fmt: skip
STOPWORDS: Final[dict[Language, frozenset[str]]] = {
    "en": words("the and of to was it that had not with for but they in on at as be who there nobody what were from is his her their"),
    "vi": words("không một và của là đã cho có những người ở ai điều thì với như cái được này đó mà nó để trong từ khi"),
    "es": words("el la de que y los las en no se un una por con lo había su del al como era para quien pero más sin"),
}  # fmt: skip
"""Words that mark a language: what a text in another language would hold more of."""
