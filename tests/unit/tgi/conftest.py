"""Settings of the tests of TGI."""

from hypothesis import settings

# The first use of the tokenizer reads the vocabulary, which takes a second and is no slow example.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
