import subprocess
import sys

# in a process of its own: where it fails there is no process left
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
    """Mesa's LLVM loaded before Triton's once ended it with a segmentation fault."""
    done = subprocess.run([sys.executable, "-c", BOTH], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0 and "alive" in done.stdout, done.stderr[-500:]
