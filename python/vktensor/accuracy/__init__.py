"""How exact the functions are: errors in ULP, measured, and the page `docs/accuracy.md` of them.

`python -m vktensor accuracy` (`command`) measures a device against references that are more exact
than the result (`reference`), on inputs chosen to find the worst (`inputs`); on a GPU every float32
number is tried (`sweep`). The results of a device are one JSON file, the page shows all of them.
"""
