"""Human parsing as a method of its own: PGP's parsing network and SPReID's."""

from tfreid.methods.parsing.losses import pixel_cross_entropy
from tfreid.methods.parsing.model import ParsingNetwork
from tfreid.methods.parsing.parser import Parser
from tfreid.methods.parsing.recipe import METHOD, ParsingRecipe, build, stage
from tfreid.methods.parsing.semantic_parser import SemanticParser

__all__ = [
    "METHOD",
    "Parser",
    "ParsingNetwork",
    "ParsingRecipe",
    "SemanticParser",
    "build",
    "pixel_cross_entropy",
    "stage",
]
