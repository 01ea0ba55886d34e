"""Sequence models for Keras, from raw data to a proven SavedModel.

Each public name is loaded from its module when it is first asked for: importing
keras_seq imports neither TensorFlow nor Keras.
"""

import importlib
import sys
import types

__version__ = "0.1.0"

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
    "load_sample_reviews": "keras_seq.data.samples",
    "load_imdb": "keras_seq.data.download",
    "Tokenizer": "keras_seq.data.text",
    "pad_sequences": "keras_seq.data.text",
    "preprocess_text": "keras_seq.data.text",
    "make_text_dataset": "keras_seq.data.pipeline",
    "read_text": "keras_seq.data.corpus",
    "split_text": "keras_seq.data.corpus",
    "Characters": "keras_seq.data.coders",
    "Words": "keras_seq.data.coders",
    "Bytes": "keras_seq.data.coders",
    "Subwords": "keras_seq.data.subwords",
    "encode_corpus": "keras_seq.data.streams",
    "make_stream_dataset": "keras_seq.data.streams",
    "read_series": "keras_seq.data.series",
    "simulate_prices": "keras_seq.data.simulator",
    "fetch_tickers": "keras_seq.data.tickers",
    "prepare_series": "keras_seq.series_data",
    "make_scaling": "keras_seq.series_data",
    "make_window_dataset": "keras_seq.data.window_pipeline",
    # training
    "fit": "keras_seq.training.fit",
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
    "separate_paths": "keras_seq.training.evidence",
    "weigh_evidence": "keras_seq.training.evidence",
    "TruncatedBackprop": "keras_seq.training.bptt",
    "AveragedWeights": "keras_seq.training.averaging",
    "TextSamples": "keras_seq.training.text_samples",
    "cosine_adam": "keras_seq.training.step_schedule",
    "planned_epochs": "keras_seq.training.step_schedule",
    "language_recipe": "keras_seq.training.language_model",
    "builder_options": "keras_seq.training.language_model",
    "train_language_model": "keras_seq.training.language_model",
    "train_documented": "keras_seq.training.documented_language",
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
    "find_recordings": "keras_seq.data.recordings",
    "load_sample_speech": "keras_seq.data.sample_speech",
    "load_speech_commands_mini": "keras_seq.data.speech_downloads",
    "load_librispeech_dev_clean": "keras_seq.data.speech_downloads",
    "load_recordings": "keras_seq.data.speech_downloads",
    "tell_problems": "keras_seq.data.clips",
    "Alphabet": "keras_seq.data.alphabet",
    "LogMel": "keras_seq.data.audio",
    "Augmentation": "keras_seq.data.audio_augment",
    "make_audio_dataset": "keras_seq.data.audio_pipeline",
    "ctc_loss": "keras_seq.losses_ctc",
    "ctc_loss_of_probabilities": "keras_seq.losses_ctc",
    "SymbolErrorRate": "keras_seq.training.transcripts",
    "BlankAlarm": "keras_seq.training.transcripts",
    "BudgetedRate": "keras_seq.training.budget",
    "prefix_beam_search": "keras_seq.decoding.ctc",
    "WordNgrams": "keras_seq.decoding.word_ngrams",
    "transcript_report": "keras_seq.evaluation.transcripts",
    "SpeechRecognizer": "keras_seq.serving_speech",
    "SpeechStream": "keras_seq.serving_stream",
    "prepare_speech": "keras_seq.speech_run",
    "finish_speech_run": "keras_seq.speech_run",
    "evaluate_speech_export": "keras_seq.speech_export",
    "transcribe_files": "keras_seq.speech_export",
    # scores and export
    "classification_scores": "keras_seq.evaluation.scores",
    "compare": "keras_seq.evaluation.scores",
    "format_report": "keras_seq.evaluation.table",
    "score_classifier": "keras_seq.evaluation.classifier",
    "prepare_texts": "keras_seq.text_run",
    "finish_run": "keras_seq.text_run",
    "evaluate_export": "keras_seq.text_run",
    "KneserNey": "keras_seq.evaluation.kneser_ney",
    "format_language_report": "keras_seq.evaluation.language",
    "prepare_corpus": "keras_seq.text_generation_run",
    "finish_language_run": "keras_seq.text_generation_run",
    "evaluate_language_export": "keras_seq.text_generation_run",
    "TextGenerator": "keras_seq.serving_text",
    "write_texts": "keras_seq.serving_text_client",
    "stream_text": "keras_seq.serving_text_client",
    "sample_next": "keras_seq.decoding.samplers",
    "generate": "keras_seq.decoding.generate",
    "beam_search": "keras_seq.decoding.beam_search",
    "format_forecast_report": "keras_seq.evaluation.forecast_report",
    "learn_forecaster": "keras_seq.series_training",
    "score_forecaster": "keras_seq.series_run",
    "finish_forecasts": "keras_seq.series_run",
    "evaluate_forecasts": "keras_seq.series_export",
    "forecast_next": "keras_seq.series_export",
    "read_like": "keras_seq.series_export",
    "backtest_folds": "keras_seq.series_backtest",
    "show_backtest": "keras_seq.series_show",
    "PriceForecaster": "keras_seq.forecast_serving",
    "answer_texts": "keras_seq.serving",
    "TextClassifier": "keras_seq.serving",
    "export": "keras_seq.export",
    "load_exported": "keras_seq.export",
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
