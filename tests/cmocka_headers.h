/* SPDX-License-Identifier: BSD-3-Clause */
/* cmocka, behind the headers that it needs to come first. */
#ifndef CMOCKA_HEADERS_H
#define CMOCKA_HEADERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
