# SPDX-License-Identifier: BSD-3-Clause
"""The kernels and the layers for 64-bit ARM: cross-built, and tested under emulation (Debian: gcc-aarch64-linux-gnu,
qemu-user-static)."""
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

COMPILER, EMULATOR = "aarch64-linux-gnu-gcc", "qemu-aarch64-static"
FLAGS = ["-std=c11", "-O3", "-Wall", "-Wextra", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-D_DEFAULT_SOURCE"]
# As cnn_core/CMakeLists.txt has them.
FUSED, KERNELS = ["-ffp-contract=fast", "-fno-math-errno", "-falign-loops=32", "-DCNN_ISA=neon"], "cnn_core/src/kernels"
UNFUSED = ["-ffp-contract=off"]
CORE = ["beside", "float_arena", "kernels_choice", "moments", "net", "number", "optimizer", "pass", "pass_backward",
        "pass_forward", "random", "spec", "status", "threads", "update"]
TESTS = ["layers/test_conv2d", "layers/test_elementwise", "layers/test_linear", "layers/test_maxpool", "test_optimizer",
         "test_pass", "test_random"]


def compile_all(source, folder):
    """The objects of the library, of what tests share, and of each test."""
    folders = ["tests/long/emulated", "tests", "tests/cnn_core", "cnn_core/src", "cnn_core/include"]
    include = [f"-I{source / name}" for name in folders]
    library = [(path, FUSED) for path in sorted((source / KERNELS).glob("*.c"))]
    library += [(path, UNFUSED) for path in sorted((source / "cnn_core/src/layers").glob("*.c"))]
    library += [(source / f"cnn_core/src/{name}.c", UNFUSED) for name in CORE]
    library += [(source / f"tests/cnn_core/{name}.c", UNFUSED) for name in ("reference", "layers/shapes")]
    tests = [(source / f"tests/cnn_core/{name}.c", UNFUSED) for name in TESTS]

    def compiled(number, path, flags):
        made = folder / f"{number}-{path.stem}.o"
        subprocess.run([COMPILER, *FLAGS, *flags, *include, "-c", path, "-o", made], check=True)
        return made

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(lambda item: compiled(item[0], *item[1]), enumerate([*library, *tests])))
    return made[:len(library)], dict(zip(TESTS, made[len(library):]))


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    missing = [name for name in (COMPILER, EMULATOR) if not shutil.which(name)]
    if missing:
        pytest.skip(f"{' and '.join(missing)} not installed (Debian: gcc-aarch64-linux-gnu qemu-user-static)")
    folder = tmp_path_factory.mktemp("neon")
    return folder, *compile_all(source, folder)


@pytest.mark.parametrize("test", TESTS)
def test_under_emulation(built, test):
    folder, library, tests = built
    program = folder / test.replace("/", "-")
    subprocess.run([COMPILER, "-static", tests[test], *library, "-lm", "-lpthread", "-o", program], check=True)
    done = subprocess.run([EMULATOR, program], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    if "layers/" in test:
        assert "has no plain" in done.stdout and "has no neon" not in done.stdout


def test_products_are_fused_and_by_vectors(built):
    """Four products at a time, each with its sum."""
    _, library, _ = built
    product = next(path for path in library if path.stem.endswith("-product"))
    text = subprocess.run(["aarch64-linux-gnu-objdump", "-d", product], check=True, capture_output=True, text=True).stdout
    assert len(re.findall(r"\bfmla\s+v\d+\.4s", text)) > 100
