"""Forecasts of prices and other series."""
