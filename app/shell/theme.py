"""The look of the page: a gradio theme and our style sheet."""

from pathlib import Path

import gradio as gr

CSS = Path(__file__).with_name("theme.css")


def theme() -> gr.themes.Base:
    """A theme of greys and one accent colour, with fonts served by the app itself, none from a CDN."""
    local = gr.themes.utils.fonts.LocalFont
    base = gr.themes.Default(
        primary_hue=gr.themes.colors.indigo,
        secondary_hue=gr.themes.colors.indigo,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        font=(local("Source Sans Pro", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=("ui-monospace", "Consolas", "monospace"),
    )
    return base.set(
        color_accent="*primary_600",
        # slate 400, gradio's own choice, is too faint for text on white
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        # an empty circle is seen on what it stands on
        checkbox_border_color="*neutral_500",
        checkbox_border_color_dark="*neutral_400",
        block_shadow="none",
        block_label_text_size="*text_sm",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        body_background_fill="#fbfbfd",
        body_background_fill_dark="#0f1117",
        background_fill_primary_dark="#161922",
        block_background_fill_dark="#161922",
    )
