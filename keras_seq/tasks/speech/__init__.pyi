from .data import SpeechData as SpeechData
from .data import prepare_speech as prepare_speech
from .ending import score_run as score_run
from .exported import evaluate_speech_export as evaluate_speech_export
from .exported import transcribe as transcribe
from .server import SpeechRecognizer as SpeechRecognizer
from .stream import SpeechStream as SpeechStream
