# SPDX-License-Identifier: BSD-3-Clause
"""The code of the products has the shape that it was written for, also for processors that this machine is not: each sum in
a register of its own, as wide as the processor's, and nothing between them that goes to memory and back."""
import re
import shutil
import subprocess

import pytest

# Instruction set -> register, and the sums of the largest tile of product.c, of the widest strip of sparse.c, and of the
# outputs that a value is in, in conv3x3.c.
KERNELS = ["product", "sparse", "conv3x3"]
WIDEST = {"avx2": ("ymm", 12, 8, 9), "avx512": ("zmm", 16, 8, 18)}
FUSED = re.compile(r"\bvfn?m(?:add|sub)(\d+)ps\b")
ADDEND = {"132": 1, "213": 0, "231": 2}  # by the order of operands that a fused product names: which of them it adds to


def loops(text):
    """Instructions of each innermost loop: between the target of a jump backwards and that jump."""
    lines = [(int(address, 16), words) for address, words in re.findall(r"^ +([0-9a-f]+):\t(.+)$", text, re.MULTILINE)]
    places = {address: number for number, (address, _) in enumerate(lines)}
    for number, (_, words) in enumerate(lines):
        jump = re.match(r"j\w+ +(?:0x)?([0-9a-f]+)", words)
        begin = places.get(int(jump[1], 16), number) if jump else number
        body = [words for _, words in lines[begin:number + 1]]
        if begin < number and not any(words.startswith("j") for words in body[:-1]):
            yield body


def hottest(build, isa, kernel):
    """The loop that has most fused products."""
    file = build / f"cnn_core/CMakeFiles/cnn_kernels_{isa}.dir/src/kernels/{kernel}.c.o"
    if not file.exists() or not shutil.which("objdump"):
        pytest.skip(f"{file.name} for {isa} is not built here, or there is no objdump")
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", file], check=True, capture_output=True, text=True).stdout
    return max(loops(text), key=lambda body: sum(bool(FUSED.search(words)) for words in body))


def operands_of(words):
    return [each.strip() for each in re.split(r",(?![^(]*\))", words.partition(" ")[2])]


def sums_of(body):
    """The registers that sums are in where the loop begins; a sum may move to another one on the way."""
    began, found = {}, set()
    for words in body:
        operands, fused = operands_of(words), FUSED.search(words)
        if fused or words.startswith("vmov"):
            source = operands[ADDEND[fused[1]] if fused else 0]
            began[operands[-1]] = began.get(source, source)
            if fused:
                found.add(began[operands[-1]])
        else:
            began.pop(operands[-1], None)
    return found


@pytest.mark.parametrize("isa", WIDEST)
@pytest.mark.parametrize("kernel", KERNELS)
def test_sums_stay_in_registers(build, isa, kernel):
    register, *sums = WIDEST[isa]
    body = hottest(build, isa, kernel)
    found = sums_of(body)
    assert len(found) == sums[KERNELS.index(kernel)], body
    assert all(each.startswith(f"%{register}") for each in found), body
    assert not any("(%rsp" in words and register in words for words in body), body


def test_a_loop_is_what_jumps_back():
    text = " 10:\tmov 1\n 12:\tvfmadd231ps %ymm0,%ymm1,%ymm2\n 17:\tjne    12 <f+0x2>\n 19:\tjmp    30\n"
    assert list(loops(text)) == [["vfmadd231ps %ymm0,%ymm1,%ymm2", "jne    12 <f+0x2>"]]


def test_a_sum_may_move():
    body = ["vpermps %ymm4,%ymm5,%ymm2", "vfmadd231ps (%rax,%r8,4),%ymm2,%ymm0", "vfmadd132ps 0x20(%rax,%r8,4),%ymm1,%ymm2",
            "vmovaps %ymm2,%ymm1", "vfmadd231ps (%rax),%ymm3,%ymm1", "jne    12 <f+0x2>"]
    assert sums_of(body) == {"%ymm0", "%ymm1"}
