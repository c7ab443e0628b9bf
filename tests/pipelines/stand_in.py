# SPDX-License-Identifier: BSD-3-Clause
"""Runs pipeline scripts on given data objects the way the adaptor does, inside this process."""

import sys
from pathlib import Path

from paraview.catalyst import v2_internals
from paraview.modules.vtkPVCatalyst import vtkCPDataDescription, vtkCPProcessor
from paraview.modules.vtkPVPythonCatalyst import vtkCPPythonScriptV2Pipeline


class Catalyst:
    """One Catalyst per process, that runs one script at a time."""

    def __init__(self, output):
        self.pictures = Path(output, "datasets")  # Catalyst's default
        self._script, self._module = None, None
        self._processor = vtkCPProcessor()
        self._processor.Initialize(output)

    def add(self, script, *arguments):
        """Runs `script` from now on instead of the one before; it is imported at the next step shown."""
        self._end()
        v2_internals._get_active_arguments = lambda: list(arguments)
        pipeline = vtkCPPythonScriptV2Pipeline()
        if not pipeline.Initialize(script):
            raise RuntimeError(f"Catalyst refused {script}")
        self._processor.AddPipeline(pipeline)
        self._script = script

    def show(self, step, channels):
        """Hands over the channels at `step`, and returns the script's module."""
        description = vtkCPDataDescription()
        description.SetTimeData(float(step), step)
        for name, data in channels.items():
            description.AddInput(name)
            inputs = description.GetInputDescriptionByName(name)
            inputs.SetGrid(data)
            if hasattr(data, "GetExtent"):
                inputs.SetWholeExtent(data.GetExtent())
        if self._processor.RequestDataDescription(description) and not self._processor.CoProcess(description):
            raise RuntimeError(f"{self._script} failed at step {step}")
        loaded = [module for module in list(sys.modules.values()) if getattr(module, "__file__", None) == self._script]
        self._module = loaded[-1]
        return self._module

    def _end(self):
        if self._module:
            # The table needs pandas, which ParaView does not bring; the adaptor writes its own.
            self._module.options.GenerateCinemaSpecification = 0
            self._module = None
        self._processor.RemoveAllPipelines()

    def close(self):
        """Ends the script and Catalyst."""
        self._end()
        self._processor.Finalize()
