"""The app's colours and names of the six. Fixed for every chart: who has learnt one reads them all."""

# Okabe and Ito's set, which survives the common kinds of colour blindness; an asym variant is drawn solid, its plain
# twin dashed, so that the pairs can be told apart without colour as well.
REPRESENTATION_COLOURS = {
    "mlp": "#56B4E9",
    "mlp-asym": "#0072B2",
    "lora": "#E69F00",
    "lora-asym": "#D55E00",
    "mlora": "#CC79A7",
    "mlora-asym": "#009E73",
}

NAMES = {
    "mlp": "MLP",
    "mlp-asym": "MLP-Asym",
    "lora": "LoRA",
    "lora-asym": "LoRA-Asym",
    "mlora": "mLoRA",
    "mlora-asym": "mLoRA-Asym",
}

# Ten classes at most, of middle lightness: legible on white and on near-black.
CLASS_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#B3A100",
    "#7A5FC0",
    "#8C6D5A",
    "#8A8F98",
)
OTHER_COLOUR = "#8A8F98"

# Blue, neutral, vermillion: the middle is where fitting starts.
DIVERGING = [[0.0, "#004C7A"], [0.25, "#5FA8D3"], [0.5, "#F2F2F0"], [0.75, "#E08A4F"], [1.0, "#96380A"]]


def representation_line(name: str) -> dict[str, str]:
    """The line of a representation in a chart: its colour, solid for asym, dashed for the plain twin."""
    return {
        "color": REPRESENTATION_COLOURS.get(name, OTHER_COLOUR),
        "dash": "solid" if name.endswith("-asym") else "dash",
    }


def class_colours(classes: list[str]) -> dict[str, str]:
    """One colour for each class name, by the order of the sorted names; the eleventh and later ones share a grey."""
    names = sorted(set(classes))
    return {name: CLASS_COLOURS[i] if i < len(CLASS_COLOURS) else OTHER_COLOUR for i, name in enumerate(names)}
