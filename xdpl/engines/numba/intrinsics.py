"""Numba functions made of vector instructions: a graph over rows of lanes, and moves of rows.

Everything a kernel works on lies in one scratch buffer, in rows of `lanes` adjacent numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from xdpl.engines.numba.emit import emit
from xdpl.engines.numba.vector import Vector
from xdpl.engines.tracing.graph import Graph

__all__ = ["Output", "graph_function", "row_moves"]

_INT64 = ir.IntType(64)


@dataclass(frozen=True)
class Output:
    """Consecutive rows of the scratch buffer that take outputs of a graph.

    Parameters
    ----------
    count : int
    add : bool
        Add to what the rows hold, instead of replacing it.
    """

    count: int
    add: bool = False


def graph_function(
    graph: Graph, inputs: Sequence[int], outputs: Sequence[Output], dtype: str, lanes: int
) -> Any:
    """Numba function ``f(scratch, sources, targets)`` that evaluates a graph for one row of sites.

    Parameters
    ----------
    graph : Graph
    inputs : sequence of int
        Rows in each group of consecutive rows that hold the inputs of the graph.
    outputs : sequence of Output
        Groups that take its outputs.
    dtype : {"float32", "float64"}
    lanes : int

    Returns
    -------
    function
        `sources` and `targets` are tuples with the place of the first number of
        each group. All inputs are read before an output is written: groups may
        overlap.
    """

    def body(builder: Any, scratch: Any, sources: Sequence[Any], targets: Sequence[Any]) -> None:
        v = Vector(builder, dtype, lanes)
        rows = [
            (_group(v, scratch, source), k)
            for count, source in zip(inputs, sources, strict=True)
            for k in range(count)
        ]
        used = {a for n in graph.nodes for a in n.args if isinstance(a, int)}
        used |= {a for _, a in graph.outputs if isinstance(a, int)}
        values = iter(emit(v, graph, [_load(v, *row) if i in used else None for i, row in enumerate(rows)]))
        for output, target in zip(outputs, targets, strict=True):
            group = _group(v, scratch, target)
            for k in range(output.count):
                value = next(values)
                value = v.add(_load(v, group, k), value) if output.add else value
                builder.store(value, _row(v, group, k), align=_itemsize(v))

    @intrinsic
    def function(typing: Any, scratch: Any, sources: Any, targets: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            places = [
                [builder.extract_value(places, i) for i in range(len(groups))]
                for places, groups in ((args[1], inputs), (args[2], outputs))
            ]
            body(builder, args[0], *places)
            return context.get_dummy_value()

        return types.void(scratch, sources, targets), generate

    return function


def row_moves(dtype: str, lanes: int) -> tuple[Any, Any]:
    """Numba functions that move a row between memory and the scratch buffer.

    Returns
    -------
    load, store : function
        ``load(scratch, offset, address, count)`` reads `count` adjacent numbers at
        an address in bytes, and zeros in further lanes, whose results nobody reads.
        ``store`` writes `count` of them.
    """

    def move(builder: Any, args: Sequence[Any], out: bool) -> None:
        scratch, offset, address, count = args
        v = Vector(builder, dtype, lanes)
        row = _row(v, _group(v, scratch, offset), 0)
        memory = builder.inttoptr(address, v.floats.as_pointer())
        mask = _first(builder, count, lanes)
        name = f"llvm.masked.{'store' if out else 'load'}.v{lanes}f{8 * _itemsize(v)}.p0"
        if out:
            kinds, result = [v.floats, memory.type, ir.IntType(32), mask.type], ir.VoidType()
            values = [builder.load(row, align=_itemsize(v)), memory]
        else:
            kinds, result = [memory.type, ir.IntType(32), mask.type, v.floats], v.floats
            values = [memory]
        function = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(result, kinds))
        values += [ir.Constant(ir.IntType(32), _itemsize(v)), mask]
        if out:
            builder.call(function, values)
        else:
            read = builder.call(function, [*values, v.constant(0.0)])
            builder.store(read, row, align=_itemsize(v))

    def made(out: bool) -> Any:
        @intrinsic
        def function(typing: Any, scratch: Any, offset: Any, address: Any, count: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
                move(builder, args, out)
                return context.get_dummy_value()

            return types.void(scratch, types.int64, types.int64, types.int64), generate

        return function

    return made(out=False), made(out=True)


def _group(v: Vector, scratch: Any, place: Any) -> Any:
    return v.builder.gep(scratch, [place])


def _row(v: Vector, start: Any, k: int) -> Any:
    place = v.builder.gep(start, [ir.Constant(_INT64, k * v.lanes)])
    return v.builder.bitcast(place, v.floats.as_pointer())


def _load(v: Vector, start: Any, k: int) -> Any:
    return v.builder.load(_row(v, start, k), align=_itemsize(v))


def _first(builder: Any, count: Any, lanes: int) -> Any:
    """Mask of the first `count` lanes."""
    small = ir.IntType(32)
    index = ir.Constant(ir.VectorType(small, lanes), list(range(lanes)))
    return builder.icmp_signed("<", index, _everywhere(builder, builder.trunc(count, small), lanes))


def _everywhere(builder: Any, scalar: Any, lanes: int) -> Any:
    """A scalar in all lanes."""
    vector = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    one = builder.insert_element(vector, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))


def _itemsize(v: Vector) -> int:
    return 4 if v.dtype == "float32" else 8
