# SPDX-License-Identifier: BSD-3-Clause
"""Runs Catalyst scripts for the bridge: imports them, knows when each is due and what it looks at, and survives them."""

import gc
import math
import os
import re
import sys

import paraview.servermanager
from paraview import simple
from paraview.catalyst import detail, importers, v2_internals
from paraview.modules.vtkPVCatalyst import vtkCPDataDescription
from paraview.modules.vtkPVPythonCatalyst import vtkCPPythonScriptV2Helper
from paraview.modules.vtkRemotingServerManager import vtkSMExtractsController
from weightscape_bridge import failures, steps
from weightscape_bridge.cinema import Database

# Files that `export` writes; a script that the GUI has saved calls its sources by their names.
_EXPORTED = re.compile(r"\.(vti|csv)$")
_COMPUTED = ("activations_", "correlation_")  # channels that cost a training something
_NEVER = 2**64 - 1
_MOMENT = 2**-10  # a producer wants each time to be later than the last one, also that of the import
_PRODUCERS = ("PVTrivialProducer", "TrivialProducer")

_active = None  # the script that runs
_session = None  # the one that there is
_register_package = v2_internals.register_module


class Script:
    """One script. `channels` are those that it looks at."""

    def __init__(self, path, arguments, folder, session):
        self.path, self.arguments = path, arguments
        self.name = os.path.basename(path)
        self.database = Database(folder)
        self.failures = failures.Failures(self.name, session.warn)
        self.problem = ""
        self.memory_problem = ""  # of the last call, where it failed for want of memory
        self.channels = set()
        self.views, self.extractors = [], []
        self.has_run = self.was_dropped = False
        self.missed_at = -1  # the last step at which a dropped script's pictures were counted as missing
        self.written = self.expected = 0
        self._aliases = {}  # the name a source was given, where it is not the channel's
        self._other_names = []  # and its proxy, while that is not yet forgotten
        self._module_name = ""
        self._session = session
        self._problem_of_call = None
        self._timed_out = False
        self._here = {}
        self._helper = vtkCPPythonScriptV2Helper()
        self._controller = vtkSMExtractsController()
        self._controller.SetExtractsOutputDirectory(folder)

    # What the script does while it runs, and ParaView asks about.

    def channel_of(self, name):
        """The channel that a source called `name` stands for, or None."""
        known = self._session.channels
        bare = _EXPORTED.sub("", name)
        return name if name in known else bare if bare in known else None

    def produce(self, name):
        """A producer of a channel, under the name that the script gave it."""
        channel = self.channel_of(name)
        self.channels.add(channel)
        if self._session.is_live:
            # The one that viewers see, which all scripts share.
            producer = paraview.servermanager.ProxyManager().GetProxy("sources", channel)
            producer.IgnoreUnknownSetRequests = True
            if name != channel:
                self._other_names.append((name, producer.SMProxy))
            return producer
        self._aliases[name] = channel
        if channel not in self._here:
            raise LookupError(f"channel '{channel}' is asked for for the first time; it is there from this script's next step on")
        description = self._helper.GetDataDescription()
        if not description.GetInputDescriptionByName(name):
            _add_input(description, name, self._here[channel])
        producer = paraview.servermanager._getPyProxy(self._helper.GetTrivialProducer(name))
        producer.IgnoreUnknownSetRequests = True
        return producer

    def add_view(self, view):
        if not self._session.can_draw:
            raise RuntimeError("there is no display to draw on")
        self.views.append(view)
        view.ViewTime = self._controller.GetTime()

    def note(self, error):
        """Takes an exception that ended a call."""
        self._timed_out = self._timed_out or isinstance(error, failures.TimedOut)
        if self._problem_of_call is None:
            self._problem_of_call = failures.describe(error, self.path)
        if self._session.is_expendable and not self.memory_problem and failures.is_for_memory(error):
            self.memory_problem = failures.describe(error, self.path)

    # What the bridge asks of the script.

    def load(self, step, data):
        """Imports the script, which sees all channels; `problem` tells how that went."""
        self._set_time(step - _MOMENT)
        self._call(step - _MOMENT, data, self._load)
        self.problem = self._problem_of_call or ""

    def _load(self, description):
        if not (self._helper.PrepareFromScript(self.path) and self._helper.Import(description)):
            self._note_refusal("it cannot be imported")
            return
        self._stop_live()
        self._helper.CatalystInitialize(description)

    def _note_refusal(self, words):
        """ParaView has refused; as a rule it is known why."""
        if self._problem_of_call is None:
            self.note(RuntimeError(words))

    def has_code(self):
        """Whether the script has functions that run later."""
        return any(hasattr(self._module(), name) for name in ("catalyst_execute", "RequestDataDescription"))

    def drop(self, step, problem):
        """Runs the script no more after `step`."""
        self.problem, self.was_dropped, self.missed_at = problem, True, step

    def is_usable(self):
        return not self.problem

    def fail(self, step, problem):
        self.failures.add(step, problem)

    def is_due(self, step):
        """Whether the script wants to run at `step`: at a step of its extractors, and of its global trigger if it has one."""
        if self._session.is_live:
            return self.has_code()
        if self._session.always:
            return bool(self.extractors) or self.has_code()
        self._set_time(step)
        trigger = self._global_trigger()
        if trigger and not trigger.IsActivated(self._controller):
            return False
        if self.extractors:
            return bool(self.due_extractors())
        return self.has_code()

    def rules(self):
        """At which steps it wants to run: rules as steps.Rule, which may name more steps than turn out to be due."""
        general = steps.of_trigger(self._global_trigger())
        if self.extractors:
            return [rule for extractor in self.extractors if (rule := steps.both(general, steps.of_trigger(self._trigger_of(extractor))))]
        return [general] if self.has_code() else []

    def looks_at(self, channels):
        """Those of `channels` that it needs when it next runs: code may make a pipeline when it first runs. What has to be computed
        is made only for who has asked for it."""
        if self.has_code() and not self.has_run:
            return [name for name in channels if name in self.channels or not name.startswith(_COMPUTED)]
        return [name for name in channels if name in self.channels]

    def run(self, step, data):
        """Runs the script on its channels, and writes its extracts. Returns whether nothing failed."""
        self._set_time(step)
        due = self.due_extractors()
        self.expected += len(due)
        for view in self.views:
            view.ViewTime = step
        self._call(step, data, lambda description: self._run(description, due))
        if self.memory_problem:  # another process draws this step
            return False
        if self._problem_of_call:
            self.failures.add(step, self._problem_of_call)
        if self._timed_out:
            self.drop(step, self._problem_of_call)
            self._session.warn(f"script {self.name} is not run again")
        self.has_run = self.has_run or not self._problem_of_call
        return not self._problem_of_call

    def _run(self, description, due):
        missing = self.channels - self._here.keys()
        if missing and not self._session.is_live:
            raise LookupError(f"channel '{min(missing)}' is not in the frame of this step")
        if hasattr(self._module(), "RequestDataDescription"):
            self._helper.RequestDataDescription(description)
            if not description.GetIfAnyGridNecessary():
                return
        self._stop_live()
        if not self._helper.CatalystExecute(description):
            self._note_refusal("it cannot be run")
        if self._problem_of_call:
            return
        for extractor in due:
            if self._session.always:
                extractor.Trigger = "TimeStep"
                extractor.Trigger.UseStartTimeStep = extractor.Trigger.UseEndTimeStep = 0
                extractor.Trigger.Frequency = 1
            if not self._controller.Extract(extractor.SMProxy):
                self.note(RuntimeError(f"no file from extractor {_name_of(extractor)}"))
        self._record()

    def finish(self, step):
        """Calls the script's catalyst_finalize, and tells how often it has failed."""
        if self.is_usable():
            self._call(step, {}, lambda description: self._helper.CatalystFinalize())
            if self._problem_of_call:
                self.failures.add(step, self._problem_of_call)
        self.failures.summarise()

    def release(self):
        """Gives up what the script has made."""
        for proxy in (*self.extractors, *self.views):
            simple.Delete(proxy)
        self.extractors, self.views = [], []

    # Parts.

    def _module(self):
        return sys.modules.get(self._module_name)

    def register(self, path):
        """Makes the script importable, a file under a name that no other module has, whatever the file is called."""
        if os.path.isfile(path) and path.endswith(".py"):
            importers.install_pathfinder()
            stem = re.sub(r"\W", "_", os.path.splitext(self.name)[0])
            self._module_name = importers.add_file(path, f"weightscape_script_{stem}")
        else:
            self._module_name = _register_package(path)
        return self._module_name

    def _call(self, time, data, function):
        """Calls function(description) as the active script; whatever it raises is noted."""
        global _active
        self._problem_of_call, self.memory_problem, self._here = None, "", data
        description = _describe(time, self._named(data))
        _active = self
        self._session.begin_call()
        try:
            function(description)
        except failures.Told:
            pass
        except BaseException as error:  # a script may raise anything; the run must go on
            self.note(error)
        finally:
            self._session.end_call()
            _active = None
            self._here = {}
            self._forget_other_names()

    def _forget_other_names(self):
        """A viewer that looks live lists what has two names twice."""
        manager = paraview.servermanager.ProxyManager()
        for name, proxy in self._other_names:
            manager.UnRegisterProxy("sources", name, proxy)
        self._other_names = []

    def _named(self, data):
        named = {alias: data[channel] for alias, channel in self._aliases.items() if channel in data}
        return {**data, **named}

    def _set_time(self, time):
        self._controller.SetTimeStep(math.ceil(time))
        self._controller.SetTime(float(time))

    def _global_trigger(self):
        options = self._helper.GetOptions()
        return options.GetProperty("GlobalTrigger").GetProxy(0) if options else None

    @staticmethod
    def _trigger_of(extractor):
        return extractor.SMProxy.GetProperty("Trigger").GetProxy(0)

    def due_extractors(self):
        if self._session.is_live:  # what is shown is not written
            return []
        if self._session.always:
            return list(self.extractors)
        return [extractor for extractor in self.extractors if self._controller.IsTriggerActivated(extractor.SMProxy)]

    def _stop_live(self):
        """Nobody is called over Live, whatever the script's options say."""
        options = self._helper.GetOptions()
        if options:
            options.GetProperty("EnableCatalystLive").SetElement(0, 0)
            options.UpdateVTKObjects()

    def _record(self):
        table = self._controller.GetSummaryTable()
        if table:
            self.written += self.database.add(table)
            self._controller.ResetSummaryTable()
            self.database.save()


