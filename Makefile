# Each target makes the virtual environment it needs; running it again is quick.
#   make demo       train, score, export and ask the sentiment model; no data needed
#   make test       lint and the whole suite but what is marked slow
#   make benchmark  side by side with peers, in an environment of its own
#   make docs       the site, in build/site/
#   make lint       flake8, isort and mypy alone
#   make clean      remove environments and caches; runs and models stay

# The first interpreter that keras_seq supports; `make PYTHON=... test` overrides it.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13; do \
	$$name -c '$(SUPPORTED)' 2>/dev/null && echo $$name && break; done)

BIN := .venv/bin
BENCHMARK_BIN := .venv-benchmark/bin
INSTALL_INPUTS := setup.cfg pyproject.toml constraints.txt
DEMO_TEXT := The plot started dull and ended gripping.

.PHONY: demo test lint docs benchmark clean
.DELETE_ON_ERROR:

demo: .venv/.installed
	@$(BIN)/python tasks/sentiment.py train
	@echo
	@echo 'Look at the run:    $(BIN)/tensorboard --logdir runs/sentiment'
	@echo 'Ask the model:      $(BIN)/python tasks/sentiment.py predict "$(DEMO_TEXT)"'
	@echo 'It answers:'
	@$(BIN)/python tasks/sentiment.py predict "$(DEMO_TEXT)"

test: lint
	@$(BIN)/python -m pytest -q -m "not slow" -n 2 --dist loadfile \
		--no-loadscope-reorder

lint: .venv/.installed
	@$(BIN)/python -m mypy & types=$$!; \
		$(BIN)/python -m flake8; style=$$?; \
		$(BIN)/python -m isort --quiet --check-only --diff . || style=1; \
		wait $$types && exit $$style

# A link or an anchor that leads nowhere is an error; the suite builds it the same way.
docs: .venv/.installed
	@$(BIN)/python -m mkdocs build --quiet --strict
	@echo 'Open build/site/index.html'

benchmark: .venv-benchmark/.installed
	@for name in startup tokenizer memory windows latency monitors generate speed \
		epoch translate forecast quality; do \
		echo "== $$name"; $(BENCHMARK_BIN)/python -m benchmarks.$$name || exit 1; done

.venv/.installed: EXTRAS := test
.venv-benchmark/.installed: EXTRAS := benchmark,translation

# The stamp is the last thing written, so that an interrupted install is done again.
%/.installed: $(INSTALL_INPUTS)
	@test -n "$(PYTHON)" || { echo 'keras_seq needs Python 3.11, 3.12 or 3.13' >&2; exit 1; }
	@echo 'Installing keras_seq[$(EXTRAS)] into $* (some minutes the first time)'
	@$(PYTHON) -m venv $*
	@$*/bin/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@

clean:
	rm -rf .venv .venv-benchmark build dist .pytest_cache .mypy_cache .hypothesis *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
