from .download import load_imdb as load_imdb
from .sources import read_table as read_table
from .sources import split_samples as split_samples
