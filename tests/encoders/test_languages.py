"""Small collections in eight languages and more: which language it is, and what its words are."""

import numpy as np
import pytest

from vernissage.encoders.fitted.languages import languages_of, require_languages
from vernissage.encoders.fitted.lsa import fit_lsa
from vernissage.encoders.fitted.words import choose_vocabulary, content_words
from vernissage.errors import EncoderError

TEXTS = {
    "de": [
        "Schiffe im Hafen, gemalt im Abendlicht",
        "Zwei Bäume auf einer Wiese vor dem Dorf",
        "Eine Frau liest einen Brief am Fenster",
        "Blumen in einer Vase auf dem Tisch",
        "Das Schiff liegt auf dem Strand, die Wellen sind hoch",
    ],
    "fr": [
        "Des bateaux dans le port au coucher du soleil",
        "Deux chevaux dans la forêt près du village",
        "Une femme lit une lettre devant la fenêtre",
        "Des fleurs dans un vase sur la table",
        "Le bateau est sur la plage, les vagues sont hautes",
    ],
    "nl": [
        "Schepen in de haven bij zonsondergang",
        "Twee bomen op een weide bij het dorp",
        "Een vrouw leest een brief bij het raam",
        "Bloemen in een vaas op de tafel",
        "Het schip ligt op het strand en de golven zijn hoog",
    ],
    "es": [
        "Los barcos en el puerto al atardecer",
        "Dos árboles en un prado cerca del pueblo",
        "Una mujer lee una carta junto a la ventana",
        "Un jarrón sobre la mesa con manzanas",
        "El barco está en la playa y las olas son altas",
    ],
    "pl": [
        "Statki w porcie o zachodzie słońca",
        "Dwa drzewa na łące za wsią",
        "Kobieta czyta list przy oknie",
        "Kwiaty w wazonie stojącym na stole",
        "Statek leży na plaży, a fale są wysokie",
    ],
    "ru": [
        "Корабли в гавани на закате",
        "Два дерева на лугу за деревней",
        "Женщина читает письмо у окна",
        "Цветы в вазе на столе",
        "Корабль стоит у берега, волны высокие",
    ],
    "ar": [
        "السفن في الميناء عند الغروب",
        "شجرتان في المرج قرب القرية",
        "امرأة تقرأ رسالة عند النافذة",
        "الزهور في المزهرية على الطاولة",
        "سفينة على الشاطئ والأمواج عالية",
    ],
    "ja": [
        "夕暮れの港に浮かぶ帆船の群れ",
        "村の近くの草原に立つ二本の木",
        "窓辺で手紙を読む女性",
        "机の上の花瓶に生けた花",
        "浜辺に帆船があり、波が高い",
    ],
    "zh": [
        "日落时港口里的帆船",
        "村庄附近草地上的两棵树",
        "窗边读信的女子",
        "桌上花瓶里的花",
        "海滩上有一艘帆船,浪很高",
    ],
}
FOUND = {
    "de": ["Schiff", "Schiffe", "SCHIFFEN"],
    "fr": ["bateau", "bateaux"],
    "nl": ["schip", "schepen"],
    "es": ["barco", "barcos"],
    "pl": ["statek", "statki"],
    "ru": ["корабль", "корабли", "кораблей"],
    "ar": ["سفينة", "السفن", "والسفينة"],
    "ja": ["帆船"],
    "zh": ["帆船"],
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_collection_tells_its_language(language: str) -> None:
    assert languages_of(TEXTS[language]) == (language,)


@pytest.mark.parametrize("language", TEXTS)
def test_words_find_their_works_by_base_and_inflected_form(language: str) -> None:
    encoder = fit_lsa(TEXTS[language])
    works, queries = encoder.encode_texts(TEXTS[language]), encoder.encode_texts(FOUND[language])
    found = np.sort(np.argsort(-(queries @ works.T), axis=1)[:, :2], axis=1)
    assert found.tolist() == [[0, 4]] * len(queries)


def test_texts_of_several_languages_are_each_read_in_their_own() -> None:
    texts = [*TEXTS["de"], *TEXTS["fr"], *TEXTS["nl"]]
    encoder = fit_lsa(texts)
    assert set(encoder.language.split("+")) == {"de", "fr", "nl"}
    works = encoder.encode_texts(texts)
    for word, expected in {"Schiff": {0, 4}, "bateau": {5, 9}, "schepen": {10, 14}, "chevaux": {6}}.items():
        scores = works @ encoder.encode_texts([word])[0]
        assert set(np.argsort(-scores)[: len(expected)].tolist()) == expected, word


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("Auf dem Tisch und unter der Bank", "de", ["tisch", "bank"]),
        ("les chevaux dans la forêt", "fr", ["cheval", "forêt"]),
        ("荒れた海を渡る舟と漁師たち", "ja", ["荒", "海", "渡", "舟", "漁師"]),
        ("富嶽三十六景", "ja", ["富嶽", "嶽三", "三十", "十六", "六景"]),
        ("タイトル", "ja", ["タイ", "イト", "トル"]),
        ("바다 풍경화", "ko", ["바다", "풍경", "경화"]),
        ("Hokusai北斎", "ja", ["hokusai", "北斎"]),
    ],
)
def test_words_of_a_language(text: str, language: str, words: list[str]) -> None:
    assert content_words(text, language) == words


def test_vowels_and_tones_of_thai_stay_with_their_letters() -> None:
    assert content_words("ที่นี่", "th") == ["ที่นี่"]


def test_words_that_fold_to_one_are_one_word_in_the_commoner_spelling() -> None:
    documents = [["cézanne", "pomme"], ["cezanne"], ["cézanne"]]
    assert choose_vocabulary(documents, at_least=3, size=9) == ("cézanne",)


def test_a_name_is_found_with_accents_and_without() -> None:
    encoder = fit_lsa(["Apples by Cézanne", "Pears by Cezanne", "A ship of Købke"])
    with_accent, without = encoder.encode_texts(["Cézanne", "cezanne"])
    assert with_accent.any()
    assert (with_accent == without).all()
    assert encoder.encode_texts(["kobke"]).any()


def test_texts_that_tell_nothing_are_taken_for_english() -> None:
    assert languages_of([]) == languages_of(["", "1888"]) == languages_of(["a ship", "the"]) == ("en",)


def test_languages_are_named_by_two_letters() -> None:
    assert require_languages(["de-AT", "DE", "nb"]) == ("de", "no")
    with pytest.raises(EncoderError, match=r"for the language 'German'; use a two-letter code"):
        require_languages(["de", "German"])


def test_given_languages_are_not_looked_for() -> None:
    assert fit_lsa(TEXTS["de"], languages=["nl"]).language == "nl"
