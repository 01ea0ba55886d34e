from .classifier import export_classifier as export_classifier
from .exported import describe_exported as describe_exported
from .exported import load_exported as load_exported
from .graph import without_cudnn as without_cudnn
from .saved_model import export as export
