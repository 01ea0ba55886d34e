# What editors and type checkers see, and what `lazy_loader` loads when it is asked for.
from . import audio as audio
from . import data as data
from . import decoding as decoding
from . import evaluation as evaluation
from . import images as images
from . import layers as layers
from . import losses as losses
from . import metrics as metrics
from . import models as models
from . import series as series
from . import serving as serving
from . import tasks as tasks
from . import text as text
from . import training as training
from .allocator import keep_freed_memory as keep_freed_memory
from .audio.batches import make_audio_dataset as make_audio_dataset
from .audio.recordings import find_recordings as find_recordings
from .data.sources import read_table as read_table
from .data.sources import split_samples as split_samples
from .errors import UserError as UserError
from .evaluation.scores import classification_scores as classification_scores
from .evaluation.scores import compare as compare
from .models.rnn import build_bidirectional_lstm as build_bidirectional_lstm
from .models.rnn import build_gru_model as build_gru_model
from .models.rnn import build_lstm_model as build_lstm_model
from .models.rnn import build_simple_rnn as build_simple_rnn
from .models.segments import build_segment_rnn as build_segment_rnn
from .models.sentiment import build_sentiment_model as build_sentiment_model
from .models.speech import build_speech_model as build_speech_model
from .models.stock import build_stock_prediction_model as build_stock_prediction_model
from .models.tagging import build_tagging_model as build_tagging_model
from .models.text_generation import (
    build_text_generation_model as build_text_generation_model,
)
from .series.table import read_series as read_series
from .series.window_batches import make_window_dataset as make_window_dataset
from .serving.exported import load_exported as load_exported
from .serving.saved_model import export as export
from .text.batches import make_text_dataset as make_text_dataset
from .text.corpus import read_text as read_text
from .text.streams import make_stream_dataset as make_stream_dataset
from .text.tokenizer import Tokenizer as Tokenizer
from .text.tokenizer import pad_sequences as pad_sequences
from .text.tokenizer import preprocess_text as preprocess_text
from .training.devices import get_strategy as get_strategy
from .training.devices import set_seed as set_seed
from .training.gradient_norms import (
    detect_gradient_explosion as detect_gradient_explosion,
)
from .training.gradient_norms import monitor_gradients as monitor_gradients
from .training.gradients import GradientMonitor as GradientMonitor
from .training.model_file import load_model as load_model
from .training.model_file import portable as portable
from .training.monitor import TrainingMonitor as TrainingMonitor
from .training.schedules import lr_schedule as lr_schedule
from .training.search import hyperparameter_search as hyperparameter_search
from .training.trainer import fit as fit

__version__: str
