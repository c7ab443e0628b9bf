// SPDX-License-Identifier: BSD-3-Clause
#include "link.h"

#include <vtkAlgorithm.h>
#include <vtkAlgorithmOutput.h>
#include <vtkClientSocket.h>
#include <vtkCommand.h>
#include <vtkExtractsDeliveryHelper.h>
#include <vtkLiveInsituLink.h>
#include <vtkMultiProcessController.h>
#include <vtkNew.h>
#include <vtkObjectFactory.h>
#include <vtkPVVersion.h>
#include <vtkSMSessionProxyManager.h>
#include <vtkSocketCommunicator.h>
#include <vtkSocketController.h>

#include <cstring>
#include <string>

namespace weightscape
{

namespace
{

constexpr double greeting_seconds = 5;
// A window that is busy may be silent for 25 s.
constexpr double answer_seconds = 30;
// ParaView aborts where the rest of a delivery does not come; whoever ends us waits for two seconds.
constexpr double delivery_seconds = 1.5;

// Tags that ParaView's network manager uses.
constexpr int greeting_tag = 99991, greeted_tag = 99990;

// A socket that is connected already.
class TakenSocket : public vtkClientSocket
{
  public:
    static TakenSocket *New();
    vtkTypeMacro(TakenSocket, vtkClientSocket);
    void take(int socket)
    {
        SocketDescriptor = socket;
        SetConnectingSide(true);
    }
};
vtkStandardNewMacro(TakenSocket);

// One that can tell what it delivers.
class Deliveries : public vtkExtractsDeliveryHelper
{
  public:
    static Deliveries *New();
    vtkTypeMacro(Deliveries, vtkExtractsDeliveryHelper);
    std::set<vtkAlgorithm *> algorithms() const
    {
        std::set<vtkAlgorithm *> result;
        for (const auto &[key, port] : ExtractProducers)
            result.insert(port->GetProducer());
        return result;
    }
};
vtkStandardNewMacro(Deliveries);

} // namespace

class Link::Line : public vtkLiveInsituLink
{
  public:
    static Line *New();
    vtkTypeMacro(Line, vtkLiveInsituLink);

    void use(vtkSMSessionProxyManager *manager)
    {
        // Of a process of neither type, Initialize keeps the manager and does nothing else.
        ProcessType = -1;
        Initialize(manager);
        ProcessType = INSITU;
    }

    void open(int socket)
    {
        vtkNew<TakenSocket> taken;
        taken->take(socket);
        controller = vtkSmartPointer<vtkSocketController>::New();
        communicator()->SetSocket(taken);
        errors.clear();
        // Whoever observes errors keeps them from being printed.
        for (vtkObject *object : {static_cast<vtkObject *>(taken), static_cast<vtkObject *>(communicator()),
                                  static_cast<vtkObject *>(controller)})
            object->AddObserver(vtkCommand::ErrorEvent, this, &Line::take_error);
    }

    // What two ParaViews say to each other before anything else.
    Answer greet()
    {
        if (!communicator()->Handshake())
            return errors.find("ash") != std::string::npos || errors.find("ersion") != std::string::npos
                       ? Answer::version
                   : errors.find("mismatch") != std::string::npos ? Answer::strange
                                                                  : Answer::closed;
        const std::string name = std::string("paraview.insitu.") + PARAVIEW_VERSION;
        const int size = static_cast<int>(name.size()) + 1;
        int problem = 1;
        controller->Send(&size, 1, 1, greeting_tag);
        controller->Send(name.c_str(), size, 1, greeting_tag);
        if (!controller->Receive(&problem, 1, 1, greeted_tag))
            return Answer::closed;
        return problem ? Answer::version : Answer::connected;
    }

