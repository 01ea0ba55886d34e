from .data import evaluate_export as evaluate_export
from .data import finish as finish
from .data import prepare_texts as prepare_texts
from .ensemble import separate_paths as separate_paths
from .ensemble import weigh_evidence as weigh_evidence
from .scores import score_classifier as score_classifier
from .server import TextClassifier as TextClassifier
from .server import answer_texts as answer_texts
