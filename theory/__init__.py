"""The exact theory of the robustness-accuracy trade-off."""
