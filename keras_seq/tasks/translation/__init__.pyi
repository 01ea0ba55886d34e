from .data import evaluate_export as evaluate_export
from .data import finish as finish
from .data import prepare_pairs as prepare_pairs
from .server import Translator as Translator
from .server import answer_export as answer_export
from .server import answer_texts as answer_texts
from .training import build_network as build_network
from .training import train_translator as train_translator
