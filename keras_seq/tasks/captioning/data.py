"""What a captioning task does before and after its training.

Before: named parts, what of them is doubtful, subwords fitted on train alone, pixels or
features of all pictures. After: scores beside the baselines, the run folder, the proven
export. Knows no architecture and no training.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from keras_seq.data.copies import log_trained, save_digests
from keras_seq.data.splits import complete_parts
from keras_seq.evaluation.captions import (
    caption_digests,
    check_installed,
    describe_captions,
)
from keras_seq.evaluation.fitted import load_fitted, save_fitted
from keras_seq.images.captioned import (
    CaptionedPicture,
    all_captions,
    captions_fingerprint,
    picture_store,
)
from keras_seq.images.features import encoder_digest, model_inputs
from keras_seq.ranges import check_settings
from keras_seq.serving.saved_model import EXTRA, load_exported
from keras_seq.tasks.captioning.figures import draw_captioner
from keras_seq.tasks.captioning.scores import KINDS, fit_baselines, score_captioner
from keras_seq.tasks.captioning.server import Captioner, answer_files, describe_files
from keras_seq.tasks.result import Evaluation
from keras_seq.tasks.run import Ending
from keras_seq.text.pair_batches import EncodedTexts
from keras_seq.text.subwords import Subwords

BASELINES, TRAINED, CODER = "baselines.npz", "trained_on.npy", "subwords.json"
CAPTIONS = "captions_of_train.npy"
EXAMPLES = 8  # pictures that prove an export
LEAST_VOCABULARY = 300
MOST_TOKENS = 100  # of a caption that is written
PARTS = ("train", "validation", "test")


class CaptioningData(NamedTuple):
    """Parts, what was fitted on train alone, and what the network reads of pictures.

    Attributes:
        splits: "train", "validation" and "test".
        arrays: of each part uint8 pixels, or the encoder's features, (N, ...).
        coder: subwords of the captions.
        encoder: frozen; None where one is trained with the rest.
        most_tokens: of a caption that is written: the longest of train.
        fingerprints: SHA-256 of each part and of a frozen encoder, by name.
    """

    splits: dict[str, list[CaptionedPicture]]
    arrays: dict[str, np.ndarray]
    coder: Subwords
    encoder: keras.Model | None
    most_tokens: int
    fingerprints: dict[str, str]


def prepare_captions(
    given: Mapping[str, Sequence[CaptionedPicture]],
    *,
    encoder: keras.Model | None = None,
    image_size: int = 64,
    vocab_size: int = 1000,
    limit: int | None = None,
    seed: int = 0,
) -> CaptioningData:
    """Cuts the parts that are not given from train, a tenth each, and fits on the rest.

    A picture stands in one part with all its captions, and so do copies of its file
    under other names; what of the parts that are given stands in train is counted.

    Args:
        given: "train", and "validation" or "test" where the user brings them.
        encoder: frozen, of all pictures; None keeps their pixels.
        image_size: height and width of these.
        vocab_size: most subwords.
        limit: most pictures to take of what is cut.
        seed: of the split.

    Raises:
        UserError: Too few pictures, a file that is no picture, a part that mostly
            stands in train, or a package is not installed.
    """
    check_settings(limit=limit, vocab_size=vocab_size, image_size=image_size)
    check_installed()  # what scores later has to be here now
    stores = {part: picture_store(pictures) for part, pictures in given.items()}
    splits = complete_parts(given, stores, "pictures", limit=limit, seed=seed)
    captions = all_captions(splits["train"])
    coder = Subwords.fit(captions, max(vocab_size, LEAST_VOCABULARY))
    longest = int(EncodedTexts(captions, coder).lengths.max())
    prints = {part: captions_fingerprint(splits[part]) for part in PARTS}
    if encoder is not None:
        prints["encoder"] = encoder_digest(encoder)
    return CaptioningData(
        splits,
        {part: model_inputs(splits[part], encoder, image_size) for part in PARTS},
        coder,
        encoder,
        min(longest, MOST_TOKENS),
        prints,
    )


def score_run(task: str, model: keras.Model, data: CaptioningData) -> Ending:
    """Scores a trained model beside the baselines, on validation and test.

    Args:
        task: its name.
        model: of `build_captioning_model`.
        data: what it was trained on.
    """
    server = Captioner(model, data.coder, data.encoder, most_tokens=data.most_tokens)
    pooled = {part: _pooled(server, data.arrays[part]) for part in PARTS}
    baselines = fit_baselines(pooled["train"], data.splits["train"])
    digests = caption_digests(all_captions(data.splits["train"]))
    answer = partial(describe_files, server.traced["describe"])
    validation, test = (
        score_captioner(
            task, data.splits[part], pooled[part], answer, baselines, digests
        )
        for part in ("validation", "test")
    )
    proofs = server.expected([p.read() for p in data.splits["test"][:EXAMPLES]])
    trained = picture_store(data.splits["train"]).digests()
    models = [model] if data.encoder is None else [model, data.encoder]
    return Ending(
        models=models,
        server=server,
        signatures=server.signatures(),
        proofs=proofs,
        reports={"validation": validation.report, "test": test.report},
        metadata={"data": data.fingerprints["train"]},
        draw=partial(draw_captioner, test, data.splits["test"]),
        run_files={CODER: data.coder.to_json()},
        extra_files={
            BASELINES: partial(save_fitted, baselines=baselines),
            TRAINED: partial(save_digests, digests=trained),
            CAPTIONS: partial(save_digests, digests=digests),
        },
        absolute=1e-4,  # sums over the tokens of a caption
    )


def _pooled(server: Captioner, array: np.ndarray) -> np.ndarray:
    """The mean features of pictures, of what the model reads: float32 (N, F)."""
    found = [
        server.pooled(tf.cast(array[start : start + 64], tf.float32)).numpy()
        for start in range(0, len(array), 64)
    ]
    return np.concatenate(found)


def evaluate_export(
    task: str, model: Path, pictures: Sequence[CaptionedPicture]
) -> Evaluation:
    """Scores an exported captioner beside the baselines that were fitted with it.

    Args:
        task: its name.
        model: folder of an export, or of one version.
        pictures: with their captions.

    Raises:
        UserError: It is no export, a file is no picture, or a package is not installed.
    """
    exported = load_exported(model)
    extra = exported.path / EXTRA
    store = picture_store(pictures)
    log_trained(store.name, store.digests(), extra / TRAINED, "pictures")
    kinds = {kind.name: kind for kind in KINDS}
    baselines = load_fitted(extra / BASELINES, kinds.__getitem__)
    files = ((picture.place, picture.read()) for picture in pictures)
    found = answer_files(exported.signature("features"), files)
    features = np.stack([each["features"] for each in found])
    answer = partial(describe_files, exported.signature("describe"))
    digests = np.load(extra / CAPTIONS, allow_pickle=False)
    scored = score_captioner(task, pictures, features, answer, baselines, digests)
    return Evaluation(scored.report, describe_captions)
