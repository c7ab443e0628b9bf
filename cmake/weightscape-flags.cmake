# SPDX-License-Identifier: BSD-3-Clause
# Flags of our own targets: weightscape_flags(target).
add_library(weightscape_flags INTERFACE)
target_compile_options(weightscape_flags INTERFACE
    -Wall -Wextra -Wshadow -Wpointer-arith
    $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
    $<$<BOOL:${WEIGHTSCAPE_WERROR}>:-Werror>
    # A product and a sum are fused only where the code says so: results must not depend on the optimiser's mood.
    -ffp-contract=off)
target_compile_definitions(weightscape_flags INTERFACE _POSIX_C_SOURCE=200809L _DEFAULT_SOURCE)
if(WEIGHTSCAPE_SANITIZE)
    target_compile_options(weightscape_flags INTERFACE -fsanitize=${WEIGHTSCAPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(weightscape_flags INTERFACE -fsanitize=${WEIGHTSCAPE_SANITIZE})
endif()
if(WEIGHTSCAPE_COVERAGE)
    # tests/fuzz says which files count.
    target_link_options(weightscape_flags INTERFACE --coverage)
endif()
if(WEIGHTSCAPE_FUZZ)
    # Counts what was reached; the function that tries inputs is linked to the targets of tests/fuzz only.
    target_compile_options(weightscape_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(weightscape_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
