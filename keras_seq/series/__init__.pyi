from .simulator import simulate_prices as simulate_prices
from .stretches import cut_windows as cut_windows
from .table import read_series as read_series
from .tickers import fetch_tickers as fetch_tickers
from .window_batches import make_window_dataset as make_window_dataset
