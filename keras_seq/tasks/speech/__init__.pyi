from .data import SpeechData as SpeechData
from .data import finish as finish
from .data import prepare_speech as prepare_speech
from .exported import evaluate_speech_export as evaluate_speech_export
from .exported import transcribe as transcribe
from .server import SpeechRecognizer as SpeechRecognizer
from .stream import SpeechStream as SpeechStream
