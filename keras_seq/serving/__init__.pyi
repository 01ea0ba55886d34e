from .saved_model import export as export
from .saved_model import load_exported as load_exported
