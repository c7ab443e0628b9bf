// SPDX-License-Identifier: BSD-3-Clause
// The reader as the client of ParaView sees it.
#ifndef WEIGHTSCAPE_READER_PROXY_H
#define WEIGHTSCAPE_READER_PROXY_H

#include <vtkSMSourceProxy.h>

namespace weightscape
{

// Asks for the steps again whenever the reader was updated or refreshed, so that the time controls know those
// that have come: ParaView itself asks only when a file is opened or reloaded.
class ReaderProxy : public vtkSMSourceProxy
{
  public:
    static ReaderProxy *New();
    vtkTypeMacro(ReaderProxy, vtkSMSourceProxy);

  protected:
    ReaderProxy();
    ~ReaderProxy() override;
    void PostUpdateData(bool using_cache) override;

  private:
    void property_was_pushed(vtkObject *, unsigned long, void *name);
};

} // namespace weightscape

#endif
