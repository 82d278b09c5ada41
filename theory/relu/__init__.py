"""ReLU networks in the plane and on the line: their exact risks under laws on boxes."""
