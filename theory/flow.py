"""Maximum flow and every minimum cut of a small graph, over any ordered numbers.

Capacities may be Python integers, Fractions or germs (polynomials in eps just right of a point): the code only adds,
subtracts and compares them with one another and with the literal 0, so a run on germs is a proof for an interval of
eps. ``None`` is an infinite capacity. Library solvers take 32-bit integers or floats; this one is exact, and it checks
itself: nothing is returned unless the flow is feasible and value == flow == cut.

The minimum cuts of a network form a lattice. They are the sets ``source_side_min | C`` where ``C`` runs over the
closures (sets closed under residual arcs) of the nodes between the minimal and the maximal cut; ``residual_order``
lists them (Picard and Queyranne, 1980).

>>> flow = max_flow(4, [(0, 1, 3), (0, 2, 2), (1, 2, None), (1, 3, 2), (2, 3, 2)], source=0, sink=3)
>>> flow.value, flow.flows, sorted(flow.source_side_min), sorted(flow.source_side_max)
(4, (2, 2, 0, 2, 2), [0, 1, 2], [0, 1, 2])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

Capacity = Any
"""An element of an ordered field, or ``None`` for infinity; one number type in a network, the literal 0 welcome."""

Edge = tuple[int, int, Capacity]


@dataclass(frozen=True, slots=True)
class Flow:
    """A maximum flow and the two extreme minimum cuts.

    ``flows[i]`` runs along ``edges[i]``. ``source_side_min`` is what the source still reaches in the residual graph,
    the smallest source side of any minimum cut; ``source_side_max`` is what cannot reach the sink, the largest one.
    """

    value: Capacity
    flows: tuple[Capacity, ...]
    source_side_min: frozenset[int]
    source_side_max: frozenset[int]
    n: int
    edges: tuple[Edge, ...]
    source: int
    sink: int


@dataclass(frozen=True, slots=True)
class ResidualOrder:
    """The order between the minimal and the maximal cut: whoever takes a component takes its successors.

    ``components`` are the strongly connected components of the residual graph there, each after all components it leads
    to; ``successors[i]`` holds the indices (all below i) that component i leads to directly.
    """

    base: frozenset[int]
    components: tuple[frozenset[int], ...]
    successors: tuple[frozenset[int], ...]

    def closures(self, limit: int = 10_000, among: AbstractSet[int] | None = None) -> Iterator[frozenset[int]]:
        """Every set of nodes closed under residual arcs, the empty one first.

        Of those that are alike on the nodes ``among`` only the least is given. Raises ``ValueError`` before the first
        if there are more than ``limit``.
        """
        # Successors come first, so a component may join exactly when all below it have that matter: no branch ever
        # dies, and the work is proportional to the number of closures. It brings along what does not matter.
        closures, matter = [0], 0
        below: list[int] = []
        for i, successors in enumerate(self.successors):
            below.append(reduce(or_, (below[j] | 1 << j for j in successors), 0))
            if among is None or self.components[i] & among:
                need = below[i] & matter
                closures += [taken | below[i] | 1 << i for taken in closures if taken & need == need]
                matter |= 1 << i
            if len(closures) > limit:
                raise ValueError(
                    f"the network has more than {limit} minimum cuts ({len(self.components)} components between the "
                    "minimal and the maximal one); raise the limit, or use the extreme cuts"
                )
        return (
            frozenset().union(*(c for i, c in enumerate(self.components) if taken >> i & 1)) for taken in closures
        )

    def minimum_cuts(self, limit: int = 10_000, among: AbstractSet[int] | None = None) -> Iterator[frozenset[int]]:
        """The source side of every minimum cut, the minimal one first; of those alike on ``among`` the least.

        Raises as ``closures``.
        """
        return (self.base | closure for closure in self.closures(limit, among))


def max_flow(n: int, edges: Sequence[Edge], source: int, sink: int) -> Flow:
    """A maximum flow from ``source`` to ``sink`` on nodes 0..n-1 (Dinic: at most n phases of n |edges| steps).

    ``edges`` are triples (tail, head, capacity); parallel edges and loops are allowed. Raises ``ValueError`` for a node
    out of range, a negative capacity, source == sink, or a path of infinite capacity.

    >>> from fractions import Fraction
    >>> max_flow(3, [(0, 1, Fraction(1, 2)), (1, 2, Fraction(1, 3))], 0, 2).value
    Fraction(1, 3)
    """
    edges = tuple(edges)
    _check_network(n, edges, source, sink)
    # Arc 2i is edge i, arc 2i + 1 its reverse; left[a] is what arc a can still carry.
    heads: list[int] = []
    left: list[Capacity] = []
    arcs: list[list[int]] = [[] for _ in range(n)]
    for tail, head, capacity in edges:
        arcs[tail].append(len(heads))
        arcs[head].append(len(heads) + 1)
        heads += (head, tail)
        left += (capacity, 0)
    flows: list[Capacity] = [0] * len(edges)

    # Signs are asked once per change: on germs each question costs a root count.
    is_open = [capacity is None or capacity > 0 for capacity in left]

    while True:
        level = _levels(n, arcs, heads, is_open, source, sink)
        if level[sink] < 0:
            break
        pointer = [0] * n
        path: list[int] = []
        node = source
        while True:
            if node == sink:
                node = _augment(path, heads, left, is_open, flows)
                continue
            while pointer[node] < len(arcs[node]):
                arc = arcs[node][pointer[node]]
                if is_open[arc] and level[heads[arc]] == level[node] + 1:
                    path.append(arc)
                    node = heads[arc]
                    break
                pointer[node] += 1
            else:
                if not path:
                    break
                node = heads[path.pop() ^ 1]
                pointer[node] += 1

    side_min = frozenset(v for v in range(n) if level[v] >= 0)
    back = _levels(n, arcs, heads, [is_open[a ^ 1] for a in range(len(heads))], sink, None)
    side_max = frozenset(v for v in range(n) if back[v] < 0)
    value: Capacity = 0
    for (tail, head, _), f in zip(edges, flows, strict=True):
        if tail == source:
            value = value + f
        if head == source:
            value = value - f
    result = Flow(value, tuple(flows), side_min, side_max, n, edges, source, sink)
    verify_flow(result)
    return result


def verify_flow(flow: Flow) -> None:
    """Check that the flow is feasible and that value == net flow == both cuts; ``ArithmeticError`` otherwise."""
    excess: list[Capacity] = [0] * flow.n
    cut_min: Capacity = 0
    cut_max: Capacity = 0
    for (tail, head, capacity), f in zip(flow.edges, flow.flows, strict=True):
        if f < 0 or (capacity is not None and capacity < f):
            raise ArithmeticError(f"edge {tail}->{head} of capacity {capacity} carries {f}")
        excess[tail] = excess[tail] - f
        excess[head] = excess[head] + f
        crossings = [tail in side and head not in side for side in (flow.source_side_min, flow.source_side_max)]
        if capacity is None and any(crossings):
            raise ArithmeticError(f"the cut crosses the infinite edge {tail}->{head}")
        cut_min = cut_min + capacity if crossings[0] else cut_min
        cut_max = cut_max + capacity if crossings[1] else cut_max
    for node, surplus in enumerate(excess):
        if node not in (flow.source, flow.sink) and surplus != 0:
            raise ArithmeticError(f"node {node} keeps {surplus} of the flow")
    sides = flow.source_side_min, flow.source_side_max
    if any(flow.source not in side or flow.sink in side for side in sides):
        raise ArithmeticError("the cut does not separate the source from the sink")
    if not (excess[flow.sink] == flow.value and cut_min == flow.value and cut_max == flow.value):
        raise ArithmeticError(
            f"value {flow.value}, flow {excess[flow.sink]} and cuts {cut_min}, {cut_max} are not all equal"
        )


def residual_order(flow: Flow) -> ResidualOrder:
    """The strongly connected components of the residual graph between the two extreme cuts, and their order.

    Its closures, joined to ``source_side_min``, are exactly the source sides of the minimum cuts.

    >>> flow = max_flow(4, [(0, 1, 1), (1, 2, 1), (2, 3, 1)], 0, 3)
    >>> [sorted(side) for side in residual_order(flow).minimum_cuts()]
    [[0], [0, 1], [0, 1, 2]]
    """
    between = sorted(flow.source_side_max - flow.source_side_min)
    index = {node: i for i, node in enumerate(between)}
    leads: list[list[int]] = [[] for _ in between]
    for (tail, head, capacity), f in zip(flow.edges, flow.flows, strict=True):
        if tail in index and head in index and tail != head:
            if capacity is None or f < capacity:
                leads[index[tail]].append(index[head])
            if f > 0:
                leads[index[head]].append(index[tail])
    groups = _strong_components(leads)
    component = {i: c for c, group in enumerate(groups) for i in group}
    successors = tuple(frozenset(component[j] for i in group for j in leads[i]) - {c} for c, group in enumerate(groups))
    return ResidualOrder(
        flow.source_side_min, tuple(frozenset(between[i] for i in group) for group in groups), successors
    )


def _check_network(n: int, edges: Sequence[Edge], source: int, sink: int) -> None:
    if source == sink:
        raise ValueError(f"source and sink are both node {source}; they must differ")
    for node in (source, sink):
        if not 0 <= node < n:
            raise ValueError(f"node {node} is not one of the nodes 0..{n - 1}")
    for tail, head, capacity in edges:
        if not (0 <= tail < n and 0 <= head < n):
            raise ValueError(f"edge {tail}->{head} leaves the nodes 0..{n - 1}")
        if capacity is not None and capacity < 0:
            raise ValueError(f"edge {tail}->{head} has the negative capacity {capacity}; allowed are 0 and above")


def _levels(
    n: int, arcs: list[list[int]], heads: list[int], is_open: list[bool], start: int, stop: int | None
) -> list[int]:
    """Distance of each node from ``start`` along open arcs, -1 where there is no way; nothing beyond ``stop``."""
    level = [-1] * n
    level[start] = 0
    queue = [start]
    for node in queue:
        for arc in arcs[node]:
            if is_open[arc] and level[heads[arc]] < 0:
                level[heads[arc]] = level[node] + 1
                if heads[arc] == stop:
                    return level
                queue.append(heads[arc])
    return level


def _augment(
    path: list[int], heads: list[int], left: list[Capacity], is_open: list[bool], flows: list[Capacity]
) -> int:
    """Push the most that ``path`` carries, cut the path back to its first closed arc, and return where it now ends."""
    amount: Capacity = None
    narrowest = -1
    for arc in path:
        if left[arc] is not None and (amount is None or left[arc] < amount):
            amount, narrowest = left[arc], arc
    if amount is None:
        raise ValueError("the network has a path of infinite capacity, so no maximum flow exists")
    first_closed = -1
    for step, arc in enumerate(path):
        if left[arc] is not None:
            left[arc] = 0 if arc == narrowest else left[arc] - amount
            is_open[arc] = arc != narrowest and left[arc] > 0
            if not is_open[arc] and first_closed < 0:
                first_closed = step
        if left[arc ^ 1] is not None:
            left[arc ^ 1] = left[arc ^ 1] + amount
            is_open[arc ^ 1] = True
        flows[arc >> 1] = flows[arc >> 1] - amount if arc & 1 else flows[arc >> 1] + amount
    node = heads[path[first_closed] ^ 1]
    del path[first_closed:]
    return node


def _strong_components(leads: list[list[int]]) -> list[list[int]]:
    """Tarjan's strongly connected components without recursion, each after those it leads to."""
    order = [-1] * len(leads)
    low = [0] * len(leads)
    on_stack = [False] * len(leads)
    stack: list[int] = []
    groups: list[list[int]] = []
    count = 0
    for root in range(len(leads)):
        if order[root] >= 0:
            continue
        work = [(root, 0)]
        while work:
            node, position = work.pop()
            if position == 0:
                order[node] = low[node] = count
                count += 1
                stack.append(node)
                on_stack[node] = True
            for step in range(position, len(leads[node])):
                other = leads[node][step]
                if order[other] < 0:
                    work += ((node, step + 1), (other, 0))
                    break
                if on_stack[other]:
                    low[node] = min(low[node], low[other])
            else:
                if low[node] == order[node]:
                    group: list[int] = []
                    while not group or group[-1] != node:
                        group.append(stack.pop())
                        on_stack[group[-1]] = False
                    groups.append(group)
                if work:
                    parent = work[-1][0]
                    low[parent] = min(low[parent], low[node])
    return groups
