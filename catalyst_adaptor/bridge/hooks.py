# SPDX-License-Identifier: BSD-3-Clause
"""What the bridge adds to ParaView's Python side of Catalyst. Runs once, inside the module `weightscape_hooks`.

Nothing that a script does may end the process or flood the terminal: what it raises is kept as one line for the bridge to tell.
"""

import builtins
import logging
import sys
import traceback

from paraview.catalyst import detail, v2_internals
from paraview.modules.vtkPVPythonCatalyst import vtkCPPythonScriptV2Helper as Helper


# With VTK's own log switched off, ParaView 5.13 takes its level for "everything".
logging.getLogger("paraview").setLevel(logging.ERROR)


class _Script:
    def __init__(self, path, arguments, folder):
        self.path, self.arguments, self.folder = path, arguments, folder
        self.channels, self.extractors = set(), []
        self.views = 0
        self.failure = ""
        self.options = None
        self.custom = False


scripts = []
channels = []
current = None
interrupted = False


def add(path, arguments, folder):
    scripts.append(_Script(path, arguments, folder))


def select(index):
    global current
    current = scripts[index]
    current.failure = ""


def take_failure():
    text = current.failure if current else ""
    if current:
        current.failure = ""
    return text


class ScriptFailed(Exception):
    """Stands for what a script raised, which is kept in its `failure`."""


def _one_line(error):
    """FILE:LINE: Type: message, of the innermost frame in the script's own file if there is one."""
    if isinstance(error, SyntaxError) and error.filename:
        return "%s:%s: %s: %s" % (error.filename, error.lineno, type(error).__name__, error.msg)
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if current and f.filename == current.path]
    place = (own or [f for f in frames if f.filename != __file__] or frames)[-1:]
    where = "%s:%s: " % (place[0].filename, place[0].lineno) if place else ""
    message = str(error).strip().split("\n")[0]
    if isinstance(error, SystemExit):
        message = "the script ended itself (exit status %s)" % (error.code,)
    return "%s%s%s" % (where, type(error).__name__, ": " + message if message else "")


def _keep(error):
    if current and not current.failure and not isinstance(error, ScriptFailed):
        current.failure = _one_line(error)


def _guarded(function):
    def call(*arguments):
        try:
            return function(*arguments)
        except BaseException as error:  # SystemExit would end the process
            _keep(error)
            raise ScriptFailed() from None

    return call


for _name in ("register_module", "import_and_validate", "do_request_data_description", "do_catalyst_initialize",
              "do_catalyst_execute", "do_catalyst_finalize"):
    setattr(v2_internals, _name, _guarded(getattr(v2_internals, _name)))

# Errors inside programmable filters arrive here; so does ScriptFailed, once more.
sys.excepthook = lambda kind, error, trace: _keep(error)

# SystemExit that reaches PyErr_Print, from a programmable filter for one, would end the process.
def _no_exit(status=None):
    raise RuntimeError("the script ended itself (exit status %s)" % (status,))


sys.exit = builtins.exit = builtins.quit = _no_exit

v2_internals._get_active_arguments = lambda: list(current.arguments) if current else []

_create_producer = detail.CreateProducer
_is_insitu_input = detail.IsInsituInput


def _channel(name):
    """The channel that a source of this name stands for: a script saved by the GUI reads exported files, whose sources are
    called CHANNEL.vti or CHANNEL.csv."""
    stem = name.rsplit(".", 1)[0] if name and name.endswith((".vti", ".csv")) else name
    return stem if stem in channels else name


def _create(name):
    name = _channel(detail._transform_registration_name(name))
    current.channels.add(name)
    return _create_producer(name)


def _is_input(name):
    if name and _is_insitu_input(_channel(name)):
        return True
    # A trivial producer stands for a channel, and for nothing else.
    if "TrivialProducer" in str(sys._getframe(1).f_locals.get("key")):
        raise NameError("there is no channel '%s'; there are: %s" % (name, ", ".join(channels)))
    return False


detail.CreateProducer, detail.IsInsituInput = _create, _is_input

_register_extractor, _register_view = detail.RegisterExtractor, detail.RegisterView


def _extractor(proxy):
    current.extractors.append(proxy)
    return _register_extractor(proxy)


def _view(proxy):
    current.views += 1
    return _register_view(proxy)


detail.RegisterExtractor, detail.RegisterView = _extractor, _view

_validate = v2_internals._validate_and_initialize


def _initialize(module):
    _validate(module)
    options = module.options
    # One link to a GUI belongs to the bridge, not to each script.
    options.EnableCatalystLive = 0
    options.ExtractsOutputDirectory = current.folder
    # The bridge writes the table itself, at each step, so that a kill leaves it right.
    options.GenerateCinemaSpecification = 0
    current.options = options
    current.custom = v2_internals.has_customized_execution(module)


v2_internals._validate_and_initialize = _initialize


def _controller(step):
    from paraview.modules.vtkRemotingServerManager import vtkSMExtractsController

    controller = vtkSMExtractsController()
    controller.SetTimeStep(step)
    controller.SetTime(float(step))
    return controller


def _fires(proxy, controller):
    return proxy is None or proxy.SMProxy.IsActivated(controller)


def _firing(script, controller):
    return sum(1 for e in script.extractors if controller.IsExtractorEnabled(e.SMProxy) and _fires(e.Trigger, controller))


def _is_active(script, controller):
    if script.options is None or not _fires(script.options.GlobalTrigger, controller):
        return False
    return script.custom or _firing(script, controller) > 0


def active(index, step):
    return _is_active(scripts[index], _controller(step))


def images_due(index, step):
    """How many files the script's extractors are to write at an active step."""
    return _firing(scripts[index], _controller(step))


def next_step(indices, first, most):
    """The first step from `first` on at which one of the scripts is active; `first + most` if there is none before."""
    for step in range(first, first + most):
        controller = _controller(step)
        if any(_is_active(scripts[i], controller) for i in indices):
            return step
    return first + most


def channels_of(index):
    return "\n".join(sorted(scripts[index].channels))


def views_of(index):
    return scripts[index].views