class Session:
    """All scripts of a run."""

    def __init__(self, warn, arm, disarm, channels, first_step, shown_until, can_draw, always, is_live, is_expendable):
        self.channels, self.can_draw, self.always, self.is_live = channels, can_draw, bool(always), bool(is_live)
        self.is_expendable = bool(is_expendable)
        self.first_step, self._shown_until = first_step, shown_until
        self.warn, self._arm, self._disarm = warn, arm, disarm
        self.scripts = []
        self._last_step = first_step
        self._has_lost_display = False
        self._has_told_update = False
        _install_hooks(self)

    def load(self, path, arguments, folder, data):
        """Imports a script; returns how memory was wanting, "" if it was not."""
        script = Script(path, arguments, folder, self)
        self.scripts.append(script)
        script.load(self.first_step, data)
        if script.memory_problem:
            return f"script {script.name} has no memory to be imported: {script.memory_problem}"
        if script.problem:
            script.fail(self.first_step, script.problem)
        return ""

    def note_update(self, error):
        """Takes what code in a filter has raised while its source was updated for viewers."""
        if not self._has_told_update:
            self.warn(f"a source that is shown live failed at step {self._last_step}: {failures.describe(error, '')}; training goes on")
        self._has_told_update = True

    def begin_call(self):
        self._arm()

    def end_call(self):
        self._disarm()

    def verdict(self, index):
        """(views, whether it may make more, problem, rules) of a script."""
        script = self.scripts[index]
        rules = self._rules_of(script) if script.is_usable() else []
        return len(script.views), script.is_usable() and script.has_code(), script.problem, rules

    def draw(self):
        """Draws a picture of a few pixels, which ends the process where drawing does not work."""
        view = simple.CreateView("RenderView")
        view.ViewSize = [16, 16]
        simple.Render(view)

    def due(self, step):
        return [script for script in self.scripts if script.is_usable() and script.is_due(step) and not self._was_shown(script, step)]

    def _was_shown(self, script, step):
        """A step may have been drawn before: by an earlier session of the run, or by a process that has died since."""
        return 0 < step <= self._shown_until and script.database.has(step)

    def rules(self):
        """The rules of all scripts, as (first, last, every, phase, channels). Those that were dropped still count what they miss."""
        if self.is_live:  # viewers want what is newest, of every layer
            return []
        return [rule for script in self.scripts if script.is_usable() or script.was_dropped for rule in self._rules_of(script)]

    def _rules_of(self, script):
        return [(*rule, script.looks_at(self.channels)) for rule in script.rules()]

    def wanted(self, step):
        """The channels that scripts look at at `step`."""
        wanted = {name for script in self.due(step) for name in script.looks_at(self.channels)}
        return [name for name in self.channels if name in wanted]

    def _count_missed(self, step):
        """Pictures of scripts that were dropped are still expected, and missing."""
        for script in self.scripts:
            if script.was_dropped and step > script.missed_at and script.is_due(step):
                script.missed_at = step
                script.expected += len(script.due_extractors())

    def show(self, step, data):
        """Runs what is due; returns whether nothing failed, and how memory was wanting, "" if it was not."""
        self._count_missed(step)
        self._count_shown(step)
        self._last_step = step
        due = self.due(step)
        new = [script for script in due if not script.has_run]
        went_well = all([script.run(step, data) for script in due])
        if any(script.has_run for script in new):
            _keep_what_is_there()
        wanting = [f"script {script.name} has no memory: {script.memory_problem}" for script in due if script.memory_problem]
        return went_well, "".join(wanting[:1])

    def _count_shown(self, step):
        """Pictures that a process before this one has drawn for this session of the run are pictures of this session."""
        for script in self.scripts:
            if step > self.first_step and script.is_usable() and self._was_shown(script, step) and script.is_due(step):
                count = len(script.due_extractors())
                script.expected += count
                script.written += count

    def lose_display(self):
        self._has_lost_display = True
        for script in self.scripts:
            if script.views and script.is_usable():
                script.drop(self._last_step, "its display has ended")

    def counts(self):
        return tuple(
            sum(of(script) for script in self.scripts)
            for of in (lambda s: s.written, lambda s: s.expected, lambda s: s.failures.count)
        )

    def close(self):
        for script in self.scripts:
            script.finish(self._last_step)
        # Windows without their display would end the process when they are given up.
        if not self._has_lost_display:
            for script in self.scripts:
                script.release()
            for source in simple.GetSources().values():
                simple.Delete(source)


