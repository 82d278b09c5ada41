"""ReLU networks on the line and in the plane: decision regions and true risks under known laws.

``network_risks`` gives the four risks, exactly where the linear regions of the network can be cut one by one
(``regions``; events are ``Polygons``), else between those of a quadtree (``quadtree``) whose float bounds account for
their rounding. ``network_classifier`` makes a network a classifier for the rest of ``theory``.
"""

from __future__ import annotations

from theory.relu.network import ReluNetwork as ReluNetwork
from theory.relu.polygons import Polygons as Polygons
from theory.relu.regions import TooManyTilesError as TooManyTilesError
from theory.relu.risks import NetworkRisks as NetworkRisks
from theory.relu.risks import network_classifier as network_classifier
from theory.relu.risks import network_risks as network_risks
