"""Decodes fields to images and surfaces, and draws surfaces."""

from wsr.render.decode import decode, evaluate_in_chunks, render_images, render_surfaces

__all__ = ["decode", "evaluate_in_chunks", "render_images", "render_surfaces"]
