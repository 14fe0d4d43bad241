"""PGP's person parsing network as a method of its own (PGP, section 3.2)."""

from tfreid.methods.parsing.losses import pixel_cross_entropy
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.methods.parsing.recipe import METHOD, ParsingRecipe, stage

__all__ = ["METHOD", "ParsingNetwork", "ParsingRecipe", "pixel_cross_entropy", "stage"]
