# SPDX-License-Identifier: BSD-3-Clause
# Short names for long commands; CMake does the building. `make help` lists them.
#
#   make CMAKE_FLAGS=-D...   further flags for CMake
#   make SETUP=              installs nothing: for systems other than Debian
#   make data SET=fashion    Fashion-MNIST instead of MNIST
#   make bench ONLY=overhead parts: networks training startup overhead publish pictures memory recording merging ranks target
#   make install PREFIX=...  default /usr/local; DESTDIR is respected
SHELL       := /bin/bash
CMAKE_FLAGS ?=
SETUP       ?= cmake/setup.sh
SET         ?= mnist
PREFIX      ?= /usr/local
# Many tests wait for others' deadlines half of their time.
CTEST       := ctest --parallel $(shell expr $$(nproc) + 1)

.PHONY: build demo check check-long coverage data bench install format clean setup help

build: setup ## build/release/bin/weightscape
	cmake --preset release $(CMAKE_FLAGS)
	cmake --build --preset release

demo: build data ## train for some minutes on MNIST and draw all figures
	cmake/demo.sh

check: build data ## all tests but the long ones: optimised, with address and undefined-behaviour sanitizers, and the threads under the thread sanitizer
	$(CTEST) --preset release -LE long
	cmake --preset asan $(CMAKE_FLAGS)
	cmake --build --preset asan
	find build/asan -name '*.gcda' -delete
	$(CTEST) --preset asan -LE long
	/usr/bin/python3 tests/fuzz/coverage.py build/asan
	cmake --preset tsan $(CMAKE_FLAGS)
	cmake --build --preset tsan --target test_threads test_pass test_trainer test_ring test_ring_stress test_ring_talk
	$(CTEST) --preset tsan -R '^(threads|pass|trainer|ring|ring_stress|ring_talk)$$'

coverage: ## which lines of the readers their tests and corpora run, as a table
	cmake --preset coverage $(CMAKE_FLAGS) >/dev/null
	cmake --build --preset coverage

check-long: build data ## accuracy over three seeds, merging, kills, fuzzing, and all tests of the core under the thread sanitizer (some hours)
	$(CTEST) --preset release -L long
	cmake --preset tsan $(CMAKE_FLAGS)
	cmake --build --preset tsan
	$(CTEST) --preset tsan -E '^(app|bridge|install)'
	+@$(MAKE) --no-print-directory coverage

data: setup ## data/mnist, checked; from files there, a mirror of yours, public mirrors, or npm
	cmake/get-data.sh $(SET)

bench: build data ## speed beside PyTorch, oneDNN and OpenBLAS, and what pictures and recordings cost (an hour)
	$(if $(SETUP),$(if $(filter networks training,$(or $(ONLY),networks)),$(SETUP) bench))
	cmake --preset release $(CMAKE_FLAGS) >/dev/null && cmake --build --preset release
	/usr/bin/python3 tests/bench/bench.py --build build/release --data data/mnist $(if $(ONLY),--only $(ONLY))

install: build ## program, library, headers, pipelines, man page
	cmake --install build/release --prefix $(PREFIX)

format: ## clang-format over all C and C++
	git ls-files -z -co --exclude-standard '*.c' '*.h' '*.cpp' | xargs -0 clang-format -i

clean: ## remove what was built; data, runs and demo stay
	rm -rf build

setup:
	@$(SETUP)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '%-12s%s\n' "$$name" "$$text"; done
