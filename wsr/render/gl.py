"""Draws by OpenGL (pyrender). An OpenGL context belongs to the thread that made it, so one thread does all drawing."""

import contextlib
import logging
import os
import queue
import threading
from concurrent.futures import Future

import numpy as np
import trimesh

from wsr.render.gbuffer import DISTANCE, FIELD_OF_VIEW, Camera, GBuffer, camera_rays, corner_normals, turned_to_viewer

log = logging.getLogger(__name__)


class GLThread:
    """The thread that draws, for callers on any thread. There is one in a process, started with the first picture."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue = queue.SimpleQueue()
        started: Future = Future()
        # a daemon that is never joined: the driver's own threads may be gone when Python ends
        threading.Thread(target=self._run, args=(started,), name="wsr-gl", daemon=True).start()
        started.result(timeout=120)

    def draw(self, mesh: trimesh.Trimesh, camera: Camera, size: int, seconds: float = 120) -> GBuffer:
        """Draws after all earlier requests. TimeoutError after `seconds`: a request that has not been started by then
        is dropped, and one that has been started finishes without anybody waiting for it."""
        done: Future = Future()
        self._jobs.put((done, mesh, camera, size))
        try:
            return done.result(timeout=seconds)
        finally:
            done.cancel()

    def _run(self, started: Future) -> None:
        try:
            renderer = _renderer()
        except BaseException as error:  # whatever a driver or its loader raises, the caller learns of it
            started.set_exception(error)
            return
        started.set_result(None)
        while True:
            done, *job = self._jobs.get()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(_draw(renderer, *job))
            except BaseException as error:
                done.set_exception(error)


def _renderer():
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")  # no screen needed; read when pyrender is imported
    # Triton brings an LLVM of its own, and loaded after Mesa's it ends the process with a segmentation fault; torch
    # loads it with its first optimizer. The other order works.
    with contextlib.suppress(ImportError):
        import triton  # noqa: F401
    import pyrender

    return pyrender.OffscreenRenderer(64, 64)


def _draw(renderer, mesh: trimesh.Trimesh, camera: Camera, size: int) -> GBuffer:
    """Draws normals, encoded as the unlit colour (n + 1) / 2 with 8 bits."""
    import pyrender

    count = len(mesh.faces) * 3
    normals = corner_normals(mesh).reshape(count, 3) @ camera.axes
    colours = np.concatenate([normals / 2 + 0.5, np.ones((count, 1))], axis=1).astype(np.float32)
    material = pyrender.MetallicRoughnessMaterial(baseColorFactor=(1.0, 1.0, 1.0, 1.0), doubleSided=True)
    positions = mesh.triangles.reshape(count, 3).astype(np.float32)
    primitive = pyrender.Primitive(positions=positions, color_0=colours, material=material)
    # grey is the normal 0: where a pixel is half covered, the blend with it keeps the direction
    scene = pyrender.Scene(bg_color=(0.5, 0.5, 0.5, 1.0))
    scene.add(pyrender.Mesh([primitive]))
    scene.add(pyrender.PerspectiveCamera(FIELD_OF_VIEW, znear=DISTANCE - 1.5, zfar=DISTANCE + 1.5), pose=camera.pose)
    renderer.viewport_width = renderer.viewport_height = size
    flags = pyrender.RenderFlags.FLAT | pyrender.RenderFlags.SKIP_CULL_FACES
    colour, depth = renderer.render(scene, flags=flags)  # (h, w, 3) uint8, (h, w) with 0 for nothing
    seen = turned_to_viewer(colour.astype(np.float64) / 127.5 - 1, camera_rays(size))
    return GBuffer(seen, np.where(depth > 0, depth, np.inf))
