"""Figures as plain dicts for plotly.js. Pure functions: no gradio, no files, no colours of the page."""