def _keep_what_is_there():
    """Modules, proxies and pipelines stay for the whole run: looking at all of them for garbage, again and again, takes a third of
    the time of a small picture."""
    gc.collect()
    gc.freeze()


def _name_of(extractor):
    return paraview.servermanager.ProxyManager().GetProxyName("extractors", extractor.SMProxy)


def _add_input(description, name, data):
    description.AddInput(name)
    inputs = description.GetInputDescriptionByName(name)
    inputs.SetGrid(data)
    if hasattr(data, "GetExtent"):
        inputs.SetWholeExtent(data.GetExtent())


def _describe(time, data):
    description = vtkCPDataDescription()
    description.SetTimeData(float(time), math.ceil(time))
    for name, held in data.items():
        _add_input(description, name, held)
    return description


def _guarded(function):
    """`function`, but an exception is noted before it goes back through ParaView, which would print it, or exit."""

    def guarded(*arguments):
        try:
            return function(*arguments)
        except BaseException as error:
            _active.note(error)
            raise failures.Told from None

    return guarded


def _refusing(create):
    """`create`, but a producer must be called as a channel."""

    def refusing(*arguments, **parameters):
        name = parameters.get("registrationName")
        if _active and name and _active.channel_of(name) is None:
            there = ", ".join(_active._session.channels)
            raise ValueError(f"there is no channel '{name}'; there are: {there}")
        return create(*arguments, **parameters)

    return refusing


