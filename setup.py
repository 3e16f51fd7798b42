"""What pyproject.toml cannot say: a wheel has the bases of assets/bases inside the package."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithBases(build_py):
    """Copies the bases to wsr/bases, where `wsr.load_base` finds them without a checkout. An editable install reads
    those of the checkout."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        bases = sorted(Path("assets/bases").glob("*.safetensors"))
        if not bases:
            raise SystemExit("There is no base in assets/bases, and wsr is not installed without: fetch or train one.")
        inside = Path(self.build_lib, "wsr", "bases")
        self.mkpath(str(inside))
        for base in bases:
            self.copy_file(str(base), str(inside / base.name))


setup(cmdclass={"build_py": BuildWithBases})
