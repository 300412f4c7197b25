"""Finds when each parameter of a space is active, without walking any path twice.

A *step* is a choice's index parameter and one value of it. A *route* is a set of steps that
must all be taken; a parameter is active where one of its routes is taken. In terms of logic:
a step is a literal, a route a conjunction, and the routes to a node are its condition in
disjunctive normal form.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias, TypeGuard

from sparktuner.errors import BadSearchSpace
from sparktuner.space._distributions import Categorical, RandInt
from sparktuner.space._draws import Draw
from sparktuner.space._nodes import Call, Node, Record, Sequence, name_of
from sparktuner.space._parameters import Parameter, Switch

Step: TypeAlias = tuple[Parameter, int]
Route: TypeAlias = frozenset[Step]
Routes: TypeAlias = frozenset[Route]

_ALWAYS: Routes = frozenset([frozenset()])


@dataclass
class Graph:
    """A graph of the nodes below a root, in the order in which they are met first.

    Attributes:
        paths: each node's first place, for messages: ``"['svm']['C']"``.
        above: for each node (parent, step taken from it to get here), once for each of the
            node's places.
        below: for each node (child, step taken to it), the same edges the other way.
    """

    paths: dict[Node, str] = field(default_factory=dict)
    above: dict[Node, list[tuple[Node, Step | None]]] = field(default_factory=dict)
    below: dict[Node, list[tuple[Node, Step | None]]] = field(default_factory=dict)

    def parents_first(self) -> Iterator[Node]:
        """Yields all nodes, each after everything that it is part of."""
        # Kahn's algorithm: a node is ready once all edges that lead to it have been used.
        missing = {node: len(places) for node, places in self.above.items()}
        ready = [node for node, count in missing.items() if count == 0]
        while ready:
            node = ready.pop()
            yield node
            for child, _ in self.below[node]:
                missing[child] -= 1
                if missing[child] == 0:
                    ready.append(child)


def graph_of(root: Node) -> Graph:
    """Returns the graph of a space; walks every edge below ``root`` once."""
    graph = Graph()
    graph.above[root] = []
    stack = [(root, "")]
    while stack:
        node, path = stack.pop()
        if node in graph.paths:
            continue
        graph.paths[node] = path
        edges = list(_edges(node, path))
        graph.below[node] = [(child, step) for child, step, _ in edges]
        for child, step, _ in edges:
            graph.above.setdefault(child, []).append((node, step))
        # Reversed, so that the child that is written first is met first.
        stack.extend((child, place) for child, _, place in reversed(edges))
    return graph


def _edges(node: Node, path: str) -> Iterator[tuple[Node, Step | None, str]]:
    match node:
        case Switch():
            yield from _switch_edges(node, path)
        case Record():
            for key, item in node.items:
                yield item, None, f"{path}[{key!r}]"
        case Sequence():
            for i, item in enumerate(node.items):
                yield item, None, f"{path}[{i}]"
        case Call():
            arguments = (*node.args, *(arg for _, arg in node.kwargs))
            yield from _argument_edges(name_of(node.function), arguments, path)
        case Draw():
            yield from _argument_edges(node.name, node.args, path)


def _argument_edges(
    name: str, arguments: tuple[Node, ...], path: str
) -> Iterator[tuple[Node, Step | None, str]]:
    for i, arg in enumerate(arguments):
        yield arg, None, path if len(arguments) == 1 else f"{path}<{name} {i}>"


def _switch_edges(node: Switch, path: str) -> Iterator[tuple[Node, Step | None, str]]:
    index = node.index
    yield index, None, path
    for i, option in enumerate(node.options):
        if decides(index):
            yield option, (index, i), f"{path}<{index.label}={i}>"
        else:
            # An index that is computed could point anywhere: all options count as active.
            yield option, None, f"{path}<{i}>"


def decides(index: Node) -> TypeGuard[Parameter]:
    """Returns whether an index takes whole numbers, and is not computed from others."""
    return isinstance(index, Parameter) and isinstance(index.distribution, Categorical | RandInt)


class RouteFinder:
    """Finds the routes to every parameter, in terms of the nearest choices above it.

    The index of an ordinary choice is active exactly where the choice is, so one step from it
    says all; the choices further up follow from it. Only an index that stands in several
    places needs the routes to the switch written out.
    """

    def __init__(self, graph: Graph) -> None:
        """Finds the routes to every node of a graph.

        Args:
            graph: what :func:`graph_of` returned.
        """
        self._graph = graph
        self._place = {node: i for i, node in enumerate(graph.paths)}
        self._switch_of: dict[Parameter, Switch] = {}
        self._routes: dict[Node, Routes] = {}
        self._whole: dict[Parameter, Routes] = {}
        for node, places in graph.above.items():
            if len(places) == 1 and isinstance(node, Parameter):
                parent = places[0][0]
                # An index with no other place: it is active exactly where its choice is.
                if isinstance(parent, Switch) and parent.index is node:
                    self._switch_of[node] = parent
        # The routes to a node are those to its parents, each with one step more.
        for node in graph.parents_first():
            self._routes[node] = self._routes_to(node)

    def routes(self, parameter: Parameter) -> Routes:
        """Returns the shortest routes to a parameter."""
        return self._routes[parameter]

    def whole_routes(self, parameter: Parameter) -> Routes:
        """Returns the routes to a parameter with every choice on the way up to the root."""
        if parameter not in self._whole:
            whole: set[Route] = set()
            for route in self._routes[parameter]:
                # Each step's own routes, multiplied out: (a or b) and (c or d).
                extended: set[Route] = {route}
                for parent, _ in route:
                    extended = {
                        a | b
                        for a in extended
                        for b in self.whole_routes(parent)
                        if not contradict(a, b)
                    }
                whole |= extended
            self._whole[parameter] = _shortest(whole)
        return self._whole[parameter]

    def _routes_to(self, node: Node) -> Routes:
        places = self._graph.above[node]
        # Only the root has no place: it is always there.
        if not places:
            return _ALWAYS
        routes: set[Route] = set()
        for parent, step in places:
            routes |= self._continue(parent, step)
        return self._merge(_shortest(routes))

    def _continue(self, parent: Node, step: Step | None) -> Routes:
        if step is None:
            return self._routes[parent]
        # An ordinary choice is implied by the step from it, so what leads to it is left out:
        # the routes of a deep space stay as short as those of a flat one.
        new = frozenset([step])
        if self._switch_of.get(step[0]) is parent:
            return frozenset([new])
        return frozenset(a | new for a in self._routes[parent] if not contradict(a, new))

    def _merge(self, routes: Routes) -> Routes:
        """Returns the routes with a choice in the place of all of its options.

        Where every option of a choice leads to a place, the choice itself does.
        """
        while covered := self._covered(routes):
            steps = {frozenset([(covered.index, i)]) for i in range(len(covered.options))}
            routes = _shortest((routes - steps) | self._routes[covered])
        return routes

    def _covered(self, routes: Routes) -> Switch | None:
        """Returns the first choice that has a route of one step for each of its options."""
        steps = Counter(next(iter(route))[0] for route in routes if len(route) == 1)
        # In a fixed order, so that the answer is the same in every process.
        for index in sorted(steps, key=self._place.__getitem__):
            switch = self._switch_of.get(index)
            if switch is not None and steps[index] == len(switch.options):
                return switch
        return None


def contradict(a: Route, b: Route) -> bool:
    """Returns whether no configuration takes both routes."""
    taken = dict(a)
    return any(taken.get(parent, value) != value for parent, value in b)


def _shortest(routes: set[Route] | Routes) -> Routes:
    # Absorption: a route that contains another adds nothing, as {m=0, k=1} beside {m=0}.
    # Routes of one length cannot contain each other.
    if len({len(route) for route in routes}) < 2:
        return frozenset(routes)
    shortest: list[Route] = []
    for route in sorted(routes, key=len):
        if not any(len(short) < len(route) and short < route for short in shortest):
            shortest.append(route)
    return frozenset(shortest)


def in_order(parameters: list[Parameter], finder: RouteFinder) -> list[Parameter]:
    """Returns parameters with those that decide before those that are decided on.

    Args:
        parameters: in the order in which they are met, which is kept where nothing decides.
        finder: knows the routes to each of them.

    Raises:
        BadSearchSpace: two choices each decide whether the other is active.
    """
    place = {parameter: i for i, parameter in enumerate(parameters)}
    deciding = {p: {parent for route in finder.routes(p) for parent, _ in route} for p in place}
    # Who waits for a parameter, as ``deciding`` holds whom a parameter waits for.
    decided: dict[Parameter, list[Parameter]] = {}
    for parameter, parents in deciding.items():
        for parent in parents:
            decided.setdefault(parent, []).append(parameter)
    # Kahn's algorithm again, with a heap: of those that are ready, the one that was met first.
    ready = [place[p] for p, parents in deciding.items() if not parents]
    order: list[Parameter] = []
    while ready:
        parameter = parameters[heapq.heappop(ready)]
        order.append(parameter)
        for child in decided.get(parameter, ()):
            deciding[child].discard(parameter)
            if not deciding[child]:
                heapq.heappush(ready, place[child])
    if len(order) < len(parameters):
        stuck = sorted({p.label for p in parameters} - {p.label for p in order})
        raise BadSearchSpace(
            f"choices must not each decide whether the other is active, but {stuck} do; use a "
            "choice of its own in one of the places"
        )
    return order
