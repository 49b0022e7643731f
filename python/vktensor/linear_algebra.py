"""Products of vectors, matrices and tensors: views and reshapes around one kernel family."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from operator import index

from numpy.exceptions import AxisError

from vktensor import _core
from vktensor._checks import check_tensors
from vktensor._core import Tensor
from vktensor._dtypes import float32

__all__ = ["einsum", "matmul", "tensordot", "vecdot"]


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Matrix product; leading axes broadcast.

    Each element is within (K + c) eps ``|x1| |x2|`` of the exact one. float16 and bfloat16 are
    added up in float32 and rounded once.

    Parameters
    ----------
    x1, x2 : Tensor
        Of shapes (..., M, K) and (..., K, N) and any dtypes, of which one may be bool; an operand
        of one dimension is a row or a column.

    Returns
    -------
    Tensor
        Of shape (..., M, N), without the axis of a row or a column, and the promoted dtype.

    Raises
    ------
    TypeError
        bool by bool, or an operand that is no Tensor.
    ValueError
        Shapes that do not fit, or no dimensions.

    Examples
    --------
    >>> vt.matmul(vt.asarray([[1, 2], [3, 4]]), vt.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    return _core.matmul(x1, x2)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Sum of products along an axis; complex elements of `x1` are conjugated.

    float16 and bfloat16 are added up in float32 and rounded once.

    Parameters
    ----------
    x1, x2 : Tensor
        Of any dtypes, of which one may be bool; axes but `axis` broadcast.
    axis : int, optional
        Along which axis; a negative number counts from the end of both.

    Returns
    -------
    Tensor
        Of the broadcast shape without the axis, and the promoted dtype.

    Raises
    ------
    TypeError
        An operand that is no Tensor.
    ValueError
        The lengths along the axis differ, or it is out of bounds.

    Examples
    --------
    >>> vt.vecdot(vt.asarray([1, 2, 3]), vt.asarray([4, 5, 6]))
    Tensor(32, dtype=int64)
    """
    check_tensors("vecdot", x1, x2)
    if not -min(x1.ndim, x2.ndim) <= axis < 0:
        if axis >= 0 and x1.ndim == x2.ndim and axis < x1.ndim:
            axis -= x1.ndim
        else:
            raise AxisError(
                f"vecdot: axis {axis} is out of bounds for shapes {x1.shape} and {x2.shape}"
            )
    if x1.shape[axis] != x2.shape[axis]:
        raise ValueError(
            f"vecdot: expected equal lengths along axis {axis}, got {x1.shape} and {x2.shape}"
        )
    dtype = _core.result_type(x1, x2)
    if dtype.kind == "c":
        x1 = _core.conj(x1)
    elif dtype.itemsize == 2 and dtype.kind not in "iu":
        # Products of halves are exact in float32, in which they are summed; so one rounding is all.
        x1, x2 = _core.astype(x1, float32, False), _core.astype(x2, float32, False)
    return _core.reduce("sum", x1 * x2, axis, False, dtype)


