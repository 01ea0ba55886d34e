"""What a speech task does after its training: scores, figures, what an export holds."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras

from keras_seq.data.copies import save_digests
from keras_seq.evaluation.fitted import save_fitted
from keras_seq.log import stage
from keras_seq.tasks.run import Ending
from keras_seq.tasks.speech.baselines import MeanFeaturesBaseline, fit_speech_baselines
from keras_seq.tasks.speech.data import SpeechData
from keras_seq.tasks.speech.figures import draw_speech
from keras_seq.tasks.speech.labels import LinearLabels
from keras_seq.tasks.speech.scores import log_energies, score_speech, tuned_beam_search
from keras_seq.tasks.speech.server import SpeechRecognizer
from keras_seq.tasks.speech.stream import SpeechStream, can_stream

BASELINES, ARPA = "baselines.npz", "transcripts.arpa"
TRAINED = "trained_on.npy"
EXAMPLES = 8


def score_run(
    task: str, model: keras.Model, data: SpeechData, linear: bool = False
) -> Ending:
    """Scores a trained model beside the baselines, on validation and test.

    Args:
        task: its name.
        model: from `build_speech_model`.
        data: what it was trained on.
        linear: where every utterance is one label, logistic regression on mean features
            answers with the network.
    """
    train, validation, test = (data.splits[p] for p in ("train", "validation", "test"))
    with stage("baselines"):
        baselines = fit_speech_baselines(
            log_energies(data.extractor, train), train.transcripts, data.is_isolated
        )
    labels = _linear_labels(baselines, data) if linear else None
    server = SpeechRecognizer(
        model, data.extractor, data.alphabet, data.subsampling, labels
    )
    search = None
    if not data.is_isolated:
        with stage("tuning the beam search"):
            search = tuned_beam_search(
                server.signature, data.alphabet, train, validation
            )
    score = partial(
        score_speech,
        task,
        server.signature,
        baselines=baselines,
        extractor=data.extractor,
        is_isolated=data.is_isolated,
        search=search,
        alone=None if labels is None else data.alphabet,
    )
    with stage("scoring"):
        reports = {"validation": score(validation)[0]}
        reports["test"], written = score(test)
    facts = {
        "feature_extractor": data.extractor.to_dict(),
        "alphabet": data.alphabet.to_dict(),
        "subsampling": data.subsampling,
        "is_isolated": data.is_isolated,
        "is_with_linear": labels is not None,
        "data": data.fingerprint,
    }
    extra: dict[str, Callable[[Path], object]] = {
        BASELINES: partial(save_fitted, baselines=baselines),
        TRAINED: partial(save_digests, digests=train.digests()),
    }
    if search is not None and search.model is not None:
        facts["beam_search"] = search.facts()
        arpa = search.model.to_arpa()
        extra[ARPA] = lambda path: path.write_text(arpa, "utf-8")
    signatures = server.signatures()
    if can_stream(server):
        server.stream = SpeechStream(server)
        signatures |= server.stream.signatures()
    files = [test.wav(number) for number in range(min(EXAMPLES, len(test)))]
    # Without its loss and metrics, which only keras_seq knows, anybody can load it.
    bare = keras.Model(model.inputs, model.outputs, name=model.name)
    return Ending(
        models=[bare],
        server=server,
        signatures=signatures,
        proofs=server.proofs(files, test.batch(range(len(files)))),
        reports=reports,
        metadata=facts,
        draw=partial(draw_speech, reports["test"], test, written, server),
        extra_files=extra,
        tolerance=1e-4,
    )


def _linear_labels(
    baselines: Mapping[str, Any], data: SpeechData
) -> LinearLabels | None:
    """The logistic regression of the baselines, where a label is what is written."""
    baseline = baselines.get(MeanFeaturesBaseline.name)
    if baseline is None or set(baseline.labels_) != set(data.alphabet.symbols):
        return None
    return LinearLabels(baseline, data.extractor, data.alphabet)