    // Tells the proxies. Returns whether that went well.
    bool begin()
    {
        errors.clear();
        InsituConnect(controller);
        vtkNew<Deliveries> own;
        own->SetProcessIsProducer(true);
        own->SetNumberOfSimulationProcesses(ExtractsDeliveryHelper->GetNumberOfSimulationProcesses());
        own->SetNumberOfVisualizationProcesses(ExtractsDeliveryHelper->GetNumberOfVisualizationProcesses());
        own->SetSimulation2VisualizationController(controller);
        ExtractsDeliveryHelper = own;
        deliveries = own;
        communicator()->AddObserver(vtkCommand::WrongTagEvent, this, &Line::take_wrong_tag);
        return errors.empty();
    }

    // Reads what has come out of turn: that something has changed, which the next round tells anyway.
    void drain()
    {
        while (is_open() && communicator()->HasBufferredMessages())
            if (controller->ProcessRMIs(0, 1) != vtkMultiProcessController::RMI_NO_ERROR)
                return;
    }

    void close()
    {
        DropLiveInsituConnection();
        deliveries = nullptr;
        controller = nullptr;
    }

    bool is_open() const { return ExtractsDeliveryHelper != nullptr; }
    bool has_errors() const { return !errors.empty(); }
    int socket() const
    {
        vtkClientSocket *own = controller ? communicator()->GetSocket() : nullptr;
        return own ? own->GetSocketDescriptor() : -1;
    }

    vtkSmartPointer<Deliveries> deliveries;

  private:
    vtkSocketCommunicator *communicator() const
    {
        return vtkSocketCommunicator::SafeDownCast(controller->GetCommunicator());
    }

    void take_error(vtkObject *, unsigned long, void *text)
    {
        if (text && errors.size() < 1000)
            errors += static_cast<const char *>(text);
        else if (!text)
            errors += "error";
    }

    // "Continue" and edits during a pause come as calls, when an answer is awaited.
    void take_wrong_tag(vtkObject *, unsigned long, void *message)
    {
        int tag;
        std::memcpy(&tag, message, sizeof tag);
        if (tag == vtkMultiProcessController::RMI_TAG)
            communicator()->BufferCurrentMessage();
    }

    vtkSmartPointer<vtkSocketController> controller;
    std::string errors; // of this connection
};
vtkStandardNewMacro(Link::Line);

Link::Link(std::function<bool()> stop) : line(vtkSmartPointer<Line>::New()), patience(std::move(stop)) {}

Link::~Link()
{
    drop();
}

Link::Answer Link::connect(int socket, vtkSMSessionProxyManager *manager)
{
    drop();
    line->use(manager);
    line->open(socket);
    Answer answer;
    {
        const Patience::Limit limit(patience, socket, greeting_seconds);
        answer = line->greet();
    }
    if (answer == Answer::connected) {
        const Patience::Limit limit(patience, socket, answer_seconds);
        if (!line->begin())
            answer = Answer::closed;
    }
    if (patience.has_ended())
        answer = Answer::silent;
    if (answer != Answer::connected)
        line->close();
    return answer;
}

bool Link::is_connected() const
{
    return line->is_open();
}

bool Link::is_paused() const
{
    return line->is_open() && line->GetSimulationPaused();
}

bool Link::update(double time, long long step)
{
    {
        const Patience::Limit limit(patience, line->socket(), answer_seconds);
        line->InsituUpdate(time, step);
        line->drain();
    }
    return check();
}

bool Link::deliver(double time, long long step)
{
    {
        const Patience::Limit limit(patience, line->socket(), answer_seconds, delivery_seconds);
        line->InsituPostProcess(time, step);
    }
    return check();
}

bool Link::check()
{
    if (!line->is_open() || patience.has_ended() || line->has_errors())
        line->close();
    return line->is_open();
}

std::set<vtkAlgorithm *> Link::wanted() const
{
    return line->deliveries ? line->deliveries->algorithms() : std::set<vtkAlgorithm *>();
}

void Link::drop()
{
    line->close();
}

} // namespace weightscape
