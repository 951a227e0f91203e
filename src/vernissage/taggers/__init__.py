"""Words for works: nouns and verbs of their texts, captions of their pictures, objects in them."""