def tensordot(
    x1: Tensor,
    x2: Tensor,
    /,
    *,
    axes: int | tuple[int | Sequence[int], int | Sequence[int]] = 2,
) -> Tensor:
    """Sum of products over pairs of axes.

    Parameters
    ----------
    x1, x2 : Tensor
        Of any shapes and any dtypes, of which one may be bool.
    axes : int or tuple, optional
        How many of the last axes of `x1` meet the first of `x2`, or two sequences that name the
        axes of each pair.

    Returns
    -------
    Tensor
        Of the axes of `x1` and then of `x2` that are left, and the promoted dtype.

    Raises
    ------
    TypeError
        bool by bool, or an operand that is no Tensor.
    ValueError
        The lengths of a pair differ, or an axis is out of bounds or named twice.

    Examples
    --------
    >>> vt.tensordot(vt.ones((2, 3)), vt.ones((3, 4)), axes=1).shape
    (2, 4)
    """
    check_tensors("tensordot", x1, x2)
    if not isinstance(axes, (tuple, list)):
        axes = index(axes)
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise ValueError(
                f"tensordot: expected 0 <= axes <= {min(x1.ndim, x2.ndim)}, got {axes}"
            )
        left = list(range(x1.ndim - axes, x1.ndim))
        right = list(range(axes))
    else:
        left, right = _axes(axes[0], x1.ndim), _axes(axes[1], x2.ndim)
    pairs = [x1.shape[a] for a in left], [x2.shape[a] for a in right]
    if pairs[0] != pairs[1]:
        raise ValueError(
            f"tensordot: expected equal lengths, got {tuple(pairs[0])} and {tuple(pairs[1])}"
        )
    rows = [a for a in range(x1.ndim) if a not in left]
    cols = [a for a in range(x2.ndim) if a not in right]
    depth = prod(pairs[0])
    row_shape = [x1.shape[a] for a in rows]
    col_shape = [x2.shape[a] for a in cols]
    a = _core.reshape(_core.permute_dims(x1, rows + left), (prod(row_shape), depth), None)
    b = _core.reshape(_core.permute_dims(x2, right + cols), (depth, prod(col_shape)), None)
    return _core.reshape(_core.matmul(a, b), row_shape + col_shape, None)


def _axes(axes: int | Sequence[int], ndim: int) -> list[int]:
    found = []
    for axis in axes if isinstance(axes, Sequence) else (axes,):
        if not -ndim <= axis < ndim:
            raise AxisError(f"tensordot: axis {axis} is out of bounds for {ndim} dimensions")
        found.append(axis % ndim)
    if len(set(found)) != len(found):
        raise ValueError(f"tensordot: repeated axis in {found}")
    return found


# ---- einsum -----------------------------------------------------------------------------------


def einsum(subscripts: str, /, *operands: Tensor) -> Tensor:
    """Sums of products by the notation of NumPy's einsum.

    Operands are joined from left to right: each pair as one matrix product, or as a fused product
    where no label is summed over or none is left.

    Parameters
    ----------
    subscripts : str
        The label of each axis: "ij,jk->ik" is a matrix product, "ii->i" a diagonal; "..." stands
        for axes that broadcast. Without "->" the result has the labels that come once, in order.
    *operands : Tensor
        As many as labels are given for, of any dtype but all bool.

    Returns
    -------
    Tensor
        With the axes behind the arrow, and the promoted dtype.

    Raises
    ------
    ValueError
        Labels that do not fit the number of operands or their shapes.

    Examples
    --------
    >>> vt.einsum("ij,j->i", vt.asarray([[1, 2], [3, 4]]), vt.asarray([1, 1]))
    Tensor([3, 7], dtype=int64)
    """
    if not isinstance(subscripts, str):
        raise TypeError(f"einsum: expected subscripts as str, got {type(subscripts).__name__}")
    check_tensors("einsum", *operands)
    inputs, output = _parse(subscripts, [x.ndim for x in operands])
    parts = [_diagonal(x, labels) for x, labels in zip(operands, inputs, strict=True)]
    _check_lengths(parts)
    while len(parts) > 1:
        first, second, *rest = parts
        needed = set(output).union(*(labels for _, labels in rest))
        parts = [_join(first, second, needed), *rest]
    x, labels = parts[0]
    x, labels = _sum_out(x, labels, set(output))
    return _core.permute_dims(x, [labels.index(label) for label in output])


#: A tensor and the label of each of its axes.
_Labelled = tuple[Tensor, list[str]]


