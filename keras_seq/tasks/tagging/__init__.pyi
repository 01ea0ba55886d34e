from .data import evaluate_export as evaluate_export
from .data import finish as finish
from .data import prepare_tagged as prepare_tagged
from .scores import describe as describe
from .server import Tagger as Tagger
from .server import answer_texts as answer_texts
from .server import answer_words as answer_words
from .server import best_paths as best_paths
