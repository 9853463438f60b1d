"""Tokens of Mistral 7B as the TGI container counts them, with Mistral AI's own vocabulary (`mistral-common`), offline.

TGI tokenizes `inputs` with the Hugging Face tokenizer of the model: it puts `<s>` first, takes `<s>`, `</s>` and
`<unk>` inside the text for the special tokens they spell, and puts the word-start prefix `▁` before each piece of text
between them. `[INST]` is plain text in this vocabulary. So a prompt that spells out `<s>[INST] …` has two `<s>`.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer

UNK, BOS, EOS = 0, 1, 2
_SPECIAL = {"<unk>": UNK, "<s>": BOS, "</s>": EOS}
_SPECIAL_TEXT = {token: text for text, token in _SPECIAL.items()}
_SPLIT = re.compile("(<unk>|</?s>)")
_BYTE = re.compile("<0x([0-9A-F]{2})>")


def encode(text: str) -> list[int]:
    """The ids of the tokens of a prompt, `<s>` first."""
    model = load()
    ids = [BOS]
    for part in _SPLIT.split(text):
        if part in _SPECIAL:
            ids.append(_SPECIAL[part])
        elif part:
            ids.extend(model.encode(part, bos=False, eos=False))
    return ids


def count_tokens(text: str) -> int:
    """How many tokens a prompt is, `<s>` included: what TGI compares with its limits."""
    return len(encode(text))


def encode_continuation(text: str) -> list[int]:
    """The ids of plain text that follows other text; nothing is put before it, and nothing in it is special."""
    return load().encode(text, bos=False, eos=False)


def decode(ids: Sequence[int], *, skip_special: bool = False) -> str:
    """The text of tokens; as with the Hugging Face tokenizer, one space at the start is dropped."""
    return continuation_text(ids, skip_special=skip_special).removeprefix(" ")


def continuation_text(ids: Iterable[int], *, skip_special: bool = False) -> str:
    """The text that tokens add to text before them: the space of a word's start stays."""
    parts: list[str] = []
    pending = bytearray()  # of tokens that are single bytes
    for token in ids:
        if byte := _BYTE.fullmatch(piece := _piece(token)):
            pending.append(int(byte[1], 16))
            continue
        parts.append(_from_bytes(pending))
        pending.clear()
        if token not in _SPECIAL_TEXT or not skip_special:
            parts.append(piece)
    parts.append(_from_bytes(pending))
    return "".join(parts)


@cache
def _piece(token: int) -> str:
    return _SPECIAL_TEXT.get(token) or load().id_to_piece(token).replace("▁", " ")


def _from_bytes(data: bytearray) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "�" * len(data)  # as the decoder of the Hugging Face tokenizer does


@cache
def load() -> "SentencePieceTokenizer":
    """The vocabulary. To read it takes about a second, the first time."""
    from mistral_common.tokens.tokenizers.mistral import MistralTokenizer  # noqa: PLC0415  # takes a second to import
    from mistral_common.tokens.tokenizers.sentencepiece import SentencePieceTokenizer  # noqa: PLC0415

    tokenizer = MistralTokenizer.v1().instruct_tokenizer.tokenizer
    if not isinstance(tokenizer, SentencePieceTokenizer):
        raise TypeError(f"mistral-common's v1 tokenizer is a {type(tokenizer).__name__}, not the SentencePiece one")
    return tokenizer
