# SPDX-License-Identifier: BSD-3-Clause
"""The include rule holds, and breaking it is noticed."""
import pytest
from layering import violations

PLANTED = [
    ("cnn_core/src/net.c", "#include <weightscape/insitu.h>"),
    ("cnn_core/src/layers/conv2d.c", '#include "../../../catalyst_adaptor/src/frame.h"'),
    ("cnn_core/include/cnn/net.h", "#  include <vtkImageData.h>"),
    ("cnn_core/app/train.c", "#include <vtkCPProcessor.h>"),
    ("catalyst_adaptor/src/insitu.c", '#include "vtkSmartPointer.h"'),
    ("catalyst_adaptor/src/frame.c", '#include "cnn/net.h"'),
    ("catalyst_adaptor/bridge/mapping.cpp", '#include "../../cnn_core/src/kernels.h"'),
    ("catalyst_adaptor/src/history.c", "\t#include <Python.h>"),
    ("tests/cnn_core/test_net.c", "#include <vtkNew.h>"),
    ("cnn_core/src/threads.c", "#include <mpi.h>"),
    ("cnn_core/src/fast.cpp", "int i;"),
]

ALLOWED = [
    ("cnn_core/app/insitu_link.c", '#include "weightscape/insitu.h"\n#include "cnn/trainer.h"'),
    ("catalyst_adaptor/bridge/mapping.cpp", "#include <vtkImageData.h>\n#include <weightscape/insitu.h>"),
    ("cnn_core/src/net.c", '#include "cnn/net.h"\n/* no vtkImageData here */'),
    ("cnn_core/app/mpi/sum.c", "#include <mpi.h>"),
]


def write(root, path, text):
    file = root / path
    file.parent.mkdir(parents=True)
    file.write_text(text + "\n", encoding="utf-8")


def test_sources_keep_the_rule(source):
    assert violations(source) == []


@pytest.mark.parametrize("path, text", PLANTED)
def test_a_planted_violation_is_found(tmp_path, path, text):
    write(tmp_path, path, text)
    found = violations(tmp_path)
    assert len(found) == 1 and found[0].startswith(path)


@pytest.mark.parametrize("path, text", ALLOWED)
def test_what_is_allowed_passes(tmp_path, path, text):
    write(tmp_path, path, text)
    assert violations(tmp_path) == []
