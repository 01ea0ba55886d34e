from .graph import without_cudnn as without_cudnn
from .saved_model import export as export
from .saved_model import load_exported as load_exported
