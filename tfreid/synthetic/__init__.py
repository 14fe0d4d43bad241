"""The generator of the embedded data set: drawn persons in the layouts of real data sets."""
