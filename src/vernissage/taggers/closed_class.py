"""English words that hold sentences together: never tags, but signs of what their neighbours are.

The closed classes of English grammar, after Quirk et al., A Comprehensive Grammar of the English Language, 1985, with
the verbs be, have and do, cardinal numbers, and adverbs that modify no noun.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

Role = Literal["determiner", "subject", "object", "modal", "copula", "preposition", "of", "filler"]
"""``modal``: a base form follows, as after to and will. ``copula``: forms of be. ``filler``: tells nothing."""

_WORDS: Mapping[Role, str] = {
    "determiner": """
        a an the this these those my your his her its our their some any each every no another both all few several
        many much more most less least such either neither enough whose other same own one two three four five six
        seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty
        forty fifty sixty seventy eighty ninety hundred hundreds thousand thousands million millions dozen dozens
        """,
    "subject": "i you he she it we they who that which thou ye",
    "object": """
        me him them us whom mine yours hers ours theirs thee myself yourself himself herself itself ourselves
        yourselves themselves oneself someone somebody something anyone anybody anything everyone everybody everything
        nobody nothing none whoever whomever whatever whichever
        """,
    "modal": "to can could may might must shall should will would do does did cannot let lets",
    "copula": "be am is are was were been being become becomes became",
    "preposition": """
        aboard about above across after against along alongside amid amidst among amongst around as at atop before
        behind below beneath beside besides between beyond by despite during except for from in inside into like near
        next off on onto out outside over past per round since through throughout till toward towards under underneath
        unlike until unto up upon via with within without
        """,
    "of": "of",
    "filler": """
        and or but nor yet so if then than because although though while whereas whether when where why how what once
        not also too very just only even still ever never always often sometimes usually again already almost away
        back down here there now thus hence therefore however moreover else instead perhaps maybe rather quite later
        soon ago together apart ahead forth forward etc eg ie ca circa vs yes
        have has had having doing done having got get gets getting
        left right first second third last non
        """,
}

ROLES: Mapping[str, Role] = MappingProxyType({word: role for role, words in _WORDS.items() for word in words.split()})
"""The role of each word of the closed classes."""
