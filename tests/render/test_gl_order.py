import subprocess
import sys

# Runs in a process of its own, because a failure ends the process.
BOTH = """
import trimesh
from wsr.render.pictures import draw_mesh
draw_mesh(trimesh.creation.box(), 32)
import torch
weights = torch.zeros(3, requires_grad=True)
weights.sum().backward()
torch.optim.Adam([weights], fused=True).step()
print("alive")
"""


def test_a_picture_before_the_first_optimizer_does_not_end_the_process():
    """In an earlier version, the process ended with a segmentation fault if Mesa's LLVM was loaded before Triton's."""
    done = subprocess.run([sys.executable, "-c", BOTH], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and "alive" in done.stdout, done.stderr[-500:]
