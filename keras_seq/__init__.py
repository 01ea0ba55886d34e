"""Sequence models for Keras, from raw data to a proven SavedModel.

Each public name is loaded from its module when it is first asked for: importing
keras_seq imports neither TensorFlow nor Keras.
"""

import importlib
import sys
import types

__version__ = "0.2.0"

_MODULE_OF = {
    "UserError": "keras_seq.errors",
    # models
    "build_simple_rnn": "keras_seq.models.rnn",
    "build_lstm_model": "keras_seq.models.rnn",
    "build_gru_model": "keras_seq.models.rnn",
    "build_bidirectional_lstm": "keras_seq.models.rnn",
    "build_sentiment_model": "keras_seq.models.sentiment",
    "build_text_generation_model": "keras_seq.models.text_generation",
    "build_stock_prediction_model": "keras_seq.models.stock",
    "build_segment_rnn": "keras_seq.models.segments",
    "build_forecaster": "keras_seq.models.forecaster",
    "ngram_buckets": "keras_seq.layers.ngrams",
    "ngram_log_ratios": "keras_seq.layers.ngrams",
    # raw data in
    "read_table": "keras_seq.data.sources",
    "split_samples": "keras_seq.data.sources",
    "load_sample_reviews": "keras_seq.text.sample_reviews",
    "load_imdb": "keras_seq.data.download",
    "Tokenizer": "keras_seq.text.tokenizer",
    "pad_sequences": "keras_seq.text.tokenizer",
    "preprocess_text": "keras_seq.text.tokenizer",
    "make_text_dataset": "keras_seq.text.batches",
    "read_text": "keras_seq.text.corpus",
    "split_text": "keras_seq.text.corpus",
    "Characters": "keras_seq.text.coders",
    "Words": "keras_seq.text.coders",
    "Bytes": "keras_seq.text.coders",
    "Subwords": "keras_seq.text.subwords",
    "encode_corpus": "keras_seq.text.streams",
    "make_stream_dataset": "keras_seq.text.streams",
    "read_series": "keras_seq.series.table",
    "simulate_prices": "keras_seq.series.simulator",
    "fetch_tickers": "keras_seq.series.tickers",
    "prepare_series": "keras_seq.tasks.stock.data",
    "make_scaling": "keras_seq.tasks.stock.data",
    "make_window_dataset": "keras_seq.series.window_batches",
    # training
    "fit": "keras_seq.training.trainer",
    "TrainingMonitor": "keras_seq.training.monitor",
    "GradientMonitor": "keras_seq.training.gradients",
    "monitor_gradients": "keras_seq.training.gradients",
    "detect_gradient_explosion": "keras_seq.training.gradients",
    "gradient_by_time": "keras_seq.training.through_time",
    "gate_saturation": "keras_seq.training.through_time",
    "gradient_by_time_figure": "keras_seq.evaluation.figures",
    "lr_schedule": "keras_seq.training.schedules",
    "cosine_schedule": "keras_seq.training.schedules",
    "warmup_schedule": "keras_seq.training.schedules",
    "get_strategy": "keras_seq.training.devices",
    "set_precision": "keras_seq.training.devices",
    "set_seed": "keras_seq.training.devices",
    "separate_paths": "keras_seq.tasks.sentiment.ensemble",
    "weigh_evidence": "keras_seq.tasks.sentiment.ensemble",
    "TruncatedBackprop": "keras_seq.training.bptt",
    "AveragedWeights": "keras_seq.training.averaging",
    "TextSamples": "keras_seq.tasks.text_generation.text_samples",
    "cosine_adam": "keras_seq.training.step_schedule",
    "planned_epochs": "keras_seq.training.step_schedule",
    "language_recipe": "keras_seq.tasks.text_generation.training",
    "builder_options": "keras_seq.tasks.text_generation.training",
    "train_language_model": "keras_seq.tasks.text_generation.training",
    "train_documented": "keras_seq.tasks.text_generation.documented",
    "token_loss": "keras_seq.losses",
    "Perplexity": "keras_seq.metrics",
    "classification_loss": "keras_seq.losses",
    "QuantileLoss": "keras_seq.losses",
    "loss_of_each_path": "keras_seq.losses",
    "accuracy": "keras_seq.metrics",
    "begin_run": "keras_seq.training.run_folder",
    "make_run_dir": "keras_seq.training.run_folder",
    "write_facts": "keras_seq.training.run_folder",
    "portable": "keras_seq.training.model_file",
    "load_model": "keras_seq.training.model_file",
    # speech
    "build_speech_model": "keras_seq.models.speech",
    "find_recordings": "keras_seq.audio.recordings",
    "load_sample_speech": "keras_seq.audio.sample_speech",
    "load_speech_commands_mini": "keras_seq.audio.downloads",
    "load_librispeech_dev_clean": "keras_seq.audio.downloads",
    "load_recordings": "keras_seq.audio.downloads",
    "tell_problems": "keras_seq.audio.utterances",
    "Alphabet": "keras_seq.audio.alphabet",
    "LogMel": "keras_seq.audio.log_mel",
    "Augmentation": "keras_seq.audio.augment",
    "make_audio_dataset": "keras_seq.audio.batches",
    "ctc_loss": "keras_seq.losses",
    "ctc_loss_of_probabilities": "keras_seq.losses",
    "SymbolErrorRate": "keras_seq.training.transcripts",
    "BlankAlarm": "keras_seq.training.transcripts",
    "BudgetedRate": "keras_seq.training.budget",
    "prefix_beam_search": "keras_seq.decoding.ctc",
    "WordNgrams": "keras_seq.text.word_ngrams",
    "transcript_report": "keras_seq.evaluation.transcripts",
    "SpeechRecognizer": "keras_seq.tasks.speech.server",
    "SpeechStream": "keras_seq.tasks.speech.stream",
    "prepare_speech": "keras_seq.tasks.speech.data",
    "finish_speech_run": "keras_seq.tasks.speech.data",
    "evaluate_speech_export": "keras_seq.tasks.speech.exported",
    "transcribe_files": "keras_seq.tasks.speech.exported",
    # scores and export
    "classification_scores": "keras_seq.evaluation.scores",
    "compare": "keras_seq.evaluation.scores",
    "format_report": "keras_seq.evaluation.table",
    "score_classifier": "keras_seq.tasks.sentiment.scores",
    "prepare_texts": "keras_seq.tasks.sentiment.data",
    "finish_run": "keras_seq.tasks.sentiment.data",
    "evaluate_export": "keras_seq.tasks.sentiment.data",
    "KneserNey": "keras_seq.text.kneser_ney",
    "format_language_report": "keras_seq.evaluation.language",
    "prepare_corpus": "keras_seq.tasks.text_generation.data",
    "finish_language_run": "keras_seq.tasks.text_generation.data",
    "evaluate_language_export": "keras_seq.tasks.text_generation.data",
    "TextGenerator": "keras_seq.tasks.text_generation.server",
    "write_texts": "keras_seq.tasks.text_generation.client",
    "stream_text": "keras_seq.tasks.text_generation.client",
    "sample_next": "keras_seq.decoding.samplers",
    "generate": "keras_seq.decoding.loop",
    "beam_search": "keras_seq.decoding.beam",
    "format_forecast_report": "keras_seq.tasks.stock.report",
    "learn_forecaster": "keras_seq.tasks.stock.training",
    "score_forecaster": "keras_seq.tasks.stock.finish",
    "finish_forecasts": "keras_seq.tasks.stock.finish",
    "evaluate_forecasts": "keras_seq.tasks.stock.exported",
    "forecast_next": "keras_seq.tasks.stock.exported",
    "read_like": "keras_seq.tasks.stock.exported",
    "backtest_folds": "keras_seq.tasks.stock.backtest",
    "show_backtest": "keras_seq.tasks.stock.figures",
    "PriceForecaster": "keras_seq.tasks.stock.server",
    "answer_texts": "keras_seq.tasks.sentiment.server",
    "TextClassifier": "keras_seq.tasks.sentiment.server",
    "export": "keras_seq.serving.saved_model",
    "load_exported": "keras_seq.serving.saved_model",
}
__all__ = ["__version__", *_MODULE_OF]


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(types.ModuleType):
    """Keeps `keras_seq.export` the function, whoever imports the module first.

    Python binds a submodule to its package under its own name, and would so hide the
    public function that shares the name with its module.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _MODULE_OF and isinstance(value, types.ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
