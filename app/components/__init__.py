"""The app's own components, one a file, each with its script and its style beside it."""
