"""The app's own Gradio components. Each file has one component, with its script and its style sheet beside it."""
