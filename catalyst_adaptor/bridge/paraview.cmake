# SPDX-License-Identifier: BSD-3-Clause
# Finds an installed ParaView by its headers and libraries, and makes the target weightscape_paraview, or leaves
# WEIGHTSCAPE_PARAVIEW_PROBLEM with the reason. Not find_package(ParaView): Debian 12's fails at generation for missing
# third-party targets, Debian 13's names about 180 libraries that do not exist.
set(WEIGHTSCAPE_PARAVIEW_PROBLEM "")

find_package(Python3 COMPONENTS Development.Embed)
find_package(X11)
file(GLOB headers LIST_DIRECTORIES true /usr/include/paraview-* /usr/local/include/paraview-* "${ParaView_ROOT}/include/paraview-*")
find_path(WEIGHTSCAPE_PARAVIEW_HEADERS vtkCPPythonScriptV2Helper.h HINTS ${headers} NO_CACHE)
if(NOT WEIGHTSCAPE_PARAVIEW_HEADERS)
    set(WEIGHTSCAPE_PARAVIEW_PROBLEM "no ParaView headers with Catalyst's V2 scripts (paraview-dev)")
elseif(NOT Python3_Development.Embed_FOUND)
    set(WEIGHTSCAPE_PARAVIEW_PROBLEM "no headers of Python (libpython3-dev)")
elseif(NOT X11_FOUND)
    set(WEIGHTSCAPE_PARAVIEW_PROBLEM "no headers of X11 (libx11-dev)")
else()
    string(REGEX REPLACE ".*/include/paraview-([0-9.]+)/?$" "\\1" WEIGHTSCAPE_PARAVIEW_VERSION "${WEIGHTSCAPE_PARAVIEW_HEADERS}")
    get_filename_component(prefix "${WEIGHTSCAPE_PARAVIEW_HEADERS}/../.." ABSOLUTE)
    set(libraries)
    foreach(module PVPythonCatalyst PVCatalyst RemotingServerManager PythonInterpreter
            WrappingPythonCore${Python3_VERSION_MAJOR}.${Python3_VERSION_MINOR} IOXML CommonExecutionModel
            CommonDataModel CommonMath CommonCore sys)
        find_library(library vtk${module}-pv${WEIGHTSCAPE_PARAVIEW_VERSION} HINTS ${prefix}/lib ${prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE} NO_CACHE)
        if(NOT library)
            set(WEIGHTSCAPE_PARAVIEW_PROBLEM "no library vtk${module}-pv${WEIGHTSCAPE_PARAVIEW_VERSION} (paraview-dev, python3-paraview)")
            break()
        endif()
        list(APPEND libraries ${library})
        unset(library)
    endforeach()
endif()

if(NOT WEIGHTSCAPE_PARAVIEW_PROBLEM)
    add_library(weightscape_paraview INTERFACE)
    target_include_directories(weightscape_paraview SYSTEM INTERFACE ${WEIGHTSCAPE_PARAVIEW_HEADERS})
    # VTK's Python libraries leave Py* undefined: the embedding program brings them, needed or not.
    target_link_libraries(weightscape_paraview INTERFACE ${libraries} -Wl,--no-as-needed Python3::Python X11::X11)
endif()
