"""Functions of a dataset over the nodes of a tree."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import xarray as xr

from xdpl.errors import InputError, InputErrors, Problems

__all__ = ["method_over_nodes", "over_nodes", "refuse_tree"]

F = TypeVar("F", bound=Callable[..., Any])


def over_nodes(names: Callable[..., Iterable[str]]) -> Callable[[F], F]:
    """Let a function of a dataset take a `DataTree` too.

    It is called for each node that has something of what it needs, with what the node
    inherits; nodes without are left out. Other trees among the arguments (parameters,
    initial states) give their node of the same path. Problems of all nodes are raised
    together.

    Parameters
    ----------
    names : callable
        Takes what the function takes, with the dataset of a node; gives what the node
        has of what is needed.
    """

    def decorate(function: F) -> F:
        @functools.wraps(function)
        def wrapped(ds: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(ds, xr.DataTree):
                return function(ds, *args, **kwargs)
            return _map(function, names, ds, *args, **kwargs)

        return wrapped  # type: ignore[return-value]

    return decorate


def method_over_nodes(names: Callable[..., Iterable[str]]) -> Callable[[F], F]:
    """The same for a method of which the dataset is the first argument; so takes `names` its object."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def wrapped(self: Any, ds: Any, *args: Any, **kwargs: Any) -> Any:
            if not isinstance(ds, xr.DataTree):
                return method(self, ds, *args, **kwargs)
            bound, having = (functools.partial(f, self) for f in (method, names))
            return _map(bound, having, ds, *args, **kwargs)

        return wrapped  # type: ignore[return-value]

    return decorate


def refuse_tree(call: str, ds: Any) -> None:
    """Raise if a tree is given where a dataset is needed.

    Raises
    ------
    InputErrors
    """
    if isinstance(ds, xr.DataTree):
        problems = Problems(call)
        problems.add(
            "ds",
            expected="a Dataset",
            got=f"a DataTree of {len(list(ds.subtree))} nodes",
            fix="call it for each node: {node.path: node.to_dataset() for node in tree.leaves}",
        )
        problems.raise_all()


def _map(
    function: Callable[..., Any],
    names: Callable[..., Iterable[str]],
    tree: xr.DataTree,
    *args: Any,
    **kwargs: Any,
) -> Any:
    results: dict[str, Any] = {}
    problems = Problems(f"{_name(function)}(tree)")
    for node in tree.subtree:
        ds = node.to_dataset()
        if not ds.data_vars or not list(names(ds, *args, **kwargs)):
            continue
        path = node.relative_to(tree)
        try:
            here = [_at(a, path) for a in args]
            results[path] = function(ds, *here, **{k: _at(v, path) for k, v in kwargs.items()})
        except InputErrors as errors:
            problems.found += [_in_node(path, e) for e in errors.exceptions if isinstance(e, InputError)]
    if not results and not problems.found:
        problems.add(
            "tree",
            expected="a node with some of the variables that are needed",
            got=f"{len(list(tree.subtree))} nodes without",
            fix="call it with the dataset of one node to see what it needs: tree[path].to_dataset()",
        )
    problems.raise_if_any()
    return _grown(results)


def _name(function: Callable[..., Any]) -> str:
    if isinstance(function, functools.partial):
        # A method that may be inherited, bound to its object.
        return f"{type(function.args[0]).__name__}.{function.func.__name__}"
    return function.__qualname__


def _at(value: Any, path: str) -> Any:
    if isinstance(value, xr.DataTree):
        if path != "." and path not in [node.relative_to(value) for node in value.subtree]:
            problems = Problems("tree")
            problems.add(
                "tree of parameters or states",
                expected=f"a node {path!r}, as the tree of forcings has",
                got=", ".join(node.path for node in value.leaves),
                fix="give a Dataset for all nodes, or a tree with the same paths",
            )
            problems.raise_all()
        return value[path].to_dataset() if path != "." else value.to_dataset()
    return value


def _in_node(path: str, error: InputError) -> InputError:
    return InputError(f"{path}: {error.subject}", expected=error.expected, got=error.got, fix=error.fix)


def _grown(results: dict[str, Any]) -> Any:
    """A tree of the results; of pairs, a pair of trees."""
    first = next(iter(results.values()))
    if isinstance(first, tuple):
        return tuple(_grown({k: v[i] for k, v in results.items()}) for i in range(len(first)))
    datasets = {k: v.to_dataset() if isinstance(v, xr.DataArray) else v for k, v in results.items()}
    return xr.DataTree.from_dict({"/" if k == "." else k: v for k, v in datasets.items()})
