"""Spelling out: English as if nobody shortened or mistyped, so that what people mean is looked for in one form only."""

from __future__ import annotations

import re

_WHOLE = {
    "can't": "can not",
    "cant": "can not",
    "cannot": "can not",
    "won't": "will not",
    "wont": "will not",
    "shan't": "shall not",
    "dont": "do not",
    "doesnt": "does not",
    "didnt": "did not",
    "wouldnt": "would not",
    "isnt": "is not",
    "let's": "let us",
    "lets": "let us",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "have to",
    "pls": "please",
    "plz": "please",
    "plse": "please",
    "pleas": "please",
    "kindly": "please",
    "yess": "yes",
    "yepp": "yep",
    "thnks": "thanks",
    "u": "you",
    "ur": "your",
    "w": "with",
    "fwd": "forward",
    "asap": "soon",
    "okayed": "approved",
    "ok'd": "approved",
    "oked": "approved",
    "green-lit": "approved",
    "greenlit": "approved",
    "greenlighted": "approved",
    "wev'e": "we have",
    "im": "i am",
    "ive": "i have",
    "weve": "we have",
    "o.k": "ok",
    "'em": "them",
    "em": "them",
    "ain't": "is not",
    "aint": "is not",
}
_WORD = re.compile(r"(?<![\w'-])(?:" + "|".join(sorted(map(re.escape, _WHOLE), key=len, reverse=True)) + r")(?![\w'-])")
_ENDINGS = (
    (re.compile(r"(?<=[a-z])n't\b"), " not"),
    (re.compile(r"(?<=[a-z])'ll\b"), " will"),
    (re.compile(r"(?<=[a-z])'ve\b"), " have"),
    (re.compile(r"(?<=[a-z])'re\b"), " are"),
    (re.compile(r"\bi'm\b"), "i am"),
    (re.compile(r"\b(we|i|you|they|he|she|it|that)'d\b"), r"\1 would"),
    (re.compile(r"\b(it|that|there|here|what|he|she|who|everyone|everybody)'s\b"), r"\1 is"),
    (re.compile(r"\bgo-ahead\b"), "go ahead"),
    (
        re.compile(
            r"\b(?:i|we) (?:should|would) (?:also |therefore )?(?:be (?:most |very |much )?(?:grateful|obliged|glad|pleased|happy|thankful)"
            r"|appreciate it|appreciate) if you (?:would|could|can|will)(?: please)?\b"
        ),
        "please",
    ),
    (
        re.compile(
            r"(?:\b(?:i|we) (?:would|must|should|have to)?|\band would)(?: therefore| please| hereby| also)* (?:ask"
            r"|request|beg) you(?: please)? to\b"
        ),
        "please",
    ),
    (
        re.compile(
            r"(?:\b(?:i|we) (?:would|must|should|have to)?|\band would)(?: therefore| please| hereby| also)* (?:ask"
            r"|request|beg) you(?: please)? not to\b"
        ),
        "please do not",
    ),
    (re.compile(r"\bok(?:ay)?\b"), "ok"),
    (re.compile(r"\bauthoriz"), "authoris"),
    (re.compile(r"\blicens(?=e|ing)"), "licenc"),
)


def spelled_out(text: str) -> str:
    """`text`, in lower case, with English contractions and common short forms in full: "we'd" as "we would"."""
    text = _WORD.sub(lambda found: _WHOLE[found[0]], text)
    for short, whole in _ENDINGS:
        text = short.sub(whole, text)
    return text
