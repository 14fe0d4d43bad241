"""SPReID, human semantic parsing for person re-identification.

Source: Kalayeh et al., "Human Semantic Parsing for Person Re-identification", CVPR 2018.
"""
