"""Pictures: files in any colour mode to pixels, captions, features, a sample."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
