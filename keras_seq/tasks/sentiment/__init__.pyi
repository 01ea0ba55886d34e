from .data import evaluate_export as evaluate_export
from .data import finish as finish
from .data import prepare_texts as prepare_texts
from .ensemble import fit_head_weights as fit_head_weights
from .ensemble import with_auxiliary_heads as with_auxiliary_heads
from .scores import score_classifier as score_classifier
from .server import TextClassifier as TextClassifier
from .server import answer_texts as answer_texts