def _parse(subscripts: str, ndims: list[int]) -> tuple[list[list[str]], list[str]]:
    """The labels of each operand's axes and of the result's; "..." becomes numbers, from the
    right."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(ndims):
        raise ValueError(f"einsum: expected {len(terms)} operands, got {len(ndims)}")
    inputs = [_labels(term, ndim) for term, ndim in zip(terms, ndims, strict=True)]
    dots = max((sum(label.isdigit() for label in labels) for labels in inputs), default=0)
    if not arrow:
        counts = [label for labels in inputs for label in labels if not label.isdigit()]
        right = "..." + "".join(sorted(x for x in set(counts) if counts.count(x) == 1))
    n_letters = len(right.replace("...", ""))
    output = _labels(right, n_letters + (dots if "..." in right else 0))
    known = {label for labels in inputs for label in labels}
    for label in output:
        if label not in known or output.count(label) > 1:
            raise ValueError(f"einsum: label {label!r} of the result is unknown or repeated")
    return inputs, output


def _labels(term: str, ndim: int) -> list[str]:
    before, dots, after = term.partition("...")
    letters = before + after
    if not all(letter.isalpha() for letter in letters):
        raise ValueError(f"einsum: expected letters and one '...', got {term!r}")
    n_dots = ndim - len(letters)
    if n_dots < 0 or (n_dots and not dots):
        raise ValueError(f"einsum: {term!r} does not name {ndim} axes")
    return [*before, *(str(n) for n in reversed(range(n_dots))), *after]


def _diagonal(x: Tensor, labels: list[str]) -> _Labelled:
    """`x` with each label once: axes of one label become their diagonal."""
    for label in labels:
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            n = x.shape[first]
            if x.shape[second] != n:
                raise ValueError(f"einsum: label {label!r} has lengths {n} and {x.shape[second]}")
            rest = [a for a in range(x.ndim) if a not in (first, second)]
            x = _core.permute_dims(x, [first, second, *rest])
            x = _core.reshape(x, (n * n, *x.shape[2:]), None)[:: n + 1]
            labels = [label, *(labels[a] for a in rest)]
    return x, labels


def _check_lengths(parts: list[_Labelled]) -> None:
    lengths: dict[str, int] = {}
    for x, labels in parts:
        for label, length in zip(labels, x.shape, strict=True):
            known = lengths.setdefault(label, length)
            if 1 not in (known, length) and known != length:
                raise ValueError(f"einsum: label {label!r} has lengths {known} and {length}")
            lengths[label] = length if known == 1 else known


def _sum_out(x: Tensor, labels: list[str], needed: set[str]) -> _Labelled:
    axes = [a for a, label in enumerate(labels) if label not in needed]
    if axes:
        # In the dtype itself, as NumPy's einsum.
        x = _core.reduce("sum", x, axes, False, x.dtype)
    return x, [label for label in labels if label in needed]


def _join(first: _Labelled, second: _Labelled, needed: set[str]) -> _Labelled:
    """The product of both, summed over the labels nobody needs any more."""
    (a, left), (b, right) = first, second
    a, left = _sum_out(a, left, needed | set(right))
    b, right = _sum_out(b, right, needed | set(left))
    lengths = dict(zip(left, a.shape, strict=True))
    common = [x for x in left if x in right]
    summed = [x for x in common if x not in needed]
    rows = [x for x in left if x not in right]
    cols = [x for x in right if x not in left]
    apart = any(lengths[x] != b.shape[right.index(x)] for x in common)
    if apart or not summed or not (rows or cols):
        labels = [*left, *cols]
        a = _core.reshape(a, [*a.shape, *(1 for _ in cols)], None)
        order = [x for x in labels if x in right]
        b = _core.permute_dims(b, [right.index(x) for x in order])
        sizes = dict(zip(order, b.shape, strict=True))
        b = _core.reshape(b, [sizes.get(x, 1) for x in labels], None)
        return _sum_out(a * b, labels, needed)
    batch = [x for x in common if x in needed]
    a = _core.permute_dims(a, [left.index(x) for x in batch + rows + summed])
    b = _core.permute_dims(b, [right.index(x) for x in batch + summed + cols])
    n, m, k = len(batch), len(rows), len(summed)
    shape = [*a.shape[: n + m], *b.shape[n + k :]]
    sizes3 = prod(a.shape[:n]), prod(a.shape[n : n + m]), prod(a.shape[n + m :])
    a = _core.reshape(a, sizes3, None)
    b = _core.reshape(b, (sizes3[0], sizes3[2], prod(b.shape[n + k :])), None)
    return _core.reshape(_core.matmul(a, b), shape, None), [*batch, *rows, *cols]
