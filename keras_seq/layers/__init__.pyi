from .loop import native_step as native_step
from .ngrams import ngram_buckets as ngram_buckets
from .ngrams import ngram_log_ratios as ngram_log_ratios
from .recurrent import GRU as GRU
from .recurrent import LSTM as LSTM
from .recurrent import SimpleRNN as SimpleRNN
