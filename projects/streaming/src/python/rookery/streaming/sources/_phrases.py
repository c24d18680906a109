"""What synthetic posts talk about: topics, and how people talk, in ten languages."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Topic:
    """Something that people write about.

    Attributes:
        tag: Its hashtag, without `#`.
        names: What it is called in each language.
    """

    tag: str
    names: dict[str, str]


LANGUAGES = ("en", "es", "pt", "fr", "de", "it", "nl", "tr", "ru", "ja")
# Of a hundred posts.
LANGUAGE_SHARES = (46, 14, 9, 7, 6, 5, 3, 4, 3, 3)


def _topic(tag: str, *names: str) -> Topic:
    return Topic(tag, dict(zip(LANGUAGES, names, strict=True)))


TOPICS = (
    _topic(
        "wildfire",
        *("the forest fire", "el incendio forestal", "o incêndio florestal"),
        *("le feu de forêt", "der Waldbrand", "l'incendio boschivo", "de bosbrand"),
        *("orman yangını", "лесной пожар", "山火事"),
    ),
    _topic(
        "earthquake",
        *("the earthquake", "el terremoto", "o terremoto", "le tremblement de terre"),
        *("das Erdbeben", "il terremoto", "de aardbeving", "deprem", "землетрясение"),
        "地震",
    ),
    _topic(
        "flood",
        *("the flood", "la inundación", "a enchente", "l'inondation"),
        *("das Hochwasser", "l'alluvione", "de overstroming", "sel felaketi"),
        *("наводнение", "洪水"),
    ),
    _topic(
        "election",
        *("the election", "las elecciones", "as eleições", "les élections"),
        *("die Wahl", "le elezioni", "de verkiezingen", "seçim", "выборы", "選挙"),
    ),
    _topic(
        "worldcup",
        *("the world cup", "la copa del mundo", "a copa do mundo"),
        *("la coupe du monde", "die Weltmeisterschaft", "la coppa del mondo"),
        *("het wereldkampioenschap", "dünya kupası", "чемпионат мира"),
        "ワールドカップ",
    ),
    _topic(
        "football",
        *("the football match", "el partido de fútbol", "o jogo de futebol"),
        *("le match de football", "das Fußballspiel", "la partita di calcio"),
        *("de voetbalwedstrijd", "futbol maçı", "футбольный матч", "サッカーの試合"),
    ),
    _topic(
        "coffee",
        *("coffee", "el café", "o café", "le café", "der Kaffee", "il caffè"),
        *("de koffie", "kahve", "кофе", "コーヒー"),
    ),
    _topic(
        "newphone",
        *("the new phone", "el nuevo teléfono", "o novo telefone"),
        *("le nouveau téléphone", "das neue Handy", "il nuovo telefono"),
        *("de nieuwe telefoon", "yeni telefon", "новый телефон", "新しいスマホ"),
    ),
    _topic(
        "trainstrike",
        *("the train strike", "la huelga de trenes", "a greve dos trens"),
        *("la grève des trains", "der Bahnstreik", "lo sciopero dei treni"),
        *("de treinstaking", "tren grevi", "забастовка поездов", "鉄道スト"),
    ),
    _topic(
        "concert",
        *("the concert", "el concierto", "o concerto", "le concert"),
        *("das Konzert", "il concerto", "het concert", "konser", "концерт"),
        "コンサート",
    ),
    _topic(
        "electriccar",
        *("the electric car", "el coche eléctrico", "o carro elétrico"),
        *("la voiture électrique", "das Elektroauto", "l'auto elettrica"),
        *("de elektrische auto", "elektrikli araba", "электромобиль", "電気自動車"),
    ),
    _topic(
        "heatwave",
        *("the heat wave", "la ola de calor", "a onda de calor", "la canicule"),
        *("die Hitzewelle", "l'ondata di caldo", "de hittegolf", "sıcak hava dalgası"),
        *("аномальная жара", "猛暑"),
    ),
    _topic(
        "gardening",
        *("my garden", "mi jardín", "o meu jardim", "mon jardin", "mein Garten"),
        *("il mio giardino", "mijn tuin", "bahçem", "мой сад", "庭いじり"),
    ),
    _topic(
        "chess",
        *("the chess final", "la final de ajedrez", "a final de xadrez"),
        *("la finale d'échecs", "das Schachfinale", "la finale di scacchi"),
        *("de schaakfinale", "satranç finali", "шахматный финал", "チェスの決勝"),
    ),
    _topic(
        "music",
        *("this song", "esta canción", "esta música", "cette chanson"),
        *("dieses Lied", "questa canzone", "dit liedje", "bu şarkı", "эта песня"),
        "この曲",
    ),
    _topic(
        "weather",
        *("the weather", "el clima", "o tempo", "la météo", "das Wetter"),
        *("il meteo", "het weer", "hava durumu", "погода", "今日の天気"),
    ),
)

# How often each topic comes up while none of them bursts, of a hundred posts.
TOPIC_SHARES = (7, 5, 5, 8, 7, 9, 9, 6, 4, 6, 5, 4, 5, 3, 9, 8)

OPENERS = MappingProxyType(
    {
        "en": (
            *("Just heard about", "Breaking:", "Everyone is talking about"),
            *("Can't stop thinking about", "Looking at", "More on", "Honestly,"),
            *("So many people care about", "Live from here:", "Thoughts on"),
        ),
        "es": (
            *("Acabo de enterarme:", "Última hora:", "Todos hablan de esto:"),
            *("No puedo creer lo que pasa con", "Seguimos de cerca", "Sobre"),
        ),
        "pt": (
            *("Acabei de saber:", "Urgente:", "Todo mundo fala sobre"),
            *("Não paro de pensar em", "Acompanhando de perto", "Sobre"),
        ),
        "fr": (
            *("Je viens d'apprendre :", "Dernière minute :", "Tout le monde parle de"),
            *("Je n'arrive pas à croire", "On suit de près", "À propos :"),
        ),
        "de": (
            *("Gerade gehört:", "Eilmeldung:", "Alle reden darüber:"),
            *("Ich kann es kaum glauben:", "Im Blick:", "Mal ehrlich,"),
        ),
        "it": (
            *("Ho appena saputo:", "Ultim'ora:", "Tutti parlano di questo:"),
            *("Non riesco a crederci:", "Seguiamo da vicino", "A proposito,"),
        ),
        "nl": (
            *("Net gehoord:", "Laatste nieuws:", "Iedereen heeft het erover:"),
            *("Niet te geloven:", "We volgen het op de voet:"),
        ),
        "tr": (
            *("Az önce duydum:", "Son dakika:", "Herkes bunu konuşuyor:"),
            *("İnanamıyorum:", "Yakından izliyoruz:"),
        ),
        "ru": (
            *("Только что узнал:", "Срочно:", "Все об этом говорят:"),
            *("Не могу поверить:", "Следим за событиями:"),
        ),
        "ja": (
            *("たった今聞いた、", "速報：", "みんなが話している"),
            *("信じられない、", "気になるのは"),
        ),
    }
)

CLOSERS = MappingProxyType(
    {
        "en": (
            *("is absolutely wonderful", "makes me so happy today", "is great news"),
            *(
                "is a terrible disaster",
                "makes me sad and angry",
                "is awful, stay safe",
            ),
            *("is on the front page again", "started at noon", "is what we discuss"),
            *("and here is what we know so far", "keeps the whole street awake"),
        ),
        "es": (
            *(
                "es una noticia maravillosa",
                "me hace muy feliz",
                "es un desastre terrible",
            ),
            *("me pone muy triste", "sigue en la portada", "y esto es lo que sabemos"),
        ),
        "pt": (
            *("é uma notícia maravilhosa", "me deixa muito feliz", "é um desastre"),
            *(
                "me deixa muito triste",
                "está de novo na capa",
                "e isto é o que sabemos",
            ),
        ),
        "fr": (
            *("est une merveilleuse nouvelle", "me rend très heureux"),
            *("est une terrible catastrophe", "me rend triste", "fait encore la une"),
        ),
        "de": (
            *("ist eine wunderbare Nachricht", "macht mich sehr glücklich"),
            *("ist eine furchtbare Katastrophe", "macht mich traurig"),
            *("steht wieder auf der Titelseite", "und das wissen wir bisher"),
        ),
        "it": (
            *("è una notizia meravigliosa", "mi rende molto felice"),
            *(
                "è un terribile disastro",
                "mi rende triste",
                "è di nuovo in prima pagina",
            ),
        ),
        "nl": (
            *("is prachtig nieuws", "maakt me heel blij", "is een vreselijke ramp"),
            *("maakt me verdrietig", "staat weer op de voorpagina"),
        ),
        "tr": (
            *("harika bir haber", "beni çok mutlu etti", "korkunç bir felaket"),
            *("beni çok üzdü", "yine manşetlerde"),
        ),
        "ru": (
            *("это прекрасная новость", "меня очень радует", "это ужасная беда"),
            *("меня огорчает", "снова на первой полосе"),
        ),
        "ja": (
            *("は素晴らしいニュースです", "でとても嬉しい", "はひどい災害だ"),
            *("で悲しい", "がまた一面に載っています"),
        ),
    }
)

SAMPLE_RULES = """\
# Rules for the synthetic stream: one a line, `name = expression`.
wildfire = "forest fire" OR "incendio forestal" OR Waldbrand OR #wildfire
earthquake = earthquake OR terremoto OR Erdbeben OR deprem OR #earthquake
flood = flood OR inundación OR enchente OR Hochwasser OR #flood
disaster = (flood OR earthquake OR "forest fire") (terrible OR awful OR disaster)
election = election OR elecciones OR eleições OR Wahl OR #election
elections-without-reposts = (election OR elecciones OR #election) -RT
world-cup = "world cup" OR "copa del mundo" OR "coupe du monde" OR #worldcup
football = "football match" OR fútbol OR futebol OR Fußballspiel OR #football
coffee = coffee OR café OR Kaffee OR caffè OR #coffee
new-phone = "new phone" OR "nuevo teléfono" OR #newphone
train-strike = "train strike" OR Bahnstreik OR "grève des trains" OR #trainstrike
heat-wave = "heat wave" OR "ola de calor" OR canicule OR Hitzewelle OR #heatwave
happy = happy OR wonderful OR feliz OR glücklich
breaking = Breaking OR "Última hora" OR Eilmeldung OR "Son dakika"
newsdesk = @newsdesk
chip-shares = $ACME OR $CHIP
"""
