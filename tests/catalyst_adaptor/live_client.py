# SPDX-License-Identifier: BSD-3-Clause
"""A ParaView without a window, as a child: listens for a simulation, and does what lines of JSON on its standard input say.

Started as a program it is the child; imported, it offers LiveClient, which starts one.
"""

import base64
import json
import os
import select
import signal
import subprocess
import sys
import time

import numpy

PATIENCE = 120  # seconds; a wait ends as soon as it can, and a busy machine takes its time


class LiveClient:
    """A child that listens on a port. Calls wait for its answer; between them it serves the link."""

    def __init__(self, port, plugin=None):
        self.port = port
        self.process = subprocess.Popen([sys.executable, __file__, str(port), *([str(plugin)] if plugin else [])], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env={key: value for key, value in os.environ.items() if key != "DISPLAY"})
        assert self._answer() == "listens"

    def _answer(self):
        line = self.process.stdout.readline()
        assert line, "the client has ended"
        return json.loads(line)

    def _do(self, what, **arguments):
        self.process.stdin.write(json.dumps({"do": what, **arguments}) + "\n")
        self.process.stdin.flush()
        answer = self._answer()
        assert not (isinstance(answer, dict) and "problem" in answer), answer["problem"]
        return answer

    def wait_connected(self, seconds=PATIENCE):
        """The names of the simulation's sources, each as often as it is listed, once it is connected."""
        return self._do("wait", seconds=seconds)

    def sources(self):
        return self._do("sources")

    def is_connected(self):
        return self._do("is_connected")

    def extract(self, *names):
        for name in names:
            self._do("extract", name=name)

    def fetch(self, name, array=None, after=-1, seconds=PATIENCE):
        """(step, values of an array, or None) of a source at a step > after."""
        answer = self._do("fetch", name=name, array=array, after=after, seconds=seconds)
        values = answer["values"]
        if isinstance(values, dict):
            values = numpy.frombuffer(base64.b64decode(values["bytes"]), dtype=values["type"])
        return answer["step"], values

    def count(self, name, seconds):
        """[(step, time of arrival on the monotonic clock)] of updates with another step."""
        return self._do("count", name=name, seconds=seconds)

    def pause(self, is_paused=True):
        self._do("pause", value=is_paused)

    def set(self, **values):
        """Turns knobs, all with one Apply."""
        return self._do("set", values=values)

    def get(self, *names):
        """What knobs show."""
        return self._do("get", names=names)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def leave(self):
        self.process.stdin.close()
        self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.go_on()
            self.kill()
        self.process.stdin.close()
        self.process.stdout.close()


class Child:
    """Inside the child."""

    def __init__(self, port, plugin):
        from paraview import live, servermanager, simple

        self.live, self.servermanager, self.simple = live, servermanager, simple
        if plugin:
            simple.LoadPlugin(plugin, remote=False, ns=globals())
        self.link = live.ConnectToCatalyst("localhost", port)
        self.extracts = {}
        self.is_there = False

    def serve(self):
        self.live.ProcessServerNotifications()

    def wait_until(self, condition, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.serve()
            found = condition()
            if found:
                return found
            time.sleep(0.001)
        raise TimeoutError(f"nothing in {seconds} s")

    def names(self):
        manager = self.link.GetInsituProxyManager()
        if not manager:
            return []
        names = []
        iterator = self.servermanager.vtkSMProxyIterator()
        iterator.SetSessionProxyManager(manager)
        iterator.SetModeToOneGroup()
        iterator.Begin("sources")
        while not iterator.IsAtEnd():
            names.append(iterator.GetKey())
            iterator.Next()
        return names

    def wait(self, seconds):
        return self.wait_until(self.names, seconds)

    def sources(self):
        return self.names()

    def is_connected(self):
        return bool(self.names())

    def extract(self, name):
        proxy = self.link.CreateExtract("sources", name, 0)
        self.extracts[name] = self.servermanager._getPyProxy(proxy)
        return True

    def data(self, name):
        source = self.extracts[name]
        source.MarkModified(source.SMProxy)
        source.UpdatePipeline()
        return self.servermanager.Fetch(source)

    def step_of(self, data):
        steps = data.GetFieldData().GetArray("step") if data else None
        return int(steps.GetValue(0)) if steps else None

    def fetch(self, name, array, after, seconds):
        def is_new():
            data = self.data(name)
            step = self.step_of(data)
            return (data, step) if step is not None and step > after else None

        data, step = self.wait_until(is_new, seconds)
        return {"step": step, "values": self.values(data, array)}

    def values(self, data, name):
        from vtkmodules.util.numpy_support import vtk_to_numpy

        if not name:
            return None
        fields = data.GetRowData() if data.IsA("vtkTable") else data.GetCellData()
        array = fields.GetAbstractArray(name) or data.GetPointData().GetAbstractArray(name)
        if array.IsA("vtkStringArray"):
            return [array.GetValue(i) for i in range(array.GetNumberOfValues())]
        values = numpy.ascontiguousarray(vtk_to_numpy(array))
        return {"type": values.dtype.str, "bytes": base64.b64encode(values.tobytes()).decode()}

    def count(self, name, seconds):
        seen = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.serve()
            step = self.step_of(self.data(name))
            if step is not None and (not seen or seen[-1][0] != step):
                seen.append((step, time.monotonic()))
        return seen

    def pause(self, value):
        self.live.PauseCatalyst(self.link, value)
        return True

    def set(self, values):
        knobs = self.link.GetInsituProxyManager().GetProxy("sources", "Knobs")
        for name, value in values.items():
            knobs.GetProperty(name).SetElement(0, value)
        knobs.UpdateVTKObjects()
        return time.monotonic()

    def get(self, names):
        knobs = self.link.GetInsituProxyManager().GetProxy("sources", "Knobs")
        return [knobs.GetProperty(name).GetElement(0) for name in names]

    def run(self, out):
        answers = os.fdopen(out, "w", buffering=1)
        print(json.dumps("listens"), file=answers)
        pending = b""
        while True:
            self.serve()
            if not select.select([0], [], [], 0.002)[0]:
                continue
            read = os.read(0, 65536)
            if not read:
                return
            pending += read
            while b"\n" in pending:
                line, pending = pending.split(b"\n", 1)
                order = json.loads(line)
                try:
                    answer = getattr(self, order.pop("do"))(**order)
                except Exception as error:
                    answer = {"problem": f"{type(error).__name__}: {error}"}
                print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    output = os.dup(1)
    os.dup2(2, 1)  # what ParaView prints is no answer
    Child(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None).run(output)
    os._exit(0)
