from .attended import attention_weights as attention_weights
from .beam_search import beam_search as beam_search
from .ctc import prefix_beam_search as prefix_beam_search
from .loop import generate as generate
from .samplers import sample_next as sample_next
from .spans import tag_spans as tag_spans
from .viterbi import viterbi_decode as viterbi_decode
from .viterbi import viterbi_n_best as viterbi_n_best
