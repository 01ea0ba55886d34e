from .captioned import IMAGE_COLUMNS as IMAGE_COLUMNS
from .captioned import CaptionedPicture as CaptionedPicture
from .captioned import read_captions as read_captions
from .encoders import load_encoder as load_encoder
from .pictures import decode_pictures as decode_pictures
from .pictures import read_pixels as read_pixels
from .sample_drawings import load_sample_drawings as load_sample_drawings
