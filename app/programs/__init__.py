"""The app for programs: five named endpoints, for `gradio_client` and as tools of the Model Context Protocol."""
