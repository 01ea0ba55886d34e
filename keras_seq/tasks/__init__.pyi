from . import sentiment as sentiment
from . import speech as speech
from . import stock as stock
from . import tagging as tagging
from . import text_generation as text_generation
from . import translation as translation
from .result import Run as Run
from .run import finish_run as finish_run
