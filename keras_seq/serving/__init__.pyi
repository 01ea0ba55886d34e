from .exported import load_exported as load_exported
from .saved_model import export as export
