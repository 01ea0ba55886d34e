"""A client of `init` and `step`: a text piece by piece as it is written."""

import codecs
from collections.abc import Callable
from typing import Any

from keras_seq.tasks.text_generation.client import as_inputs


def streamed(init: Callable, step: Callable, prompt: str, **options: Any) -> list[str]:
    """Whole characters; joined, what `write_texts` puts behind the prompt."""
    given, pieces = as_inputs([prompt], **options), []
    chosen = {n: given[n] for n in ("seed", "temperature", "top_k", "top_p")}
    carried = dict(init(prompt=given["prompt"]))
    del carried["unknown"]
    decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
    for _ in range(int(given["max_new_tokens"])):
        carried = dict(step(**carried, **chosen))
        del carried["token_id"]
        if piece := decoder.decode(carried.pop("piece").numpy()[0]):
            pieces.append(piece)
    return pieces
