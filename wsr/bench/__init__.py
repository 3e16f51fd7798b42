"""Measurements of speed: `wsr bench fit`, `growth` and `surfaces`. Timings live here, not in tests."""