def _is_channel(name):
    return bool(_active and name and _active.channel_of(detail._transform_registration_name(name)))


def _take_printed(kind, error, trace):
    """What ParaView would print: an exception from code inside one of the script's filters."""
    if kind is failures.Told:
        return
    if _active:
        _active.note(error)
    elif _session and _session.is_live:
        _session.note_update(error)
    else:
        _print_exception(kind, error, trace)


_print_exception = sys.excepthook
_hooks_are_installed = False


def _install_hooks(session):
    """Takes the places at which ParaView's own modules ask about the script that runs."""
    global _hooks_are_installed, _session
    _session = session
    if _hooks_are_installed:
        return
    _hooks_are_installed = True
    v2_internals.register_module = _guarded(lambda path: _active.register(path))
    v2_internals._get_active_arguments = lambda: list(_active.arguments) if _active else []
    for name in ("import_and_validate", "do_catalyst_initialize", "do_request_data_description", "do_catalyst_execute", "do_catalyst_finalize"):
        setattr(v2_internals, name, _guarded(getattr(v2_internals, name)))
    detail.IsInsituInput = _is_channel
    detail.CreateProducer = lambda name: _active.produce(detail._transform_registration_name(name))
    detail.RegisterExtractor = lambda extractor: _active.extractors.append(extractor)
    detail.RegisterView = lambda view: _active.add_view(view)
    for name in _PRODUCERS:
        setattr(simple, name, _refusing(getattr(simple, name)))
    sys.excepthook = _take_printed
