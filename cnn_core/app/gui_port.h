/* SPDX-License-Identifier: BSD-3-Clause */
/* The port of this machine on which a ParaView waits for a training. */
#ifndef APP_GUI_PORT_H
#define APP_GUI_PORT_H

/* The port of "HOST:PORT", as --live has it. CNN_BAD_ARGUMENT if HOST is not this machine, on which ParaView
 * listens, or PORT is none; *out is set for CNN_OK only. */
int gui_port_of(const char *text, int *out);

/* 1 if nobody listens there. */
int gui_port_is_free(int port);

/* A port that is free; CNN_IO_FAILED. */
int gui_port_any(int *out);

#endif
