"""One thread a process: the tests run in several processes, and sums in one order."""

import torch

torch.set_num_threads(1)
