# Every target sets up what it needs. With PYTHON=python3.12 another interpreter (3.11 to 3.13) makes the environment.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev
INSTALLED_CLUSTER := $(VENV)/.installed-cluster
INSTALLED_DOCS := $(VENV)/.installed-docs
KILLS ?= 50
# Processes of the tests but those of clusters; 0 is this one. tests/conftest.py says which tests share one.
TESTS_AT_ONCE ?= 2
# The slow ones and the faults wait a third of their time and more: three for two cores.
LONG_TESTS_AT_ONCE ?= 3
# Machines of a cluster's test see nothing of another's, and wait for half of their time.
CLUSTER_TESTS_AT_ONCE ?= 3
# Where they lie: to look for them everywhere takes each process half a minute.
CLUSTER_TESTS := tests/cluster tests/ray_tune/test_token_in_the_home.py
# The same for the slow ones: the files that have the word, and all of the faults.
LONG_TESTS = tests/faults $(sort $(filter-out tests/faults/%,$(shell grep -rlwE 'slow|faults' tests --include='test_*.py')))
# Seconds after which a test fails that hangs.
TEST_TIMEOUT ?= 600
FAULT_SEED ?= 0
SPACE := search_spaces/digits_quickstart.yaml

.DEFAULT_GOAL := help
.PHONY: help install install-dev install-cluster install-docs quickstart test test-slow test-long test-exhaustive test-cluster test-gpu faults check format docs pictures bench bench-gpu clean

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

install: $(INSTALLED) ## create .venv with what a user needs
install-dev: $(INSTALLED_DEV) ## the same with what a developer adds
install-cluster: $(INSTALLED_CLUSTER) ## the same with what `ray up` and `ray job submit` need
install-docs: $(INSTALLED_DOCS) ## the same with what the documentation site needs

$(BIN)/python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 must be used, but got {v.major}.{v.minor}; try make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	@touch $(INSTALLED) $@

$(INSTALLED_CLUSTER): requirements-cluster.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-cluster.txt
	@touch $(INSTALLED) $@

$(INSTALLED_DOCS): requirements-docs.txt requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-docs.txt
	@touch $(INSTALLED) $@

quickstart: $(INSTALLED) ## a real search on real digits, a minute or two; each call makes a new results directory
	@results=results/digits_quickstart; n=1; \
	while [ -e $$results ]; do n=$$((n + 1)); results=results/digits_quickstart-$$n; done; \
	echo "$(BIN)/python run_search.py $(SPACE) --results $$results"; \
	$(BIN)/python run_search.py $(SPACE) --results $$results

test: $(INSTALLED_DEV) ## the tests, without the slow ones, the faults and those of clusters
	$(BIN)/python -m pytest -n $(TESTS_AT_ONCE) --timeout $(TEST_TIMEOUT) -m "not slow and not faults and not cluster" --durations 60 --durations-min 3

test-slow: $(INSTALLED_DEV) ## the slow tests but the exhaustive ones
	$(BIN)/python -m pytest $(LONG_TESTS) -n $(LONG_TESTS_AT_ONCE) --timeout 1800 -m "slow and not cluster and not exhaustive"

test-long: $(INSTALLED_DEV) ## the slow tests and the faults in one go, but the exhaustive ones
	$(BIN)/python -m pytest $(LONG_TESTS) -n $(LONG_TESTS_AT_ONCE) --timeout 1800 -m "(slow or faults) and not cluster and not exhaustive" --durations 40 --durations-min 30 --kills $(KILLS) --fault-seed $(FAULT_SEED)

test-exhaustive: $(INSTALLED_DEV) ## slow tests and faults that repeat with other values what a quicker test proves
	$(BIN)/python -m pytest $(LONG_TESTS) -n $(LONG_TESTS_AT_ONCE) --timeout 1800 -m "exhaustive and not cluster" --kills $(KILLS) --fault-seed $(FAULT_SEED)

test-cluster: $(INSTALLED_DEV) $(INSTALLED_CLUSTER) ## whole clusters on this machine (root; openssh-server and rsync), seven minutes
	$(BIN)/python -m pytest $(CLUSTER_TESTS) -n $(CLUSTER_TESTS_AT_ONCE) --timeout 1800 -m cluster --durations 20 --durations-min 10

test-gpu: $(INSTALLED_DEV) ## the tests that need a GPU; where there is none they are skipped, and say so
	$(BIN)/python -m pytest --timeout $(TEST_TIMEOUT) -m gpu

faults: $(INSTALLED_DEV) ## real searches killed at 50 random moments (KILLS=n), full disks and more; half an hour, ends with a table
	$(BIN)/python -m pytest tests/faults -n $(LONG_TESTS_AT_ONCE) -m faults --kills $(KILLS) --fault-seed $(FAULT_SEED)

check: $(INSTALLED_DEV) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED_DEV) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED_DOCS) ## the documentation site in build/site, strictly, without a network
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo "build/site/index.html; with its search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site"

pictures: $(INSTALLED) ## the pictures of README.md, from a real run of the quickstart (Chromium)
	$(BIN)/python docs/make_pictures.py

bench: $(INSTALLED) ## the benchmarks, a quarter of an hour on two quiet cores
	$(BIN)/python -m benchmarks.ceiling --rounds 3
	$(BIN)/python -m benchmarks.data_path
	$(BIN)/python -m benchmarks.augmentation_rate --rounds 3
	$(BIN)/python -m benchmarks.packing --rounds 3
	$(BIN)/python -m benchmarks.bn_relu --rounds 3
	$(BIN)/python -m benchmarks.training_rate --rounds 3 --networks 10-1,16-2
	$(BIN)/python -m benchmarks.search_overhead --driver "random:100,1000"
	$(BIN)/python -m benchmarks.decisions_per_second --plays "random:20000x60@1000,tpe:1000x27@4"
	$(BIN)/python -m benchmarks.report_size
	$(BIN)/python -m benchmarks.status_of_many_trials
	$(BIN)/python -m benchmarks.live_page
	$(BIN)/python -m benchmarks.answer_quality --seeds 5 --searches 4 --flagship 4
	$(BIN)/python -m benchmarks.recording

bench-gpu: $(INSTALLED) ## ten minutes on a GPU: rates, memory, packing, out of memory; tiny where there is none
	$(BIN)/python -m benchmarks.gpu.all

clean: ## remove .venv and caches; results stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build *.egg-info
