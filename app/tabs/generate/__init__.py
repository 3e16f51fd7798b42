"""The Generate tab: networks that nobody fitted appear from noise."""
