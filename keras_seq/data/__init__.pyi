from .answers import write_rows as write_rows
from .groups import split_groups as split_groups
from .imdb import load_imdb as load_imdb
from .sources import read_table as read_table
from .sources import split_samples as split_samples
